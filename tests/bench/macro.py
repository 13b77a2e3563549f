#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the library costs whole servers under full load: processor time per request, as a ratio.

Judged in two ways. In one process the library is switched on and off (switch.py), in windows of a
tenth of a second that follow each other as on, off, off, on: the machine, and where the process
happens to lie in memory, are the same for both. Beside it pairs of processes, one of which does not
have the library at all, are loaded in turns: what the switch cannot turn off is in that one, and so
is what two processes differ by anyway, which takes many pairs. `make bench-macro`.

    tests/bench/macro.py [--build DIR] [--only NAME ...] [--pairs N] [--processes N]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import figures
from load import Load, Reading, loaded
from servers import BY_NAME, SERVERS, Missing, Server, start
from switch import Switch, SwitchError

ROOT = Path(__file__).resolve().parents[2]
PAIRS = 300
WINDOW_S = 0.1
SETTLE_S = 0.004  # after the switch: until each loop has parked once
PROCESSES = 9  # pairs of them
ROUNDS = 8  # of windows, with each pair
PROCESS_WINDOW_S = 0.25


def us_per_request(before: Reading, after: Reading) -> float:
    return (after.cpu_ns - before.cpu_ns) / 1000 / (after.answers - before.answers)


def window(load: Load, seconds: float) -> float:
    before = load.read()
    return us_per_request(before, load.wait(before, seconds))


def switched(server: Server, build: Path, pairs: int) -> None:
    """Within one process."""
    ratios, bare = [], []
    with (
        tempfile.TemporaryDirectory() as name,
        start(server, build, Path(name), watched=True) as running,
        loaded(running, build, Path(name)) as load,
    ):
        switch = Switch(running.pid, build)
        switch.check()
        for pair in range(pairs):
            took = {}
            for on in (True, False) if pair % 2 == 0 else (False, True):
                switch.turn(on)
                time.sleep(SETTLE_S)
                took[on] = window(load, WINDOW_S)
            ratios.append(took[True] / took[False])
            bare.append(took[False])
        switch.close()
    figures.tell("macro_request", figures.median(bare), server.name)
    figures.tell("macro_switched", figures.median(ratios), server.name)


def pair_of_processes(server: Server, build: Path) -> float:
    """The ratio of what two processes took for all their windows."""
    took = {True: 0.0, False: 0.0}
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        places = {True: Path(one), False: Path(other)}
        with (
            start(server, build, places[True], watched=True) as watched,
            start(server, build, places[False], watched=False) as plain,
        ):
            for number in range(ROUNDS):
                for on in (True, False) if number % 2 == 0 else (False, True):
                    running = watched if on else plain
                    with loaded(running, build, places[on], warm_s=PROCESS_WINDOW_S / 2) as load:
                        took[on] += window(load, PROCESS_WINDOW_S)
    return took[True] / took[False]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--only", nargs="+", choices=list(BY_NAME), default=list(BY_NAME))
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--processes", type=int, default=PROCESSES, help="0: none")
    options = parser.parse_args()
    build = options.build.resolve()
    failed = False
    print(f"whole servers; {options.pairs} pairs of windows, {options.processes} of processes")
    for server in SERVERS:
        if server.name not in options.only:
            continue
        try:
            switched(server, build, options.pairs)
            if options.processes:
                pairs = [pair_of_processes(server, build) for _ in range(options.processes)]
                figures.tell("macro_paired", figures.median(pairs), server.name)
        except (Missing, SwitchError) as error:
            print(f"  {server.name}: not measured: {error}", flush=True)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
