#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What watching a Node.js server costs while nothing blocks: `make bench-node`.

Each server of tests/node_servers is started twice, with `loophound run` before it and without, and
its quick endpoint is loaded in both at once, so that whatever else the machine does falls on both.
A round has processes of its own, for two processes of one program differ too. Printed are ratios,
with the library by without, of requests per second, of the program's CPU time per request and of
the 99th percentile of the answers' times: the mean of the rounds and its 95 % interval.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "node_servers"))

from frameworks import SERVERS, Server, free_port, load, nodes, serving
from harness import COMMAND

CONNECTIONS = 16
WARM_S = 3
WINDOW_S = 5
GOAL_OF_CPU = 1.010
# Student's t for 95 % on both sides, by degrees of freedom; further on that of infinitely many.
T_95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13)
T_MANY = 1.96
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass
class Sums:
    """Of one process's windows."""

    requests: int = 0
    seconds: float = 0
    cpu_s: float = 0
    p99_ms: float = 0

    def figures(self) -> tuple[float, float, float]:
        return self.requests / self.seconds, self.cpu_s / self.requests, self.p99_ms


@dataclass
class Running:
    port: int
    pid: int
    sums: Sums

    def cpu_s(self) -> float:
        """User and system time of all of its threads (proc_pid_stat(5))."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def window(self) -> None:
        before = self.cpu_s()
        measured = load(self.port, "clean", CONNECTIONS, WINDOW_S)
        self.sums.cpu_s += self.cpu_s() - before
        self.sums.requests += measured.requests
        self.sums.seconds += measured.requests / measured.requests_per_s
        self.sums.p99_ms += measured.p99_ms


def server_of(pid: int) -> int:
    """`loophound run` has the server as its only child that lasts."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else pid


def start(stack: ExitStack, server: Server, node: Path, before: list[str | Path]) -> Running:
    port = free_port()
    process = stack.enter_context(serving(server, node, port, before, quiet=True))
    return Running(port, server_of(process.pid) if before else process.pid, Sums())


def one_round(server: Server, node: Path, windows: int, number: int) -> tuple[float, float, float]:
    """Which one is started first changes from round to round."""
    with tempfile.TemporaryDirectory() as where, ExitStack() as stack:
        watch: list[str | Path] = [COMMAND, "run", "-o", Path(where) / "hits.jsonl", "--"]
        ways = [watch, []] if number % 2 == 0 else [[], watch]
        pair = [start(stack, server, node, way) for way in ways]
        for running in pair:
            load(running.port, "clean", CONNECTIONS, WARM_S)
        with ThreadPoolExecutor(len(pair)) as both:
            for _ in range(windows):
                list(both.map(Running.window, pair))
        if number % 2 == 1:
            pair.reverse()
        with_library, without = (running.sums.figures() for running in pair)
    return tuple(a / b for a, b in zip(with_library, without, strict=True))  # type: ignore


def interval(ratios: list[float]) -> tuple[float, float, float]:
    """The geometric mean, and where it lies with 95 %."""
    logarithms = [math.log(ratio) for ratio in ratios]
    freedom = len(ratios) - 1
    t = T_95[freedom - 1] if freedom <= len(T_95) else T_MANY
    half = t * statistics.stdev(logarithms) / math.sqrt(len(ratios))
    mean = statistics.mean(logarithms)
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--node", type=Path, default=nodes()[-1], help="the newest, if not given")
    parser.add_argument("--rounds", type=int, default=10, help="at least 2")
    parser.add_argument("--windows", type=int, default=2, help="in each round")
    parser.add_argument("--only", help="the server of this name")
    arguments = parser.parse_args()
    names = ("requests/s", "CPU per request", "p99")
    print(f"ratios with the library by without, {arguments.rounds} rounds, Node.js", end=" ")
    print(f"{arguments.node.parent.name}; goal for CPU per request: at most {GOAL_OF_CPU:.3f}")
    for server in SERVERS:
        if arguments.only not in (None, server.name):
            continue
        rounds = [
            one_round(server, arguments.node, arguments.windows, number)
            for number in range(arguments.rounds)
        ]
        print(f"  {server.name:8}", end="")
        for name, ratios in zip(names, zip(*rounds, strict=True), strict=True):
            mean, low, high = interval(list(ratios))
            print(f"  {name} {mean:.3f} ({low:.3f} to {high:.3f})", end="")
        print(flush=True)


if __name__ == "__main__":
    main()
