#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""uvicorn under load and two busy processes, with a block a second, for ten minutes.

Each block that was made has to be told, or counted as lost, and neither the server nor the
collector may grow. Printed are the blocks, the requests a second, and the memory of both after a
quarter of the time and at the end. `make soak-blocks`.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

from soak import DEMO, ROOT, load_http, serving, uvicorn

sys.path.insert(0, str(DEMO))

from demo import free_port  # scripts/demo is no package

THRESHOLD = "50ms"  # /wrong/sleep takes 100
BUSY = 2
MORE_MIB = 8.0  # what an allocator may take up more in the rest of the time


def resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def child_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def run_of(output: Path) -> int:
    """The `loophound run` that writes there: it has started the server."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        words = path.read_bytes().split(b"\0") if path.exists() else []
        if str(output).encode() in words and b"run" in words:
            return int(path.parent.name)
    raise SystemExit("soak: no run is there")


class Blocks(threading.Thread):
    """A request a second that blocks the loop, and a look at the memory."""

    def __init__(self, port: int, pids: tuple[int, int], seconds: float) -> None:
        super().__init__()
        self.url = f"http://127.0.0.1:{port}/wrong/sleep"
        self.pids, self.seconds = pids, seconds
        self.made = 0
        self.memory: list[tuple[float, float]] = []

    def run(self) -> None:
        began = time.monotonic()
        while time.monotonic() - began < self.seconds:
            with urllib.request.urlopen(self.url, timeout=60) as answer:
                answer.read()
            self.made += 1
            self.memory.append((resident_mib(self.pids[0]), resident_mib(self.pids[1])))
            time.sleep(max(0.0, began + self.made - time.monotonic()))


def print_result(blocks: Blocks, rate: float, output: Path) -> bool:
    events = [json.loads(line) for line in output.read_text().splitlines()]
    told = [event for event in events if event["type"] == "block" and event["group"] == "sleep"]
    dropped = sum(event["dropped"] for event in events if event["type"] == "summary")
    early, late = blocks.memory[len(blocks.memory) // 4], blocks.memory[-1]
    print(f"  {blocks.made} blocks made, {len(told)} told, {dropped} counted as lost")
    print(f"  {rate:.0f} requests/s; {output.stat().st_size / (1 << 20):.1f} MiB written")
    for who, before, after in zip(("collector", "server"), early, late, strict=True):
        print(f"  {who}: {before:.1f} MiB after a quarter of the time, {after:.1f} at the end")
    flat = all(after - before < MORE_MIB for before, after in zip(early, late, strict=True))
    return flat and blocks.made <= len(told) + dropped


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--seconds", type=float, default=600)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    directory = build / "soak"
    directory.mkdir(parents=True, exist_ok=True)
    output = directory / "blocks.jsonl"
    output.unlink(missing_ok=True)
    port = free_port()
    flags = ["-t", THRESHOLD, "--rate", "off", "-o", str(output)]
    run = [str(build / "loophound"), "run", *flags, "--", *uvicorn(directory, port)]
    busy = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(BUSY)]
    print(f"soak: {DEMO.name}'s server, a block a second, {arguments.seconds:.0f} s", flush=True)
    try:
        with serving(run, port):
            pid = run_of(output)
            blocks = Blocks(port, (pid, child_of(pid)), arguments.seconds)
            blocks.start()
            rate = load_http(port, arguments.seconds)
            blocks.join()
    finally:
        for process in busy:
            process.kill()
            process.wait()
    good = print_result(blocks, rate, output)
    print("soak: all of them are accounted for, memory is flat" if good else "soak: FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
