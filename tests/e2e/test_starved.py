# SPDX-License-Identifier: Apache-2.0
"""What a busy machine does to a call: it makes none a block that cannot wait, and hides none."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import (
    PROGRAMS,
    PYTHON,
    Event,
    blocks,
    describe,
    of_type,
    preload_environment,
    read_events,
    run_preloaded,
    started,
    wait_until,
)

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


# A block of so many seconds for each line of standard input.
NAPS = """
import asyncio, sys, time
async def main():
    await asyncio.sleep(0)
    for line in sys.stdin:
        await asyncio.sleep(0)
        time.sleep(float(line))
        print("done", flush=True)
asyncio.run(main())
"""
BUSY = "while True: pass"


def watchdog_of(process: subprocess.Popen[str]) -> int:
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        if (task / "comm").read_text() == "loophound\n":
            return int(task.name)
    raise AssertionError("it has no watchdog")


@contextmanager
def starved_watchdog(process: subprocess.Popen[str]) -> Iterator[None]:
    """It has the processor when nobody else wants it, sched(7), and somebody always does."""
    cpu = min(os.sched_getaffinity(0))
    watchdog = watchdog_of(process)
    with subprocess.Popen([PYTHON, "-c", BUSY]) as busy:
        try:
            for thread in (busy.pid, watchdog):
                os.sched_setaffinity(thread, {cpu})
            os.sched_setscheduler(watchdog, os.SCHED_IDLE, os.sched_param(0))
            yield
        finally:
            busy.kill()


def test_blocks_are_told_though_the_watchdog_has_no_processor(hits: Path) -> None:
    """Not all of them: it has to have come late before it knows."""
    options = {"THRESHOLD": "20ms", "STALL": "off", "RATE": "off", "CALLS": "sleep"}
    environment = preload_environment(OUTPUT=str(hits), **options)
    pipes = {"stdin": subprocess.PIPE}
    with started([PYTHON, "-c", NAPS], environment, **pipes) as process:

        def nap(seconds: float) -> None:
            assert process.stdin and process.stdout
            process.stdin.write(f"{seconds}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "done\n"

        def told_when_starved() -> bool:
            nap(0.05)
            return len(blocks(read_events(hits))) >= 5

        nap(0.05)
        wait_until("the first block", lambda: blocks(read_events(hits)))
        with starved_watchdog(process):
            wait_until("five blocks", told_when_starved)
            for _ in range(20):
                nap(0.2)
        process.communicate(timeout=60)
    told = [block for block in blocks(read_events(hits)) if block["duration_ms"] >= 190]
    assert len(told) >= 18, describe(told)
