"""Threads that are cancelled in the middle of calls and parks."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import PROGRAMS, blocks, describe, functions, of_type
from manners import same_both_ways

CANCELLATION = PROGRAMS / "cancellation"


@pytest.mark.parametrize("strict", ["off", "on"])
def test_every_cancellation_point_is_one_still(strict: str, hits: Path) -> None:
    """In each of them a thread is cancelled four times, twice of these on a loop."""
    out, events = same_both_ways([CANCELLATION, "all"], hits, STRICT=strict, RATE="off")
    lines = out.splitlines()
    assert len(lines) == 4 * 41
    assert all(line.endswith(": cleaned up 1, mutex held") for line in lines), out
    # Two of the calls make a loop thread of one elsewhere.
    (summary,) = of_type(events, "summary")
    assert summary["loops"] == len(lines) // 2 + 2 * 2


def test_block_after_a_cancelled_call_or_park_is_told_and_the_call_is_not(hits: Path) -> None:
    """In the cleanup handler, which runs further in on the stack than the call did."""
    _, events = same_both_ways([CANCELLATION, "cleanup"], hits)
    found = blocks(events)
    assert [block["call"] for block in found] == ["nanosleep"] * 2, describe(events)
    assert all("block_in_cleanup" in functions(block) for block in found), describe(found)
    assert all(140 < block["duration_ms"] < 1000 for block in found), describe(found)
    assert all("block_in_cleanup" in functions(event) for event in of_type(events, "inflight"))


def test_asynchronous_cancellation_in_the_middle_of_reports_loses_none(hits: Path) -> None:
    _, events = same_both_ways([CANCELLATION, "storm"], hits, STRICT="on", RATE="off")
    (summary,) = of_type(events, "summary")
    assert summary["loops"] == 200
    assert summary["blocks"] == len(blocks(events)) + summary["dropped"]
    assert len({event["id"] for event in blocks(events)}) == len(blocks(events))
