# SPDX-License-Identifier: Apache-2.0
"""The watchdog costs little: it sleeps, and where loops turn all the time they do not wake it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from harness import PYTHON, preload_environment

TICK_S = 0.025  # of the usual threshold

# Parks by the wrapper, `pause` seconds each; says how often the watchdog went to sleep meanwhile.
TURNS = """
import json, pathlib, select, sys, time

def sleeps():
    for task in pathlib.Path("/proc/self/task").iterdir():
        if (task / "comm").read_text() == "loophound\\n":
            status = (task / "status").read_text()
            return int(status.partition("voluntary_ctxt_switches:")[2].split()[0])

turns, pause = int(sys.argv[1]), float(sys.argv[2])
loop = select.epoll()
loop.poll(0.001)
before, began = sleeps(), time.monotonic()
for _ in range(turns):
    loop.poll(pause)
print(json.dumps({"sleeps": sleeps() - before, "seconds": time.monotonic() - began}))
"""


def turn(turns: int, pause: float, hits: Path) -> dict[str, float]:
    done = subprocess.run(
        [PYTHON, "-c", TURNS, str(turns), str(pause)],
        env=preload_environment(OUTPUT=str(hits)),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def test_loop_that_turns_all_the_time_does_not_wake_it_each_time(hits: Path) -> None:
    found = turn(2000, 0.001, hits)
    assert found["sleeps"] <= 2 * found["seconds"] / TICK_S + 20


def test_it_sleeps_while_all_loops_are_parked(hits: Path) -> None:
    """Not even a tick: the looks for loops that no wrapper sees are a few."""
    found = turn(1, 2, hits)
    assert found["sleeps"] < found["seconds"] / TICK_S / 2
