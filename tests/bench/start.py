#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the library and `run` add to the time from a program's start to its end.

Each program runs in turns: alone, with the library, under `run`. Told is the median, of all
turns, of what a way took more than the program alone in the same turn, in ms: on the clock, and of
processor time with that of all that it waited for. On a busy machine the latter says more. A second
build may be given, to compare with. `make bench`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import time
from pathlib import Path
from typing import NamedTuple

from figures import Figure, median, tell

ROOT = Path(__file__).resolve().parents[2]
PAIRS = 200
# Not the `python3` of a version manager, which starts a dozen programs first.
PYTHON = shutil.which("python3", path="/usr/bin") or "python3"
ASYNCIO = "import asyncio; asyncio.run(asyncio.sleep(0))"
BLOCKS = "import asyncio, time\nasync def main(): time.sleep(.12)\nasyncio.run(main())"
PROGRAMS = {
    "/bin/true": ["/bin/true"],
    "python3 -c pass": [PYTHON, "-c", "pass"],
    "an asyncio program": [PYTHON, "-c", ASYNCIO],
    "one with a block of 120 ms": [PYTHON, "-c", BLOCKS],
}
PROMISED = {"/bin/true": "start_run", "python3 -c pass": "start_run_python"}
QUIET = [
    (os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0)  # what they print is nobody's
    for number in (1, 2)
]


class Cost(NamedTuple):
    clock_ms: float
    cpu_ms: float


def ways(build: Path, argv: list[str]) -> dict[str, tuple[list[str], dict[str, str]]]:
    """The ways to start a program: what it is called, the command and its environment."""
    preload = {**os.environ, "LD_PRELOAD": str(build / "libloophound.so")}
    return {
        "with the library": (argv, preload),
        "under run": ([str(build / "loophound"), "run", "--", *argv], dict(os.environ)),
    }


def run(argv: list[str], environment: dict[str, str]) -> Cost:
    began = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, environment, file_actions=QUIET)
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, argv
    took_ms = (time.perf_counter() - began) * 1000
    return Cost(took_ms, (usage.ru_utime + usage.ru_stime) * 1000)


def turns(
    argv: list[str], builds: list[Path], count: int
) -> tuple[list[Cost], dict[tuple[str, Path], list[Cost]]]:
    alone: list[Cost] = []
    found: dict[tuple[str, Path], list[Cost]] = {}
    for _ in range(count):
        alone.append(run(argv, dict(os.environ)))
        for way in ways(builds[0], argv):
            for build in builds:
                found.setdefault((way, build), []).append(run(*ways(build, argv)[way]))
    return alone, found


def more(costs: list[Cost], alone: list[Cost]) -> tuple[Figure, Figure]:
    """What it took more than the program alone in the same turn: on the clock, and processor."""
    pairs = list(zip(costs, alone, strict=True))
    return (
        median(cost.clock_ms - other.clock_ms for cost, other in pairs),
        median(cost.cpu_ms - other.cpu_ms for cost, other in pairs),
    )


def measure(name: str, builds: list[Path], pairs: int) -> None:
    alone, found = turns(PROGRAMS[name], builds, pairs)
    clock_ms = statistics.median(cost.clock_ms for cost in alone)
    cpu_ms = statistics.median(cost.cpu_ms for cost in alone)
    print(f"  {name}: alone {clock_ms:.2f} ms, {cpu_ms:.2f} of a processor")
    for (way, build), costs in found.items():
        clock, cpu = more(costs, alone)
        of = f", {build.parent.name}" if build != builds[0] else ""
        promised = PROMISED.get(name) if way == "under run" and not of else None
        tell(promised or "start_clock", clock, "" if promised else f"{name} {way}{of}")
        tell("start_cpu", cpu, f"{name} {way}{of}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--with", type=Path, dest="other", help="a second build, in the same turns")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    options = parser.parse_args()
    print(f"start to end, {options.pairs} of each in turns")
    builds = [path.resolve() for path in (options.build, options.other) if path]
    for name in PROGRAMS:
        measure(name, builds, options.pairs)


if __name__ == "__main__":
    main()
