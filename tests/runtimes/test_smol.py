# SPDX-License-Identifier: Apache-2.0
"""Rust: smol, which parks by inline system calls: its loops are found by what they wait in.

Its threads take turns at one epoll set; who has no turn is idle, and that is not told.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from crates import build_crate
from harness import of_type, read_events, wait_for_event, wait_until
from watched import (
    CLEAN_THRESHOLD,
    Fifo,
    assert_nothing_reported,
    expect_line,
    finish,
    has_function,
    say,
    the_block,
    wait_until_blocked,
    watched,
)

FOUND = pytest.mark.parametrize("flags", [(), ("--loop", "main")])


def is_found(hits: Path) -> bool:
    """The loop that runs the task is the main thread's."""
    return any(event["tid"] == event["pid"] for event in of_type(read_events(hits), "loop"))


@pytest.fixture(scope="session")
def loops() -> Path:
    return build_crate("smol")


@FOUND
def test_waiting_as_smol_means_it_is_silent(
    flags: tuple[str, ...], loops: Path, hits: Path, fifo: Fifo
) -> None:
    with watched(hits, [loops, "free", fifo.path], CLEAN_THRESHOLD, flags) as process:
        expect_line(process, "turned")
        wait_for_event(hits, "loop")
        say(process)
        expect_line(process, "free")
        fifo.give()
        assert_nothing_reported(finish(process, hits))


@FOUND
def test_reading_a_file_in_a_task_is_named(
    flags: tuple[str, ...], loops: Path, hits: Path, fifo: Fifo
) -> None:
    with watched(hits, [loops, "file", fifo.path], flags=flags) as process:
        expect_line(process, "turned")
        wait_until("the main thread's loop", lambda: is_found(hits))
        say(process)
        stuck = wait_until_blocked(hits)
        fifo.give()
        block = the_block(finish(process, hits))
    assert (block["call"], block["group"]) == ("read", "file")
    assert (stuck["id"], stuck["resource"]["path"]) == (block["id"], str(fifo.path))
    assert has_function(block, "blocking_file")
