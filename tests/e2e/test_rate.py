# SPDX-License-Identifier: Apache-2.0
"""LOOPHOUND_RATE: so many reports of a thread in each window of time, and the rest is counted."""

from __future__ import annotations

import time
from pathlib import Path

from harness import (
    COMMAND,
    PYTHON,
    blocks,
    clean_environment,
    read_events,
    started,
    wait_for_event,
    wait_until,
)
from test_faults import Turns, turning

PER_SECOND = 3
SHORT_ONES = 700
REPORTS_LOST = 98  # the status of `run`

# A wait of 0.3 s behind many short reads of a file, all of which strict mode tells call by call.
FLOOD = f"""
import asyncio, os, socket, threading
async def main():
    ours, theirs = socket.socketpair()
    file = os.open("/etc/passwd", os.O_RDONLY)
    for _ in range({SHORT_ONES}):
        os.pread(file, 1, 0)
    threading.Timer(0.3, lambda: theirs.send(b"x")).start()
    ours.recv(1)
asyncio.run(main())
"""


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


def test_what_lasts_is_not_left_out_for_what_does_not(hits: Path) -> None:
    options = ["--strict", "--places", "each", "--noise", "none", "--rate", "60/h", "-o", str(hits)]
    with started(
        [str(COMMAND), "run", *options, "--", PYTHON, "-c", FLOOD], clean_environment()
    ) as run:
        assert run.wait(timeout=60) == REPORTS_LOST
    events = read_events(hits)
    told = blocks(events)
    summary = wait_for_event(hits, "summary")
    assert [block["ended"] for block in told if block["call"] == "recv"][-1:] == [True]
    assert 0 < sum(block["call"].startswith("pread") for block in told) < SHORT_ONES
    assert summary["dropped"] > 0
