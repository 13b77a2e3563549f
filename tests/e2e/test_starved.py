# SPDX-License-Identifier: Apache-2.0
"""What a busy machine does to a call: it makes none a block that cannot wait, and hides none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import PROGRAMS, Event, blocks, describe, of_type, run_preloaded

STARVED = PROGRAMS / "starved"
DEADLINES = PROGRAMS / "deadlines"
THRESHOLD_MS = 10
OVER_MS = THRESHOLD_MS + 1  # the program's own reading is a little outside of ours


def starve(way: str, hits: Path) -> list[Event]:
    argv: list[str | Path] = [STARVED, way, str(OVER_MS)]
    done, events = run_preloaded(argv, hits, THRESHOLD=f"{THRESHOLD_MS}ms", RATE="off")
    assert done.returncode == 0
    if int(done.stdout) == 0:
        pytest.skip("no call lost the processor for long enough here")
    return events


def starved_until(told: Callable[[list[Event]], bool], way: str, hits: Path) -> None:
    """A watchdog that is starved too sees no call to time: it is asked more than once."""
    for attempt in range(8):
        if told(starve(way, hits.with_name(f"{attempt}.jsonl"))):
            return
    pytest.fail("it is never told")


@pytest.mark.parametrize(
    "way, call",
    [("nonblocking", "send"), ("dontwait", "send"), ("passed", "clock_nanosleep")],
)
def test_call_that_cannot_wait_and_loses_the_processor_is_a_stall(
    way: str, call: str, hits: Path
) -> None:
    def told(events: list[Event]) -> bool:
        assert not blocks(events), describe(events)
        items = [item for stall in of_type(events, "stall") for item in stall["calls"]]
        return any(item["call"] == call and item["total_ms"] >= THRESHOLD_MS for item in items)

    starved_until(told, way, hits)


def test_call_that_could_wait_and_loses_the_processor_is_a_block(hits: Path) -> None:
    def told(events: list[Event]) -> bool:
        return "send" in {block["call"] for block in blocks(events)}

    starved_until(told, "blocking", hits)


def test_strict_mode_counts_a_deadline_that_passed_before_the_call(hits: Path) -> None:
    _, events = run_preloaded([DEADLINES, "ahead"], hits, STRICT="on")
    assert [block["call"] for block in blocks(events)] == ["clock_nanosleep"], describe(events)


def test_strict_mode_is_silent_about_a_deadline_that_had_passed_when_asked_for(hits: Path) -> None:
    _, events = run_preloaded([DEADLINES, "passed"], hits, STRICT="on")
    assert not blocks(events), describe(events)
