"""Many threads that come and go."""

from __future__ import annotations

from pathlib import Path

from harness import PROGRAMS, blocks, of_type
from manners import same_both_ways

CROWD = PROGRAMS / "crowd_of_threads"


def test_two_thousand_threads_are_counted_exactly(hits: Path) -> None:
    """A quarter of them are loop threads: twice as many as can be at a time."""
    out, events = same_both_ways([CROWD], hits, STRICT="on", RATE="off", THRESHOLD="3600s")
    assert out == "loops 500 calls 500\n"
    (summary,) = of_type(events, "summary")
    assert summary["loops"] == 500
    assert {row["call"]: row["count"] for row in summary["by_call"]} == {"read": 500, "write": 500}
    assert summary["blocks"] == len(blocks(events)) + summary["dropped"] == 1000
