# SPDX-License-Identifier: Apache-2.0
"""What a killed `loophound run` leaves behind: the next one removes that, and nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import COMMAND, clean_environment, run_command, started, wait_until

# Says where its run's directory is, and stays until it is told.
SAYS = 'echo "${LOOPHOUND_SOCKET%/*}"; read line'


@contextmanager
def running(script: str = SAYS) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    command = [str(COMMAND), "run", "--", "sh", "-c", script]
    with started(command, clean_environment(), stdin=-1, stderr=-3) as process:
        assert process.stdout
        yield process, Path(process.stdout.readline().strip())


def leave_one() -> Path:
    """The directory of a run that was killed, and of which no process is left."""
    with running() as (process, directory):
        process.kill()
        process.communicate("\n", timeout=60)
    wait_until("the command's end", lambda: not uses(directory))
    assert directory.is_dir()
    return directory


def uses(directory: Path) -> bool:
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if bytes(directory) in environment.read_bytes():
                return True
        except OSError:
            continue
    return False


def run_another() -> None:
    assert run_command("run", "--", "true").returncode == 0


@pytest.fixture
def left() -> Iterator[Path]:
    directory = leave_one()
    yield directory
    if directory.is_dir():
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()


def test_directory_of_a_killed_run_is_removed_by_the_next_one(left: Path) -> None:
    assert len(list(left.iterdir())) == 1
    run_another()
    assert not left.exists()


def test_directory_of_a_living_run_stays() -> None:
    with running() as (process, directory):
        run_another()
        (path,) = directory.iterdir()
        assert path.is_socket()
        process.communicate("\n", timeout=60)
    assert not directory.exists()


def test_directory_stays_for_what_is_left_of_its_run() -> None:
    """A process that starts later takes a missing directory for an end in good order."""
    with running() as (process, directory):
        process.kill()
        process.wait()
        run_another()
        assert directory.is_dir()
        process.communicate("\n", timeout=60)
    wait_until("the command's end", lambda: not uses(directory))
    run_another()
    assert not directory.exists()


def test_directory_in_which_somebody_listens_stays(left: Path) -> None:
    """Without a lock, as on a file system that has none."""
    (path,) = left.iterdir()
    path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        run_another()
        assert path.is_socket()
    run_another()
    assert not left.exists()


def test_directory_with_anything_else_in_it_stays(left: Path) -> None:
    (left / "precious").write_text("precious\n")
    run_another()
    assert (left / "precious").read_text() == "precious\n"


def test_link_with_the_name_of_a_run_is_not_followed(left: Path) -> None:
    target = left.rename(left.with_name(f"kept-{left.name}"))
    left.symlink_to(target)
    try:
        run_another()
        assert left.is_symlink() and len(list(target.iterdir())) == 1
    finally:
        left.unlink()
        target.rename(left)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_directory_of_another_user_stays(left: Path) -> None:
    os.chown(left, 65534, -1)
    run_another()
    assert left.is_dir()
    os.chown(left, 0, -1)


def test_directory_that_others_may_write_to_stays(left: Path) -> None:
    left.chmod(0o777)
    run_another()
    assert left.is_dir()
