# SPDX-License-Identifier: Apache-2.0
"""Loops that leave calls by jumps and exceptions, handle signals in them, and switch stacks."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from harness import (
    EMULATED,
    LIBRARY,
    PROGRAMS,
    Event,
    blocks,
    describe,
    functions,
    met_again,
    of_type,
    preload_environment,
    read_events,
    stalls_of,
    started,
    wait_for_event,
    wait_until,
)
from manners import same_both_ways

CANCELLATION = PROGRAMS / "cancellation"
CONTEXTS = PROGRAMS / "contexts"


@pytest.mark.parametrize("way", ["call", "park", "storm"])
def test_block_after_a_jump_is_told_and_what_was_jumped_out_of_soon_is_not(
    way: str, hits: Path
) -> None:
    """It is further in on the stack: as if it were part of the call that was left."""
    _, events = same_both_ways([CONTEXTS, way], hits, THRESHOLD="140ms")
    (block,) = blocks(events)
    assert block["call"] == "nanosleep", describe(events)
    assert functions(block).count("block_further_in") == 9, describe([block])
    assert 140 < block["duration_ms"] < 5000
    # An emulated iteration's start may be told, too.
    told = [e for e in of_type(events, "inflight") if e["call"] is not None or not EMULATED]
    assert {event["id"] for event in told} <= {block["id"]}


@pytest.mark.parametrize("threshold", ["20ms", "1ms"])  # marked calls, and all of them, are timed
@pytest.mark.parametrize(
    ("argv", "call"),
    [([CONTEXTS, "long-call"], "nanosleep"), ([CANCELLATION, "long"], "read")],
    ids=["jumped out of", "cancelled"],
)
def test_call_that_was_told_in_flight_and_is_left_has_its_end(
    argv: list[str | Path], call: str, threshold: str, hits: Path
) -> None:
    def told() -> Event | None:
        # Not the iteration's: its start may take a millisecond, too.
        in_flight = [e for e in of_type(read_events(hits), "inflight") if e["call"] == call]
        return in_flight[0] if in_flight else None

    environment = preload_environment(OUTPUT=str(hits), THRESHOLD=threshold)
    with started(argv, environment) as process:
        in_flight = wait_until(f"{call} in flight", told)
        process.send_signal(signal.SIGUSR1)
        assert process.wait(timeout=60) == 0
        summary = wait_for_event(hits, "summary", process.pid)
    events = read_events(hits)
    (block,) = (event for event in blocks(events) if event["call"] == call)
    assert block["id"] == in_flight["id"], describe(events)
    assert block["errno"] is None
    assert block["duration_ms"] >= in_flight["duration_ms"]
    assert functions(block) == functions(in_flight)
    counted = {row["call"]: row["count"] for row in summary["by_call"]}
    assert counted[call] == 1 and summary["blocks"] == len(blocks(events))


def test_jump_within_a_handler_leaves_no_call(hits: Path) -> None:
    """The sleep that was interrupted is told, and the next one."""
    _, events = same_both_ways([CONTEXTS, "within"], hits)
    assert [block["call"] for block in blocks(events)] == ["nanosleep"] * 2, describe(events)
    assert [block["errno"] for block in blocks(events)] == ["EINTR", None]


@pytest.mark.parametrize("way", ["handler", "own-stack"])
def test_calls_of_nested_handlers_are_part_of_the_call_they_interrupt(way: str, hits: Path) -> None:
    """Of the four reads in which there is one, two wait long, and nothing else does."""
    _, events = same_both_ways([CONTEXTS, way], hits, THRESHOLD="300ms")
    assert [block["call"] for block in blocks(events)] == ["read"] * 2, describe(events)
    assert [block["errno"] for block in blocks(events)] == ["EAGAIN"] * 2
    assert all("handle_inside_a_call" in functions(block) for block in blocks(events))


@pytest.mark.parametrize("way", ["handler", "own-stack"])
def test_strict_mode_counts_the_interrupted_calls_once(way: str, hits: Path) -> None:
    _, events = same_both_ways([CONTEXTS, way], hits, STRICT="on", THRESHOLD="3600s")
    (summary,) = of_type(events, "summary")
    counts = {row["call"]: row["count"] for row in summary["by_call"]}
    assert counts["read"] == 4, counts
    assert summary["blocks"] == len(blocks(events)) + met_again(events) + summary["dropped"]


def test_block_of_a_handler_inside_the_park_is_told(hits: Path) -> None:
    _, events = same_both_ways([CONTEXTS, "in-park"], hits)
    (block,) = blocks(events)
    assert functions(block)[:2] == ["sleep_ms", "block_in_handler"], describe(events)
    assert 140 < block["duration_ms"] < 5000
    assert stalls_of(events) == []


def test_blocks_on_contexts_have_the_stack_of_the_context(hits: Path) -> None:
    _, events = same_both_ways([CONTEXTS, "ucontext"], hits)
    first, second = blocks(events)
    assert functions(first)[:2] == ["sleep_ms", "block_on_a_context"], describe([first])
    assert functions(second)[:2] == ["sleep_ms", "block_further_in"], describe([second])


def test_blocks_on_stacks_of_the_programs_own_have_their_frames(hits: Path) -> None:
    _, events = same_both_ways([CONTEXTS, "assembly"], hits)
    first, second, third = blocks(events)
    frames = ["sleep_ms", "block_further_in", "block_further_in", "coroutine"]
    assert functions(first) == functions(second) == frames, describe([first, second])
    assert "block_on_own_stacks" in functions(third), "and those of the loop's, after it"


def test_blocks_after_exceptions_and_cancelled_frames_of_cxx_are_told(hits: Path) -> None:
    """What leaves scandir(3) by an exception leaves a call of ours."""
    out, events = same_both_ways([PROGRAMS / "host"], hits, beside=PROGRAMS / "thrown.so")
    assert out.splitlines() == [
        "scandir threw, 2 destroyed",
        "qsort threw, 2 destroyed",
        "cancelled, 5 destroyed",
    ]
    found = [block for block in blocks(events) if block["call"] == "nanosleep"]
    assert len(found) == 3, describe(events)
    assert all("block_further_in" in functions(block)[0] for block in found)


def test_own_wait_at_the_end_is_no_stall(hits: Path) -> None:
    """The last iteration goes on while the library waits for the collector, which starts late."""
    slow = hits.parent / "slow-collector"
    command = LIBRARY.parent / "loophound"
    slow.write_text(f"#!/bin/sh\nsleep 0.06\nexec '{command}' collector\n")
    slow.chmod(0o755)
    _, events = same_both_ways(
        [CONTEXTS, "storm"], hits, COLLECTOR=str(slow), CALLS="sleep", THRESHOLD="20ms"
    )
    assert len(blocks(events)) == 1, describe(events)
    stalls = of_type(events, "inflight") + of_type(events, "stall")
    stacks = [stack for event in stalls for stack in [event, *event.get("samples", [])]]
    assert not any("wait_for_reader" in functions(stack) for stack in stacks), describe(stalls)


@pytest.mark.parametrize("way", ["fork-jump", "fork-exit"])
def test_loop_is_watched_again_when_a_fork_was_left_without_returning(way: str, hits: Path) -> None:
    """fork(2) stops the watchdog, which alone can tell a call that has not come back."""

    def is_told() -> bool:
        told = of_type(read_events(hits), "inflight")
        return any("block_until_told" in functions(event) for event in told)

    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="20ms")
    with started([CONTEXTS, way], environment, stdin=subprocess.PIPE) as process:
        wait_until("its call", is_told)
        process.communicate("go on\n", timeout=60)
        assert process.returncode == 0
