# SPDX-License-Identifier: Apache-2.0
"""LOOPHOUND_RATE: so many reports of a thread in each window of time, and the rest is counted."""

from __future__ import annotations

import time
from pathlib import Path

from harness import blocks, read_events, started, wait_for_event, wait_until
from test_faults import Turns, turning

PER_SECOND = 3


def test_each_second_has_its_own_reports_and_the_rest_is_counted(hits: Path) -> None:
    argv, environment, pipes = turning(OUTPUT=str(hits), RATE=f"{PER_SECOND}/s")
    begin = time.monotonic()
    with started(argv, environment, **pipes) as process:
        turns = Turns(process)

        def reports_of_three_seconds() -> bool:
            turns.block(PER_SECOND)
            return len(blocks(read_events(hits))) > 2 * PER_SECOND

        wait_until("more reports than two seconds have", reports_of_three_seconds)
        turns.block(2 * PER_SECOND)  # the rate lets half of these through at most
        turns.end()
        seconds_at_most = time.monotonic() - begin + 2  # what is begun or ended, at both ends
        summary = wait_for_event(hits, "summary", process.pid)
    told = len(blocks(read_events(hits)))
    assert told <= PER_SECOND * seconds_at_most
    assert summary["dropped"] > 0
    assert told + summary["dropped"] == summary["blocks"] == turns.blocks
