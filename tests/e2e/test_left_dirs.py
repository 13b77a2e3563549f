# SPDX-License-Identifier: Apache-2.0
"""What a killed `loophound run` leaves behind: the next one removes that, and nothing else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from harness import COMMAND, LIBRARY, clean_environment, started, wait_until

# Says where its run's directory is, and stays until it is told.
SAYS = 'echo "${LOOPHOUND_SOCKET%/*}"; read line'
NOBODY = 65534


class Place:
    """Where runs have their directories: of this test alone, for others' runs clean up, too. Root's
    are always in the same place, so these are another user's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environment = {**clean_environment(), "TMPDIR": str(path)}
        self.environment.pop("XDG_RUNTIME_DIR", None)
        self.user: dict[str, Any] = {}
        for file in (COMMAND, LIBRARY):
            shutil.copy(file, path)
        if os.geteuid() == 0:
            self.user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            os.chown(path, NOBODY, NOBODY)

    def command(self, *argv: str) -> list[str]:
        return [str(self.path / COMMAND.name), "run", "--", *argv]

    def run_another(self) -> None:
        done = subprocess.run(
            self.command("true"), env=self.environment, timeout=60, check=False, **self.user
        )
        assert done.returncode == 0

    @contextmanager
    def running(self, script: str = SAYS) -> Iterator[tuple[subprocess.Popen[str], Path]]:
        pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        command = self.command("sh", "-c", script)
        with started(command, self.environment, **pipes, **self.user) as process:
            assert process.stdout
            directory = Path(process.stdout.readline().strip())
            assert directory.parent == self.path
            yield process, directory

    def leave_one(self) -> Path:
        """The directory of a run that was killed, and of which no process is left."""
        with self.running() as (process, directory):
            process.kill()
            process.communicate("\n", timeout=60)
        wait_until("the command's end", lambda: not uses(directory))
        assert directory.is_dir()
        return directory


@pytest.fixture
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="lh-") as path:  # a socket's path is short
        yield Place(Path(path))


@pytest.fixture
def left(place: Place) -> Path:
    return place.leave_one()


def uses(directory: Path) -> bool:
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if bytes(directory) in environment.read_bytes():
                return True
        except OSError:
            continue
    return False


def test_directory_of_a_killed_run_is_removed_by_the_next_one(left: Path, place: Place) -> None:
    assert len(list(left.iterdir())) == 1
    place.run_another()
    assert not left.exists()


def test_directory_of_a_living_run_stays(place: Place) -> None:
    with place.running() as (process, directory):
        place.run_another()
        (path,) = directory.iterdir()
        assert path.is_socket()
        process.communicate("\n", timeout=60)
    assert not directory.exists()


def test_directory_of_a_living_run_stays_for_its_lock_alone(place: Place) -> None:
    """Without a socket, as before it listens, and without a process that knows of it."""
    script = SAYS.replace("read", "exec env -i sh -c 'read") + "'"
    with place.running(script) as (process, directory):
        (path,) = directory.iterdir()
        path.unlink()
        wait_until("the command", lambda: not uses(directory))
        place.run_another()
        assert directory.is_dir()
        process.communicate("\n", timeout=60)
    assert not directory.exists()


def test_directory_stays_for_what_is_left_of_its_run(place: Place) -> None:
    """A process that starts later takes a missing directory for an end in good order."""
    with place.running() as (process, directory):
        process.kill()
        process.wait()
        place.run_another()
        assert directory.is_dir()
        process.communicate("\n", timeout=60)
    wait_until("the command's end", lambda: not uses(directory))
    place.run_another()
    assert not directory.exists()


def test_directory_in_which_somebody_listens_stays(left: Path, place: Place) -> None:
    """Without a lock, as on a file system that has none."""
    (path,) = left.iterdir()
    path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        os.chown(path, left.stat().st_uid, -1)
        path.chmod(0o600)
        listener.listen()
        place.run_another()
        assert path.is_socket()
    place.run_another()
    assert not left.exists()


def test_directory_with_anything_else_in_it_stays(left: Path, place: Place) -> None:
    (left / "precious").write_text("precious\n")
    place.run_another()
    assert (left / "precious").read_text() == "precious\n"


def test_link_with_the_name_of_a_run_is_not_followed(left: Path, place: Place) -> None:
    target = left.rename(left.with_name(f"kept-{left.name}"))
    left.symlink_to(target)
    place.run_another()
    assert left.is_symlink() and len(list(target.iterdir())) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_directory_of_another_user_stays(left: Path, place: Place) -> None:
    (path,) = left.iterdir()
    path.unlink()
    os.chown(left, 0, -1)
    left.chmod(0o755)
    place.run_another()
    assert left.is_dir()


def test_directory_that_others_may_write_to_stays(left: Path, place: Place) -> None:
    left.chmod(0o777)
    place.run_another()
    assert left.is_dir()
