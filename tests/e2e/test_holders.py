# SPDX-License-Identifier: Apache-2.0
"""Who has what a loop thread waits for: the owner of a lock, the holder of the GIL, a deadlock."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from harness import (
    EMULATED,
    PROGRAMS,
    PYTHON,
    ROOT,
    blocks,
    clean_environment,
    describe,
    first_frame_in,
    functions,
    of_type,
    preload_environment,
    read_events,
    run_preloaded,
    started,
    wait_for_event,
)

pytestmark = pytest.mark.alone

HOLDERS = PROGRAMS / "holders"
APP = ROOT / "tests" / "programs" / "python" / "stalls.py"


@pytest.mark.parametrize("way", ["mutex", "rwlock"])
def test_owner_of_a_lock_is_named_with_its_stack(way: str, hits: Path) -> None:
    done, events = run_preloaded([HOLDERS, way], hits)
    assert done.stdout == "done\n"
    (block,) = blocks(events)
    holder = block["holder"]
    assert holder["thread"] == "keeper"
    assert holder["tid"] != block["tid"]
    assert not holder["deadlock"]
    assert not holder["running"]
    assert "sleep_600_ms" in functions(holder), describe(events)
    assert of_type(events, "inflight")[0]["holder"]["tid"] == holder["tid"]


def test_holder_that_computes_is_named_and_said_to_run(hits: Path) -> None:
    """Nobody interrupts a thread that runs no loop, so there is no stack of it to be had."""
    _, events = run_preloaded([HOLDERS, "running"], hits)
    (block,) = blocks(events)
    assert block["call"] == "pthread_mutex_lock"
    assert (block["holder"]["thread"], block["holder"]["running"]) == ("keeper", True)
    assert block["holder"]["stack"] == []


def test_two_threads_that_wait_for_each_other_are_a_deadlock(hits: Path) -> None:
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="50ms")
    with started([HOLDERS, "deadlock"], environment):
        event = wait_for_event(hits, "inflight")
    assert event["holder"]["thread"] == "keeper"
    assert event["holder"]["deadlock"]
    assert "hold_for_ever" in functions(event["holder"])


@pytest.mark.parametrize(
    ("way", "call", "function"),
    [
        ("mutex", "pthread_mutex_lock", "wait_for_mutex"),
        ("recv", "recv", "wait_in_recv"),
        ("fifo", "read", "wait_in_read"),
    ],
)
def test_loop_that_is_stuck_for_ever_is_told_at_once_and_not_disturbed(
    way: str, call: str, function: str, hits: Path, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    argv: list[str | Path] = [PROGRAMS / "stuck", way, fifo]
    with started(argv, clean_environment(), stdin=subprocess.PIPE) as process:
        as_ever = process.communicate("x", timeout=60)
    environment = preload_environment(OUTPUT=str(hits))
    with started(argv, environment, stdin=subprocess.PIPE) as process:
        event = wait_for_event(hits, "inflight")
        assert process.poll() is None
        assert process.communicate("x", timeout=60) == as_ever
    assert (event["call"], function in functions(event)) == (call, True), describe([event])
    assert 100 <= event["duration_ms"] < 1000
    if way == "mutex":
        assert event["holder"]["thread"] == "keeper"
        assert "keep_until_told" in functions(event["holder"])
    else:
        assert event["holder"] is None


def test_nobody_is_named_who_may_signal_a_condition(hits: Path) -> None:
    _, events = run_preloaded([HOLDERS, "condition"], hits)
    (block,) = blocks(events)
    assert block["call"] == "pthread_cond_wait"
    assert block["holder"] is None


def test_holder_of_the_gil_is_named_with_its_line(hits: Path) -> None:
    done, _ = run_preloaded([PYTHON, APP, "gil"], hits)
    stalls = of_type(read_events(hits), "stall")
    assert len(stalls) == 1 or EMULATED  # whose start may be another one
    stall = next(stall for stall in stalls if stall["holder"])
    assert stall["holder"]["tid"] != stall["tid"]
    assert stall["holder"]["thread"] == "scorer"
    frame = first_frame_in(stall["holder"], "stalls.py")
    assert frame and frame["function"] == "keep_the_gil"
    assert frame["line"] == int(done.stdout.split()[0])
