#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the collector takes for reports: in processor time, in time until they are told, in memory.

tests/programs/burst.c makes reports of strict mode from 60 frames, all of one stack, or each of
another one. What one costs is the difference of two runs, so that the first report, which reads
files, is not in it. Beside that: how long the first report of a process takes to be told, 10,000
reports a second, and Node, a hundred megabytes of machine code, of whose memory only the most is
promised. `make bench`.

    tests/bench/collector.py [--build DIR] [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import figures

ROOT = Path(__file__).resolve().parents[2]
DEPTH = 57  # with main() and what calls that 60 frames
FEW, MANY, PACE = 2_000, 10_000, 2_000  # reports, and of them a second
RATE, SECONDS = 10_000, 10
PATIENCE_S = 60
FLAGS = "--strict --places each --noise none --rate off --output-limit off --no-stall -t 10s"

# The ways down differ, so that a cache of whole stacks alone would not do.
NODE_DEPTH, NODE_PATHS, NODE_RATE, NODE_SECONDS = 30, 50, 1000, 5
NODE_SCRIPT = f"""
const fs = require('fs');
const fd = fs.openSync(process.execPath, 'r');
const byte = Buffer.alloc(1);
let down = [() => fs.readSync(fd, byte, 0, 1, 0)];
for (let depth = 1; depth < {NODE_DEPTH}; depth++) {{
  const next = down;
  down = [];
  for (let path = 0; path < {NODE_PATHS}; path++)
    down.push(new Function('next', 'path',
      `return function down_${{depth}}_${{path}}() {{ return next[path % next.length]() + 1; }}`
    )(next, path));
}}
const start = performance.now();
let made = 0;
const timer = setInterval(() => {{
  const due = Math.min(performance.now() - start, {NODE_SECONDS * 1000}) * {NODE_RATE / 1000};
  while (made < due) down[made++ % down.length]();
  if (due < {NODE_SECONDS * NODE_RATE}) return;
  clearInterval(timer);
  console.log(made);
  process.stdin.on('data', () => {{}}).on('end', () => process.exit());
}}, 5);
"""


@dataclass(frozen=True)
class Run:
    """What one run came to."""

    made: int
    told: int
    dropped: int
    seconds: float  # of the collector's processor time …
    wall_s: float  # … in this time, from the first report to the last one
    first_ms: float  # from the first report to its line
    most_mib: float


def processor_seconds(pid: int) -> float:
    """Of all its threads that are, by the scheduler's own count in ns."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def most_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def wait_until(condition: Callable[[], object], step_s: float) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < deadline:
        time.sleep(step_s)


def has_line(output: Path) -> bool:
    return output.exists() and b'"type":"block"' in output.read_bytes()


def is_idle(pid: int, before: list[float]) -> bool:
    """Has it got no processor since the last question?"""
    before.append(processor_seconds(pid))
    return before[-1] - before[-2] < 1e-4


def run(build: Path, command: list[str | Path], calls: str) -> Run:
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "hits.jsonl"
        argv = [build / "loophound", "run", *FLAGS.split(), "--calls", calls, "-o", output, "--"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with subprocess.Popen([*argv, *command], text=True, **pipes) as process:  # type: ignore[call-overload]
            wait_until(lambda: has_line(output), 0.0002)
            seen = time.time()
            made = int(process.stdout.readline().split()[0])
            ended = time.time()
            before = [-1.0]
            wait_until(lambda: is_idle(process.pid, before), 0.2)
            seconds, mib = processor_seconds(process.pid), most_mib(process.pid)
            process.communicate()
        events = [json.loads(line) for line in output.open()]
    told = [event for event in events if event["type"] == "block"]
    dropped = next(event["dropped"] for event in events if event["type"] == "summary")
    first = datetime.fromisoformat(told[0]["time"].replace("Z", "+00:00")).timestamp()
    wall_s = max(ended - first, 1e-3)
    return Run(made, len(told), dropped, seconds, wall_s, 1000 * (seen - first), mib)


def burst(build: Path, paths: int, rate: int, seconds: float) -> Run:
    program = build / "programs/burst"
    return run(build, [program, *map(str, (DEPTH, paths, rate, seconds))], "pread")


def us_each(build: Path, paths: int) -> tuple[float, float]:
    """Of the processor, and until the first one was told in ms."""
    few = burst(build, paths, PACE, FEW / PACE)
    many = burst(build, paths, PACE, MANY / PACE)
    return 1e6 * (many.seconds - few.seconds) / (many.told - few.told), few.first_ms


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    build = options.build.resolve()
    repeated, new = [], []
    for _ in range(options.rounds):
        repeated.append(us_each(build, 1))
        new.append(us_each(build, 2 * MANY))
    # The least of them: what else runs on the machine only adds to it.
    figures.tell("collector_repeated", min(us for us, _ in repeated))
    figures.tell("collector_new", min(us for us, _ in new))
    figures.tell("collector_first", min(ms for _, ms in repeated + new))
    flood = burst(build, 1, RATE, SECONDS)
    figures.tell("collector_rate", flood.told / flood.wall_s)
    figures.tell("collector_dropped", flood.dropped)
    figures.tell("collector_cpu", 100 * flood.seconds / SECONDS)
    figures.tell("collector_memory", flood.most_mib, "10,000 a second")
    with tempfile.TemporaryDirectory() as directory:  # V8 keeps a log beside the map
        flags = ["--perf-basic-prof", f"--logfile={directory}/v8.log"]
        node = run(build, ["node", *flags, "-e", NODE_SCRIPT], "pread64,pread")
    figures.tell("collector_dropped", node.dropped, "Node")
    figures.tell("collector_cpu", 100 * node.seconds / NODE_SECONDS, "Node")
    figures.tell("collector_memory", node.most_mib, "Node")


if __name__ == "__main__":
    main()
