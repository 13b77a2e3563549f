# SPDX-License-Identifier: Apache-2.0
"""Text as a person sees it: on a terminal, and in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import termios
from pathlib import Path

import pytest
from harness import (
    COMMAND,
    PATIENCE_S,
    PROGRAMS,
    PYTHON,
    ROOT,
    clean_environment,
    describe,
    read_events,
    run_command,
)

APP = ROOT / "tests" / "programs" / "python" / "repeats.py"
ARGUMENTS = ["run", "--no-stall", "--calls", "sleep", "-t", "50ms", "--", PYTHON, str(APP)]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def read_all(terminal: int) -> str:
    read = b""
    try:
        while more := os.read(terminal, 65536):
            read += more
    except OSError:  # EIO: nobody writes to it any more
        pass
    return read.decode().replace("\r\n", "\n")


def on_terminal(columns: int) -> str:
    """What `loophound run` writes on a terminal of this width, with its colours."""
    terminal, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [str(COMMAND), *ARGUMENTS]
    with subprocess.Popen(command, env=clean_environment(), stderr=side) as run:
        os.close(side)
        text = read_all(terminal)
        assert run.wait(PATIENCE_S) == 0
    os.close(terminal)
    return text


@pytest.mark.parametrize("columns", [80, 56])
def test_every_line_fits_the_terminal(columns: int) -> None:
    lines = COLOUR.sub("", on_terminal(columns)).splitlines()
    reports = lines[: next(i for i, line in enumerate(lines) if line.startswith("loophound: "))]
    assert len(reports) > 10
    assert max(map(len, reports)) <= columns, "\n".join(lines)
    assert any(line.endswith("...") for line in reports)


def test_the_users_line_is_bold_and_no_other() -> None:
    lines = on_terminal(200).splitlines()
    bold = [line for line in lines if line.startswith("\x1b[1m")]
    assert len(bold) == 2  # of each place one
    assert all(line.startswith("\x1b[1m> ") and line.endswith("\x1b[0m") for line in bold)
    assert not [line for line in lines if line.startswith(">")]


def test_the_same_place_is_told_in_one_line_and_summed_up_in_the_end() -> None:
    run = run_command(*ARGUMENTS)
    lines = run.stderr.splitlines()
    places = [line for line in lines if line.startswith("> ")]
    assert len(places) == 2
    again = [line for line in lines if " again, " in line]
    assert [re.search(r"again, (\w+) time", line)[1] for line in again] == ["2nd", "3rd", "4th"]  # type: ignore[index]
    assert all(re.search(r"  #\d+, as #1$", line) for line in again)
    table = lines[next(i for i, line in enumerate(lines) if line.split()[:1] == ["TOTAL"]) :]
    assert re.search(r" 4  \w+  \S*repeats.py:\d+ stands_for_\w+  time.sleep\(0.11\)", table[1])
    assert re.search(r" 1  \w+  \S*repeats.py:\d+ main  ", table[2])
    assert table[3].startswith("loophound: ")


def test_in_a_pipe_nothing_is_cut() -> None:
    run = run_command(*ARGUMENTS, extra={"COLUMNS": "40"})
    assert "and a comment that takes all of the rest of the line and more\n" in run.stderr
    assert not [line for line in run.stderr.splitlines() if line.endswith("...")]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("pypy3.11", "PyPy's functions have no names here"), ("bun", "Bun's functions have no names")],
)
def test_runtime_whose_functions_have_no_names_says_so(
    name: str, sentence: str, tmp_path: Path, hits: Path
) -> None:
    """Also what is known by its program's name alone."""
    program = tmp_path / name
    shutil.copy(PROGRAMS / "deep_stack", program)
    assert run_command("run", "-t", "20ms", "-o", hits, "--", program, "3").returncode == 0
    first, *others = (event for event in read_events(hits) if "note" in event)
    assert first["note"].startswith(sentence), describe([first])
    assert all(event["note"] is None for event in others), "once"
    told = run_command("run", "-t", "20ms", "--", program, "3").stderr
    assert told.count(f"  {sentence}") == 1, told
