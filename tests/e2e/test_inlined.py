# SPDX-License-Identifier: Apache-2.0
"""Loops that park by system calls of their own, past libc: found by what their threads wait in.

Each of its ways to park; what holds it is told, what only looks like that is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from harness import (
    ARM,
    COMMAND,
    PATIENCE_S,
    PROGRAMS,
    READ_NUMBER,
    Event,
    blocks,
    clean_environment,
    describe,
    functions,
    of_type,
    read_events,
    stalls_of,
    started,
    told_in_flight,
    wait_for_event,
)

INLINED = PROGRAMS / "inlined"
# 64-bit Arm has no epoll_wait: what would be it is epoll_pwait there.
CALLS = ["epoll_wait", "epoll_pwait", "epoll_pwait2"][ARM:]
every_call = pytest.mark.parametrize("call", CALLS)


@contextmanager
def watched(hits: Path, *words: str, flags: Sequence[str] = ()) -> Iterator[Popen[str]]:
    command: list[str | Path] = [COMMAND, "run", "-t", "100ms", *flags, "-o", hits, "--"]
    command += [INLINED, *words]
    with started(command, clean_environment(), stdin=PIPE, stderr=PIPE) as process:
        yield process


def say(process: Popen[str], line: str = "go\n") -> None:
    assert process.stdin
    process.stdin.write(line)
    process.stdin.flush()


def finish(process: Popen[str], hits: Path) -> tuple[list[Event], str]:
    """It ends at the end of its input."""
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    return read_events(hits), errors


def computing_can_be_seen(errors: str) -> None:
    if "lets nobody see" in errors:
        pytest.skip("the kernel gives no breakpoint here")


def reported(events: list[Event]) -> list[Event]:
    return blocks(events) + stalls_of(events) + told_in_flight(events)


@every_call
def test_libc_call_in_its_handler_is_a_block(call: str, hits: Path) -> None:
    with watched(hits, call, "sleeps") as process:
        loop = wait_for_event(hits, "loop")
        say(process)
        block = wait_for_event(hits, "block")
        events, _ = finish(process, hits)
    assert (loop["how"], loop["fd"] is not None) == (call, True)
    assert block["call"] in ("nanosleep", "clock_nanosleep")
    assert functions(block)[0] == "sleep_ms"
    assert len(blocks(events)) == 1 and len(of_type(events, "loop")) == 1, describe(events)


@every_call
def test_wait_past_libc_in_its_handler_is_told_while_it_lasts(call: str, hits: Path) -> None:
    with watched(hits, call, "reads") as process:
        wait_for_event(hits, "loop")
        say(process)
        going_on = wait_for_event(hits, "inflight")
        say(process)
        stall = wait_for_event(hits, "stall")
        events, _ = finish(process, hits)
    for event in (going_on, stall):
        assert event["id"] == going_on["id"]
        assert event["system_call"] == {"number": READ_NUMBER, "name": "read"}
        assert event["resource"]["fd"] == 0
    assert "run" in functions(going_on)
    assert len(of_type(events, "stall")) == 1 and blocks(events) == [], describe(events)


@every_call
def test_computing_in_its_handler_is_a_stall(call: str, hits: Path) -> None:
    with watched(hits, call, "computes") as process:
        wait_for_event(hits, "loop")
        say(process)
        events, errors = finish(process, hits)
    computing_can_be_seen(errors)
    (stall,) = of_type(events, "stall")
    assert stall["ended"] and stall["system_call"] is None
    sampled = [frame["function"] for sample in stall["samples"] for frame in sample["stack"]]
    assert "compute" in sampled, (stall, describe(events))


@pytest.mark.parametrize("handler", ["busy", "polls"])
@every_call
def test_many_short_iterations_are_no_stall(call: str, handler: str, hits: Path) -> None:
    """It is never seen to park, for something is always ready, or it only looks."""
    with watched(hits, call, handler) as process:
        wait_for_event(hits, "loop")
        say(process)
        events, _ = finish(process, hits)
    assert reported(events) == [], describe(reported(events))


def test_waiting_for_an_answer_makes_no_loop(hits: Path) -> None:
    """Its set holds nothing that could wake a loop. Another thread's does, and is found."""
    with watched(hits, "epoll_pwait", "client-sleeps") as process:
        wait_for_event(hits, "loop")
        say(process)
        events, _ = finish(process, hits)
    assert reported(events) == [], describe(reported(events))
    assert [loop["thread"] for loop in of_type(events, "loop")] == ["another"]


def test_thread_that_is_not_wanted_is_not_watched(hits: Path) -> None:
    with watched(hits, "epoll_pwait", "sleeps", flags=("--loop", "nobody")) as process:
        say(process)
        events, _ = finish(process, hits)
    assert reported(events) == [] and of_type(events, "loop") == []


def test_named_thread_is_known_to_be_parked(hits: Path) -> None:
    """Its waits for events are none of its calls, nor is an iteration before the first of them."""
    with watched(hits, "epoll_pwait", "sleeps", flags=("--loop", "main")) as process:
        (loop,) = [wait_for_event(hits, "loop")]
        say(process)
        wait_for_event(hits, "block")
        events, _ = finish(process, hits)
    assert loop["how"] == "main"
    assert [block["group"] for block in blocks(events)] == ["sleep"]
    assert stalls_of(events) == []
