#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the library and `run` add to the time from a program's start to its end.

Each program runs in turns: alone, with the library, under `run`. Printed are the medians and what
they are more than alone, in ms. A second build may be given, to compare with. `make bench`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

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


def ways(build: Path, argv: list[str]) -> dict[str, tuple[list[str], dict[str, str]]]:
    """The ways to start a program: what it is called, the command and its environment."""
    preload = {**os.environ, "LD_PRELOAD": str(build / "libloophound.so")}
    return {
        "with the library": (argv, preload),
        "under run": ([str(build / "loophound"), "run", "--", *argv], dict(os.environ)),
    }


def time_ms(argv: list[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(argv, env=environment, stderr=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1000


def measure(name: str, builds: list[Path], pairs: int) -> None:
    found: dict[tuple[str, Path | None], list[float]] = {}
    for _ in range(pairs):
        found.setdefault(("alone", None), []).append(time_ms(PROGRAMS[name], dict(os.environ)))
        for build in builds:
            for way, (argv, environment) in ways(build, PROGRAMS[name]).items():
                found.setdefault((way, build), []).append(time_ms(argv, environment))
    alone = statistics.median(found[("alone", None)])
    print(f"  {name:28} alone {alone:6.1f} ms", end="")
    for (way, of), costs in found.items():
        if of is not None:
            what = f"{way} ({of.parent.name})" if len(builds) > 1 else way
            print(f"; {what} {statistics.median(costs) - alone:+5.1f}", end="")
    print(flush=True)


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
