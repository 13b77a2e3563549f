# SPDX-License-Identifier: Apache-2.0
"""pytest is started again with the library: once, as it was started, and only where it may be."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest
from harness import LIBRARY
from project import Project

BLOCKS = """
import asyncio, os, sys, time
import application

def test_blocks():
    print("printed by the test")
    asyncio.run(application.blocks())

def test_process():
    assert os.environ["LD_PRELOAD"]
    with open("starts", "a") as file:
        file.write(f"{os.getpid()} {sys.argv[1:]}\\n")
"""
APPLICATION = "import time\nasync def blocks():\n    time.sleep(0.01)\n"


@pytest.fixture
def blocking(project: Project) -> Project:
    project.write(application=APPLICATION, test_it=BLOCKS)
    return project


STARTS = {
    "module": ("-m", "pytest"),
    "flags": ("-X", "utf8", "-m", "pytest"),
    "code": ("-c", "import sys, pytest; sys.exit(pytest.console_main())"),
    "coverage": ("-m", "coverage", "run", "--source=.", "-m", "pytest"),
}


@pytest.mark.parametrize("how", list(STARTS))
def test_it_is_started_again_as_it_was_started(blocking: Project, how: str) -> None:
    done = blocking.pytest("--loophound", starts=STARTS[how])
    assert done.outcomes == {"test_blocks": "failure", "test_process": "passed"}
    assert done.status == 1
    assert "printed by the test" in done.output
    assert len((blocking.directory / "starts").read_text().splitlines()) == 1


def test_script_of_pytest_is_started_again(blocking: Project) -> None:
    script = str(blocking.python.program.with_name("pytest"))
    done = blocking.pytest("--loophound", starts=(script,))
    assert done.outcomes["test_blocks"] == "failure"


def test_exit_status_is_kept(project: Project) -> None:
    project.write(test_it="import os\ndef test_a(): os._exit(77)\n")
    assert project.pytest("--loophound").status == 77


def test_options_that_set_up_the_library_are_the_configurations(project: Project) -> None:
    test = "import os\ndef test_a(): assert os.environ['LOOPHOUND_NOISE'] == '{}'\n"
    test = test.format("tests,-test-code,+logging")
    project.write(test_it=test)
    project.ini("loophound = true", "loophound_noise = +logging")
    assert project.pytest().outcomes == {"test_a": "passed"}


def test_library_that_is_there_already_is_used(blocking: Project) -> None:
    variables: dict[str, str] = {
        "LD_PRELOAD": str(LIBRARY),
        "LOOPHOUND_STRICT": "on",
        "LOOPHOUND_OUTPUT": str(blocking.directory / "hits.jsonl"),
    }
    done = blocking.pytest("--loophound", variables=variables)
    assert done.outcomes["test_blocks"] == "failure"
    assert (blocking.directory / "hits.jsonl").exists()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("main", "pytest was not started as a command"),
        ("option", "libloophound.so is not preloaded, and --loophound-no-reexec was given"),
        ("library", "libloophound.so is not found"),
        ("inside", "pytest runs in a test of pytest"),
    ],
)
def test_it_is_not_started_again_where_that_is_not_to_be(
    blocking: Project, how: str, said: str
) -> None:
    blocking.write(test_it=BLOCKS.replace('assert os.environ["LD_PRELOAD"]', "pass"))
    arguments, starts = ["--loophound"], ("-m", "pytest")
    variables: dict[str, str] = {}
    if how == "main":
        starts = ("-c", "import sys, pytest; print('once'); sys.exit(pytest.main(sys.argv[1:]))")
    elif how == "option":
        arguments.append("--loophound-no-reexec")
    elif how == "library":
        blocking.write(sitecustomize="import os; os.path.isfile = lambda path: False\n")
        code = "import sys; from pathlib import Path; Path.is_file = lambda self: False\n"
        starts = ("-c", code + "import pytest; sys.exit(pytest.console_main())")
    elif how == "inside":
        variables["PYTEST_CURRENT_TEST"] = "test_outer.py::test_a (call)"
    done = blocking.pytest(*arguments, starts=starts, variables=variables)
    assert done.status == 0
    assert f"loophound: nothing is watched: {said}" in done.output
    if how == "main":
        assert done.output.count("once") == 1
    required = blocking.pytest(
        *arguments, "-o", "loophound_required=true", starts=starts, variables=variables
    )
    assert required.status == 4
    assert f"loophound_required: nothing is watched: {said}" in required.output


def test_loophound_pytest_0_switches_it_off(blocking: Project) -> None:
    blocking.write(test_it=BLOCKS.replace('assert os.environ["LD_PRELOAD"]', "pass"))
    done = blocking.pytest("--loophound", variables={"LOOPHOUND_PYTEST": "0"})
    assert done.status == 0
    assert "loophound:" not in done.output


@pytest.mark.parametrize("system", ["Darwin", "Windows", "musl", "PyPy"])
def test_elsewhere_tests_run_and_one_line_says_why_nothing_is_watched(
    project: Project, system: str
) -> None:
    code = {
        "Darwin": "sys.platform = 'darwin'",
        "Windows": "sys.platform = 'win32'",
        "musl": "import os; os.confstr = lambda name: None",
        "PyPy": "sys.implementation.name = 'pypy'",
    }[system]
    # As the package sees it alone: pytest itself is not made for what the system is not.
    pretend = f"""
import sys
import asyncio, ctypes, fnmatch, linecache, platform, queue, socket, subprocess, tempfile
platform_before, name_before = sys.platform, sys.implementation.name
{code}
import loophound, loophound._library as library
reason = library.why_unsupported()
library.why_unsupported = lambda: reason
import loophound._reexec
loophound._reexec.why_unsupported = library.why_unsupported
sys.platform, sys.implementation.name = platform_before, name_before
import pytest
sys.exit(pytest.console_main())
"""
    project.write(
        test_it="import asyncio, time\nasync def s(): time.sleep(0.01)\n"
        "def test_a(): asyncio.run(s())\n"
    )
    done = project.pytest("--loophound", "--loophound-scope=all", starts=("-c", pretend))
    assert done.outcomes == {"test_a": "passed"}
    (line,) = (line for line in done.output.splitlines() if line.startswith("loophound:"))
    words = {"Darwin": "darwin", "Windows": "win32", "musl": "musl", "PyPy": "pypy"}
    assert words[system] in line


def test_debugger_has_the_terminal(blocking: Project) -> None:
    """`pytest --pdb`: it stops where the block was found, and takes what is typed."""
    main, terminal = pty.openpty()
    command = [str(blocking.python.program), "-m", "pytest", "-p", "no:randomly", "--loophound"]
    environment = blocking.environment(TERM="dumb")
    with subprocess.Popen(
        [*command, "--pdb", "-k", "test_blocks"],
        cwd=blocking.directory,
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        said = b""
        while b"(Pdb)" not in said:
            said += os.read(main, 4096)
        os.write(main, b"p 6 * 7\n")
        while b"42" not in said:
            said += os.read(main, 4096)
        os.write(main, b"q\n")
        while True:
            try:
                data = os.read(main, 4096)
            except OSError:
                break
            if not data:
                break
        assert process.wait() == 2
    os.close(main)
