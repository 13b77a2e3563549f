# SPDX-License-Identifier: Apache-2.0
"""Threads that only look like loops: a library's own in a Python program, schedulers."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import (
    PROGRAMS,
    PYTHON,
    ROOT,
    Event,
    blocks,
    describe,
    first_frame_in,
    of_type,
    run_preloaded,
)

POLLER = ROOT / "tests" / "programs" / "python" / "poller.py"


def run_poller(way: str, hits: Path, loop: str = "auto") -> list[Event]:
    command: list[str | Path] = [PYTHON, POLLER, PROGRAMS / "poller.so", way]
    _, events = run_preloaded(command, hits, THRESHOLD="100ms", LOOP=loop)
    assert of_type(events, "loop"), "no loop was seen"
    return events


@pytest.mark.parametrize("way", ["here", "thread"])
def test_loop_of_a_library_that_runs_no_handler_is_silent(way: str, hits: Path) -> None:
    """Its own waits, and what Python does when the library's call has returned."""
    events = run_poller(way, hits)
    told = [event for event in events if event["type"] in ("block", "inflight", "stall")]
    assert told == [], describe(told)


@pytest.mark.parametrize("way", ["handler", "handler-in-thread"])
def test_handler_that_such_a_loop_calls_is_told(way: str, hits: Path) -> None:
    events = run_poller(way, hits)
    assert len(blocks(events)) == 2, describe(events)
    for block in blocks(events):
        frame = first_frame_in(block, POLLER.name)
        assert frame and frame["function"] == "handles"


def test_waits_of_such_a_loop_are_told_where_the_user_names_it(hits: Path) -> None:
    events = run_poller("here", hits, "main")
    assert len(blocks(events)) == 3, describe(events)


def test_scheduler_that_preempts_is_silent_wherever_it_works(hits: Path) -> None:
    """It has left the function that waits, and waits there again: that is no loop's turn here."""
    _, events = run_preloaded([PROGRAMS / "preempting"], hits, THRESHOLD="100ms")
    assert of_type(events, "loop"), "it was not seen at all"
    told = [event for event in events if event["type"] in ("block", "inflight", "stall")]
    assert told == [], describe(told)
