# SPDX-License-Identifier: Apache-2.0
"""Erlang: schedulers wait for events, but what they run is preempted: nothing blocks a loop."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import describe, of_type
from watched import CLEAN_THRESHOLD, HERE, Fifo, expect_line, finish, watched

PROGRAM = HERE / "other" / "loop_erlang.escript"


@pytest.mark.parametrize("kind", ["free", "compute"])
def test_process_that_takes_long_is_silent(kind: str, hits: Path, fifo: Fifo) -> None:
    with watched(hits, ["escript", PROGRAM, kind, fifo.path], CLEAN_THRESHOLD) as process:
        expect_line(process, "free")
        fifo.give()
        events = finish(process, hits)
    told = [event for event in events if event["type"] in ("block", "inflight", "stall")]
    assert told == [], describe(told)
    assert of_type(events, "summary"), "not one process was watched"
