#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the whole report of a block in a coroutine costs the loop's thread: where it is, the stack
of some 34 Python frames and of C, the record.

Programs that sleep in a coroutine run in turns: alone, with the library, with a second build if one
is given, to compare with, and with no stacks. Printed is the processor time that a sleep took more
than one of the program alone in the same turn: the least and the median sleep of each, the median
of all turns. On a busy machine, where a sleep ends with cold caches, the least says more. `make
bench`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from figures import median, tell

ROOT = Path(__file__).resolve().parents[2]
PYTHON = shutil.which("python3", path="/usr/bin") or "python3"
TURNS = 5
SLEEPS = 100

SLEEPER = """
import asyncio, statistics, sys, time
took_us = []
def call(depth):
    if depth:
        return call(depth - 1)
    before = time.thread_time_ns()
    time.sleep(.0115)
    took_us.append((time.thread_time_ns() - before) / 1000)
async def wait(depth):
    if depth:
        return await wait(depth - 1)
    call(19)
async def main():
    for _ in range(int(sys.argv[1])):
        await wait(6)
        await asyncio.sleep(.001)
asyncio.run(main())
print(min(took_us), statistics.median(took_us))
"""


class Cost(NamedTuple):
    least_us: float
    median_us: float


def run(variables: dict[str, str]) -> Cost:
    done = subprocess.run(
        [PYTHON, "-c", SLEEPER, str(SLEEPS)],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return Cost(*map(float, done.stdout.split()))


def ways(builds: list[Path]) -> dict[str, dict[str, str]]:
    options = {
        "LOOPHOUND_THRESHOLD": "10ms",
        "LOOPHOUND_RATE": "off",
        "LOOPHOUND_OUTPUT": os.devnull,
    }
    reports = {
        f"a report ({build.name})": {"LD_PRELOAD": str(build / "libloophound.so"), **options}
        for build in builds
    }
    first = next(iter(reports.values()))
    return {**reports, "one without a stack": {**first, "LOOPHOUND_STACK": "0"}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--other", type=Path, help="a second build, to compare with")
    parser.add_argument("--turns", type=int, default=TURNS)
    given = parser.parse_args()
    builds = [build.resolve() for build in (given.build, given.other) if build is not None]
    more: dict[str, list[Cost]] = {way: [] for way in ways(builds)}
    for _ in range(given.turns):
        alone = run({})
        for way, variables in ways(builds).items():
            cost = run(variables)
            more[way].append(Cost(*(a - b for a, b in zip(cost, alone, strict=True))))
    for way, costs in more.items():
        least, middle = (median(part) for part in zip(*costs, strict=True))
        tell("event_python", least, way)
        tell("event_python_median", middle, way)


if __name__ == "__main__":
    main()
