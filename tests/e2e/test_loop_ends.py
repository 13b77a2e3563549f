# SPDX-License-Identifier: Apache-2.0
"""What a thread does below none of the functions that run its loop is not in the loop."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import (
    PYTHON,
    ROOT,
    blocks,
    describe,
    first_frame_in,
    functions,
    of_type,
    read_events,
    stalls_of,
)
from harness import run_command as loophound
from pythons import READABLE

ENDS = ROOT / "tests" / "programs" / "python" / "loop_ends.py"
INSIDE = next(n for n, line in enumerate(ENDS.read_text().splitlines(), 1) if "# inside" in line)

every_python = pytest.mark.parametrize("python", READABLE)


def told(python: str, way: str, hits: Path, *flags: str) -> list[int]:
    """The lines of the program at which something was told to have blocked its loop."""
    done = loophound("run", "-o", hits, *flags, "--", python, ENDS, way)
    assert done.returncode == 0, done.stderr
    events = read_events(hits)
    for kind in ("inflight", "block", "stall"):
        assert not [e for e in of_type(events, kind) if "work_outside" in functions(e)], describe(
            events
        )
    assert stalls_of(events) == [], describe(events)
    frames = [first_frame_in(block, ENDS.name) for block in blocks(events)]
    return [frame["line"] for frame in frames if frame]


@every_python
def test_work_after_a_loop_that_stays_open_is_not_in_it(python: str, hits: Path) -> None:
    """Nor is what the interpreter does at its end."""
    assert told(python, "open", hits) == [INSIDE]


@every_python
def test_work_between_two_runs_of_a_loop_is_not_in_it(python: str, hits: Path) -> None:
    assert told(python, "between", hits) == [INSIDE, INSIDE]


@every_python
def test_the_same_holds_for_a_loop_of_another_thread(python: str, hits: Path) -> None:
    assert told(python, "thread", hits) == [INSIDE]


@pytest.mark.parametrize("way", ["open", "between"])
def test_the_same_holds_in_strict_mode(way: str, hits: Path) -> None:
    flags = ("--strict", "--places", "each", "--calls", "sleep", "-t", "3600s")
    runs = {"open": 1, "between": 2}
    assert told(PYTHON, way, hits, *flags) == [INSIDE] * runs[way]


@every_python
def test_job_of_a_pool_of_threads_that_waits_for_events_is_no_loop(python: str, hits: Path) -> None:
    assert told(python, "pool", hits) == []
    assert of_type(read_events(hits), "loop") == []


@every_python
def test_job_of_a_pool_of_threads_that_runs_a_loop_is_one(python: str, hits: Path) -> None:
    assert told(python, "pool-loop", hits) == [INSIDE]
