# SPDX-License-Identifier: Apache-2.0
"""The installed package, in all the ways that pip installs it."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest
from harness import EMULATED, ROOT
from package import DIST, HERE, SLOW, TOOLS, Install, run, wheel_named

# An emulated machine asks for the rest of 400 ms.
LEAST = 3 if EMULATED else 4
BLOCKED = re.compile(rf"blocked [{LEAST}-9]\d\d\.\d ms in |blocked \d\.\d+ s in ")
WHERE = "from loophound import _files as f; print(f.library_path(), f.command_path())"


@pytest.mark.parametrize("start", [["bin/loophound"], ["bin/python", "-m", "loophound"]])
def test_command_finds_the_library(installed: Path, start: list[str]) -> None:
    done = run(installed / start[0], *start[1:], "run", "--", installed / "bin/python", "-c", SLOW)
    assert done.returncode == 0, done.stderr
    assert BLOCKED.search(done.stderr), done.stderr
    assert "1 loop thread, 1 block" in done.stderr


def test_exit_status_and_standard_input_are_the_commands(installed: Path) -> None:
    done = run(installed / "bin/loophound", "run", "--", "sh", "-c", "exit 7")
    assert done.returncode == 7
    assert run(installed / "bin/loophound", "nonsense").returncode == 2


def test_library_finds_the_command(installed: Path) -> None:
    library, command = run(installed / "bin/python", "-c", WHERE).stdout.split()
    assert Path(command).parent == Path(library).parent
    done = run(installed / "bin/python", "-c", SLOW, LD_PRELOAD=library)
    assert BLOCKED.search(done.stderr), done.stderr
    assert not done.stderr.startswith("{"), "raw lines: no collector was found"


def test_target_folder_works_without_an_environment(tmp_path: Path, installed: Path) -> None:
    pip = [str(installed / "bin/pip"), "-q", "install", "--no-index", "--target", str(tmp_path)]
    subprocess.run([*pip, wheel_named(HERE)], check=True)
    words = [sys.executable, "-m", "loophound", "run", "--", sys.executable, "-c", SLOW]
    done = run(*words, PYTHONPATH=str(tmp_path))
    assert BLOCKED.search(done.stderr), done.stderr


def test_wheel_imported_as_a_zip_file_says_that_it_has_no_files() -> None:
    code = f"{WHERE}; print(f.why_missing())"
    done = run(sys.executable, "-c", code, PYTHONPATH=str(wheel_named(HERE)))
    none, why = done.stdout.splitlines()
    assert none == "None None" and "without the library" in why, done.stderr


def test_space_in_the_path_is_said(environment_of: Install) -> None:
    venv = environment_of(wheel_named(HERE), prefix="a b")
    done = run(venv / "bin/python", "-m", "loophound", "run", "--", "true")
    assert "LD_PRELOAD cannot hold a path with a space" in done.stderr


def test_pure_wheel_can_be_imported_and_says_why_there_is_no_command(
    environment_of: Install,
) -> None:
    venv = environment_of(wheel_named("py3-none-any"))
    assert run(venv / "bin/python", "-c", WHERE).stdout == "None None\n"
    done = run(venv / "bin/loophound", "calls")
    assert done.returncode == 125
    assert re.fullmatch(r"loophound: cannot run here: .*without the library.*\n", done.stderr)


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    (archive,) = DIST.glob("*.tar.gz")
    subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
    (unpacked,) = folder.iterdir()
    return unpacked


def build_with(source: Path, target: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    pip: list[str | Path] = [
        TOOLS / "pip",
        "-q",
        "--disable-pip-version-check",
        "wheel",
        "--no-deps",
        "--no-index",
    ]
    pip += ["--no-build-isolation", "--wheel-dir", target, source]
    return run(*pip, **variables)


def our_line(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that our part of a failed build has said."""
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if "loophound:" in line]
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_source_distribution_builds_what_works(
    sdist: Path, tmp_path: Path, environment_of: Install
) -> None:
    done = build_with(sdist, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith(f"-py3-none-linux_{platform.machine()}.whl")
    venv = environment_of(wheel)
    done = run(venv / "bin/loophound", "run", "--", venv / "bin/python", "-c", SLOW)
    assert BLOCKED.search(done.stderr), done.stderr


@pytest.mark.parametrize("tool", ["cc", "make", "pkg-config"])
def test_missing_tool_is_named_in_one_line(sdist: Path, tmp_path: Path, tool: str) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in {"make", "cc", "pkg-config", "sh", "strip"} - {tool}:
        (tools / name).symlink_to(f"/usr/bin/{name}")
    done = build_with(sdist, tmp_path, PATH=str(tools))
    (line,) = (line for line in done.stderr.splitlines() if "loophound:" in line)
    assert f"not found: {tool}; on Debian and Ubuntu: apt-get install gcc " in line


def test_missing_library_is_named_in_one_line(sdist: Path, tmp_path: Path) -> None:
    done = build_with(sdist, tmp_path, PKG_CONFIG_LIBDIR=str(tmp_path))
    (line,) = (line for line in done.stderr.splitlines() if "loophound:" in line)
    assert "not found: libunwind-generic, libdw, libelf," in line


def test_checkout_builds_a_pure_wheel_where_it_is_asked_for(tmp_path: Path) -> None:
    done = build_with(ROOT, tmp_path, LOOPHOUND_WHEEL="pure")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name.partition("-")[2] for path in tmp_path.glob("*.whl")] == [
        "0.1.0-py3-none-any.whl"
    ]


def test_bad_choice_is_one_line(tmp_path: Path) -> None:
    done = build_with(ROOT, tmp_path, LOOPHOUND_WHEEL="Pure")
    assert "LOOPHOUND_WHEEL is 'Pure', expected 'pure' or a folder" in our_line(done)
    assert not list(tmp_path.iterdir())
