#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the library costs servers that have little to do: requests that come at a fixed rate.

A loop that waits between requests wakes the watchdog, and whoever wakes somebody pays for it. The
library is switched on and off within one process, as in macro.py, in windows of half a second. Told
are the ratio of the processor time per request, all threads, and of the p99 of the time from when a
request was due to its answer. `make bench-macro`.

    tests/bench/light.py [--build DIR] [--only NAME ...] [--pairs N] [--rates N ...]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import figures
from load import Load, loaded, quantile_us
from macro import SETTLE_S, us_per_request
from servers import BY_NAME, Missing, Server, start
from switch import Switch, SwitchError

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("nginx", "Node http", "libuv")
RATES = (1000, 4000)
PAIRS = 60
WINDOW_S = 0.5


def window(load: Load) -> tuple[float, float]:
    """Of one: us of the processor per request, p99 in us."""
    before = load.read(latencies=True)
    after = load.wait(before, WINDOW_S)
    return us_per_request(before, after), quantile_us(before, after, 0.99)


def measure(server: Server, build: Path, rate: int, pairs: int) -> None:
    cpu, p99 = [], []
    with (
        tempfile.TemporaryDirectory() as name,
        start(server, build, Path(name), watched=True) as running,
        loaded(running, build, Path(name), rate=rate) as load,
    ):
        switch = Switch(running.pid, build)
        switch.check()
        for pair in range(pairs):
            took = {}
            for on in (True, False) if pair % 2 == 0 else (False, True):
                switch.turn(on)
                time.sleep(SETTLE_S)
                took[on] = window(load)
            cpu.append(took[True][0] / took[False][0])
            p99.append(took[True][1] / took[False][1])
        switch.close()
    figures.tell("light_cpu", figures.median(cpu), f"{server.name} {rate} per s")
    figures.tell("light_p99", figures.median(p99), f"{server.name} {rate} per s")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--rates", type=int, nargs="+", default=RATES)
    options = parser.parse_args()
    build = options.build.resolve()
    failed = False
    print(f"servers with little to do, {options.pairs} pairs of windows")
    for name in options.only:
        for rate in options.rates:
            try:
                measure(BY_NAME[name], build, rate, options.pairs)
            except (Missing, SwitchError) as error:
                print(f"  {name}: not measured: {error}", flush=True)
                failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
