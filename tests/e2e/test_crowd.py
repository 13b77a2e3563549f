# SPDX-License-Identifier: Apache-2.0
"""Many threads that come and go; many processes that come at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import PROGRAMS, PYTHON, blocks, met_again, of_type, read_events, run_command
from manners import same_both_ways

CROWD = PROGRAMS / "crowd_of_threads"


def test_two_thousand_threads_are_counted_exactly(hits: Path) -> None:
    """A quarter of them are loop threads: twice as many as can be at a time."""
    out, events = same_both_ways([CROWD], hits, STRICT="on", RATE="off", THRESHOLD="3600s")
    assert out == "loops 500 calls 500\n"
    (summary,) = of_type(events, "summary")
    assert summary["loops"] == 500
    assert {row["call"]: row["count"] for row in summary["by_call"]} == {"read": 500, "write": 500}
    assert summary["blocks"] == len(blocks(events)) + met_again(events) == 1000


# Each child has a loop, and waits for its parent before it parks for the first time.
MANY = """
import os, select, sys, time
count = int(sys.argv[1])
ours, theirs = os.pipe()
for number in range(count):
    if os.fork() == 0:
        os.close(theirs)
        os.read(ours, 1)
        loop = select.epoll()
        loop.poll(0.2)
        if number == count - 1:
            time.sleep(0.3)
        loop.poll(0)
        os._exit(0)
os.close(theirs)
for number in range(count):
    assert os.wait()[1] == 0
"""


@pytest.mark.alone
def test_processes_that_come_at_the_same_moment_are_all_counted(hits: Path) -> None:
    """More than a queue of connections holds by habit, or descriptors are at hand for."""
    count = 300
    argv = ["--rate", "off", "--fail", "-t", "200ms", "-o", hits, "--", PYTHON, "-c", MANY, count]
    done = run_command("run", *map(str, argv))
    assert done.returncode == 99, done.stderr
    assert f"loophound: {count + 1} processes, {count} loop threads, " in done.stderr
    events = read_events(hits)
    assert "clock_nanosleep" in {block["call"] for block in blocks(events)}
    assert len(of_type(events, "summary")) == count
