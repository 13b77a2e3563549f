#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the collector needs beside a large program: Node, a hundred megabytes of machine code.

Node's loop makes 1,000 blocks a second (strict mode, so that each short read of a file counts) from
stacks of more than 40 frames, as JSON with nothing left out. Printed are the reports made and lost,
the collector's processor time and the most memory it had. `make bench`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 10
A_SECOND = 1000
DEPTH = 30  # JavaScript functions; with Node's and libuv's own more than 40 frames
MOST_MIB = 256

# PATHS different ways down, so that a cache of whole stacks alone would not do.
SCRIPT = """
const fs = require('fs');
const fd = fs.openSync(process.execPath, 'r');
const byte = Buffer.alloc(1);
let down = [() => fs.readSync(fd, byte, 0, 1, 0)];
for (let depth = 1; depth < %(depth)d; depth++) {
  const next = down;
  down = [];
  for (let path = 0; path < %(paths)d; path++)
    down.push(new Function('next', 'path',
      `return function down_${depth}_${path}() { return next[path %% next.length]() + 1; }`
    )(next, path));
}
const start = performance.now();
let made = 0;
const timer = setInterval(() => {
  const due = Math.min(performance.now() - start, %(ms)d) * %(per_ms)f;
  while (made < due) down[made++ %% down.length]();
  if (due < %(ms)d * %(per_ms)f) return;
  clearInterval(timer);
  console.log(made);
  process.stdin.on('data', () => process.exit());
}, 5);
"""


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def most_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure(build: Path, paths: int) -> None:
    words = {"depth": DEPTH, "paths": paths, "ms": SECONDS * 1000, "per_ms": A_SECOND / 1000}
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "hits.jsonl"
        flags = [
            "--strict",
            "--rate",
            "off",
            "--no-stall",
            "--calls",
            "pread64",
            "--threshold",
            "10s",
            "--stacks",
            "inline",
            "-o",
            str(output),
        ]
        node = ["node", "--perf-basic-prof", "-e", SCRIPT % words]
        with subprocess.Popen(
            [build / "loophound", "run", *flags, "--", *node],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=directory,
        ) as process:
            assert process.stdin and process.stdout
            made = int(process.stdout.readline())
            seconds, mib = processor_seconds(process.pid), most_mib(process.pid)
            process.communicate("end\n")
        events = [json.loads(line) for line in output.open()]
    found = [
        event for event in events if event["type"] == "block" and event["call"].startswith("pread")
    ]
    dropped = next(event["dropped"] for event in events if event["type"] == "summary")
    frames = sorted(len(event["stack"]) for event in found)[len(found) // 2] if found else 0
    print(
        f"  {paths:3} paths: {made} made in {SECONDS} s, {len(found)} told of {frames} frames,"
        f" {dropped} dropped; collector {100 * seconds / SECONDS:.0f} % of a processor,"
        f" {mib:.0f} MiB at most (allowed: {MOST_MIB})",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    build = (ROOT / parser.parse_args().build).resolve()
    for paths in (1, 50):
        measure(build, paths)


if __name__ == "__main__":
    main()
