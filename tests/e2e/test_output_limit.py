# SPDX-License-Identifier: Apache-2.0
"""LOOPHOUND_OUTPUT_LIMIT: so many bytes a second to an output, and the rest is said and counted."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from harness import (
    COMMAND,
    PYTHON,
    Event,
    blocks,
    clean_environment,
    of_type,
    read_events,
    run_command,
    run_preloaded,
    started,
    wait_until,
)

KIB = 1 << 10
FLOOD: dict[str, Any] = {
    "STRICT": "on",
    "PLACES": "each",
    "CALLS": "sleep",
    "RATE": "off",
    "THRESHOLD": "3600s",
}

# Each sleep is a report. All that are in the ring are read now and then, so that it loses none.
NAPS = """
import asyncio, ctypes, sys, time
flush = ctypes.CDLL(None).loophound_flush
async def main():
    for turn in range(int(sys.argv[1])):
        time.sleep(0.0001)
        if turn % 8 == 0:
            flush()
        await asyncio.sleep(0)
asyncio.run(main())
"""


def counted(events: list[Event], pid: int) -> tuple[int, int, int]:
    """Blocks of a process: told, dropped, and all."""
    (summary,) = (line for line in of_type(events, "summary") if line["pid"] == pid)
    told = [block for block in blocks(events) if block["pid"] == pid]
    return len(told), summary["dropped"], summary["blocks"]


@pytest.mark.parametrize(
    "form", [{"STACKS": "once"}, {"STACKS": "inline"}, {"COLLECTOR": "none"}], ids=str
)
def test_no_more_is_written_than_the_limit_and_the_rest_is_counted(
    form: dict[str, Any], hits: Path
) -> None:
    """Each stack that an event names stands before it: read_events() looks for all of them."""
    begin = time.monotonic()
    done, events = run_preloaded(
        [PYTHON, "-c", NAPS, "400"], hits, OUTPUT_LIMIT="8KiB/s", **FLOOD, **form
    )
    seconds = time.monotonic() - begin
    told, dropped, all_of_them = counted(events, events[0]["pid"])
    assert (events[0]["type"], events[-1]["type"]) == ("start", "summary")
    assert len(of_type(events, "loop")) == 1
    assert told > 0 and dropped > 0
    assert told + dropped == all_of_them
    longest = max(len(line) for line in hits.read_text().splitlines())
    assert hits.stat().st_size < 8 * KIB * (seconds + 1) + 16 * longest
    if "COLLECTOR" not in form:
        (line,) = done.stderr.splitlines()
        assert line == (
            f"loophound: more than 8192 bytes a second for {hits} (LOOPHOUND_OUTPUT_LIMIT): "
            "what is over it is left out, and counted as dropped"
        )


def test_without_a_limit_all_is_written(hits: Path) -> None:
    _, events = run_preloaded([PYTHON, "-c", NAPS, "400"], hits, OUTPUT_LIMIT="off", **FLOOD)
    told, dropped, all_of_them = counted(events, events[0]["pid"])
    assert (told, dropped) == (all_of_them, 0)


def run_limited(limit: str, output: Path) -> subprocess.CompletedProcess[str]:
    naps = [PYTHON, "-c", NAPS, "400"]
    return run_command("run", "--output-limit", limit, "-o", output, "--", *naps, **FLOOD)


def test_last_line_of_run_counts_what_was_left_out(hits: Path) -> None:
    done = run_limited("8K/s", hits)
    assert done.returncode == 98  # strict mode, and reports were lost
    assert done.stderr.count("LOOPHOUND_OUTPUT_LIMIT") == 1
    told, dropped, all_of_them = counted(events := read_events(hits), events[0]["pid"])
    last = re.search(r"(\d+) blocks, \d+ stalls?, (\d+) dropped$", done.stderr.strip())
    assert last, done.stderr
    assert (int(last[1]), int(last[2])) == (all_of_them, dropped)
    assert dropped == all_of_them - told > 0


def test_text_points_to_no_report_that_was_left_out(tmp_path: Path) -> None:
    text = tmp_path / "hits.txt"
    run_limited("1K/s", text)
    shown = set(re.findall(r"  #(\d+)$", text.read_text(), re.MULTILINE))
    named = set(re.findall(r", as #(\d+)$", text.read_text(), re.MULTILINE))
    assert shown and named <= shown
    assert re.search(r"; [1-9]\d* reports dropped$", text.read_text(), re.MULTILINE)


TOLD_TO = """
import asyncio, sys, time
async def main():
    await asyncio.sleep(0)
    for line in sys.stdin:
        time.sleep(0.0001)
        await asyncio.sleep(0)
asyncio.run(main())
"""


def test_a_flood_of_one_program_leaves_another_ones_reports_alone(hits: Path) -> None:
    script = f"'{PYTHON}' -c \"$NAPS\" 2000000 </dev/null & '{PYTHON}' -c \"$TOLD_TO\"; kill $!"
    command = [str(COMMAND), "run", "--output-limit", "64K/s", "-o", str(hits)]
    environment = {**clean_environment(**FLOOD), "NAPS": NAPS, "TOLD_TO": TOLD_TO}
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with started([*command, "--", "sh", "-c", script], environment, **pipes) as process:
        assert process.stdin
        wait_until("the flood", lambda: hits.exists() and hits.stat().st_size > 128 * KIB)
        for _ in range(20):
            process.stdin.write("\n")
            process.stdin.flush()
            time.sleep(0.1)  # it has 32 KiB a second
        process.communicate(timeout=60)
    events = read_events(hits)
    counts = [counted(events, start["pid"]) for start in of_type(events, "start")]
    assert len(counts) == 2 and (20, 0, 20) in counts, counts
    assert max(dropped for _, dropped, _ in counts) > 0
