#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the library and the collector cost as a program grows: `make bench-growth`.

Over loops, threads, processes under one `run`, calls an iteration, frames of a report. Writes the
tables of docs/benchmarks.md.

    tests/bench/growth.py [--build DIR] [--only loops|threads|processes|calls|frames ...] [--dry]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import page

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 3.0
LIMIT_S = 120.0
QUIET_S = 3.0
LOST = 98  # the status of `run` where reports of strict mode were lost: in the table


class Failed(Exception):
    """What did not run, in one line."""


@dataclass
class Program:
    """growth.c as it runs; `pid` is that of `loophound run` where it runs under that."""

    pid: int
    said: str
    process: subprocess.Popen[str]

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        if self.process.wait(LIMIT_S) not in (0, LOST):
            raise Failed(f"ended with status {self.process.returncode}")


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str] | None = None) -> Iterator[Program]:
    ours = ("LOOPHOUND_", "LD_PRELOAD", "BENCH_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**kept, **(environment or {})},
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout and process.stderr
            said = process.stdout.readline().strip()
            if not said:
                text = process.stderr.read().strip().splitlines()
                raise Failed(f"{Path(command[0]).name}: {text[-1] if text else 'said nothing'}")
            yield Program(process.pid, said, process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def preloaded(
    build: Path, way: str, number: int, **variables: str
) -> contextlib.AbstractContextManager[Program]:
    environment = {"LD_PRELOAD": str(build / "libloophound.so"), "LOOPHOUND_OUTPUT": os.devnull}
    environment.update({f"LOOPHOUND_{name}": value for name, value in variables.items()})
    return running([str(build / "bench" / "growth"), way, str(number)], environment)


def under_run(
    build: Path, way: str, number: int, flags: list[str]
) -> contextlib.AbstractContextManager[Program]:
    program = [str(build / "bench" / "growth"), way, str(number)]
    return running([str(build / "loophound"), "run", *flags, "--", *program])


def watchdog_ns(pid: int) -> int:
    """What its thread has used: sched-stats.rst, the first number."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            if (task / "comm").read_text() == "loophound\n":
                return int((task / "schedstat").read_text().split()[0])
    raise Failed("there is no watchdog")


def status_kib(pid: int, what: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition(f"{what}:")[2].split()[0])


def watchdog_percent(pid: int) -> float:
    end = time.monotonic() + LIMIT_S
    while True:  # a busy machine may be late with the first park
        with contextlib.suppress(Failed):
            before = watchdog_ns(pid)
            break
        if time.monotonic() > end:
            raise Failed("there is no watchdog")
        time.sleep(0.05)
    time.sleep(SECONDS)
    return (watchdog_ns(pid) - before) / SECONDS / 1e7


def cpu_s(pid: int) -> float:
    return time.clock_gettime((~pid << 3) | 2)


def wait_until_told(output: Path, reports: int) -> None:
    """Until so many blocks have been written, or no more come: some may be lost."""
    end = time.monotonic() + LIMIT_S
    before, since = 0, time.monotonic()
    while before < reports and time.monotonic() < end:
        time.sleep(0.02)
        now = output.read_bytes().count(b'"type":"block"') if output.exists() else 0
        if now != before:
            before, since = now, time.monotonic()
        elif time.monotonic() - since > QUIET_S:
            return


def summary_of(output: Path) -> tuple[int, int]:
    """Blocks that were written, and reports that were lost."""
    blocks = dropped = 0
    with output.open() as lines:
        for line in lines:
            event = json.loads(line)
            blocks += event["type"] == "block"
            dropped += event["dropped"] if event["type"] == "summary" else 0
    return blocks, dropped


def loops(build: Path, number: int) -> list[str]:
    with preloaded(build, "loops", number, THRESHOLD="10ms") as program:
        percent = watchdog_percent(program.pid)
        program.end()
    return [f"{percent:.2f} %", f"{percent * 10_000 / 400 / number:.2f} us"]


def threads(build: Path, number: int) -> list[str]:
    with preloaded(build, "threads", number, THRESHOLD="10ms") as program:
        percent = watchdog_percent(program.pid)
        with_kib = status_kib(program.pid, "VmRSS")
        program.end()
    with running([str(build / "bench" / "growth"), "threads", str(number)]) as program:
        time.sleep(SECONDS / 10)
        without_kib = status_kib(program.pid, "VmRSS")
        program.end()
    return [f"{percent:.2f} %", f"{with_kib - without_kib} KiB"]


def processes(build: Path, number: int) -> list[str]:
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "reports.jsonl"
        with under_run(build, "processes", number, ["-o", str(output)]) as program:
            wait_until_told(output, number)
            used_s = cpu_s(program.pid)
            time.sleep(SECONDS)
            idle = 100 * (cpu_s(program.pid) - used_s) / SECONDS
            most_kib = status_kib(program.pid, "VmHWM")
            program.end()
        blocks, dropped = summary_of(output)
    used = f"{1000 * used_s:.0f} ms", f"{1000 * used_s / number:.2f} ms"
    return [str(blocks), str(dropped), *used, f"{idle:.1f} %", f"{most_kib / 1024:.1f} MiB"]


def calls(build: Path, number: int) -> list[str]:
    with preloaded(build, "calls", number) as program:
        with_ns, without_ns = map(float, program.said.split())
        program.end()
    return [f"{without_ns:.1f} ns", f"{with_ns - without_ns:+.1f} ns"]


def frames(build: Path, number: int) -> list[str]:
    flags = ["--strict", "--places", "each", "--rate", "off", "--stack", "full", "--calls", "read"]
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "reports.jsonl"
        with under_run(build, "frames", number, [*flags, "-o", str(output)]) as program:
            thread_us, reports = map(float, program.said.split())
            wait_until_told(output, int(reports))
            used_s = cpu_s(program.pid)
            program.end()
        blocks, dropped = summary_of(output)
    each_us = 1e6 * used_s / max(blocks, 1)
    return [f"{thread_us:.1f} us", f"{each_us:.0f} us", f"{each_us / number:.2f} us", str(dropped)]


@dataclass(frozen=True)
class Way:
    """In which a program grows."""

    name: str
    measure: Callable[[Path, int], list[str]]
    sizes: tuple[int, ...]
    head: tuple[str, ...]
    why: str


WAYS = (
    Way(
        "loops",
        loops,
        (1, 2, 4, 8, 16, 32, 64),
        ("watchdog, of a processor", "a tick, per loop"),
        "Linear at most: a tick looks at each loop once, and there are 400 ticks a second at a"
        " threshold of 10 ms, however many loops there are.",
    ),
    Way(
        "threads",
        threads,
        (1, 10, 100, 500, 1000, 2000),
        ("watchdog, of a processor", "memory more than without"),
        "Flat: the watchdog looks at loop threads alone, and a thread without a loop has only some"
        " thread-local words of the library.",
    ),
    Way(
        "processes",
        processes,
        (1, 10, 50, 100, 200, 400),
        (
            "blocks told",
            "lost",
            "collector in all",
            "per process",
            "while all wait",
            "its memory at most",
        ),
        "Linear: each process has a ring and a thread of the collector of its own. Files that many"
        " have mapped are opened once.",
    ),
    Way(
        "calls",
        calls,
        (1, 10, 100, 1000, 10_000, 100_000, 1_000_000),
        ("a call without", "with, more"),
        "Flat: a call writes to the same few words of its slot whatever came before it. An"
        " iteration that has become older than a tick has its calls timed, which is one reading of"
        " the counter more for each.",
    ),
    Way(
        "frames",
        frames,
        (10, 30, 60, 100, 200, 300),
        ("a report, of the thread", "of the collector", "of that, per frame", "lost"),
        "On the thread nearly flat: registers and bytes of the stack are copied, frames are not"
        " counted. In the collector linear, for it unwinds and names each frame.",
    ),
)


def measured(way: Way, build: Path) -> str:
    rows = []
    for size in way.sizes:
        try:
            cells = way.measure(build, size)
        except (Failed, OSError, subprocess.TimeoutExpired) as error:
            cells = [f"not measured: {error}", *[""] * (len(way.head) - 1)]
        rows.append([f"{size:,}", *cells])
        print(f"  {way.name} {size}: {', '.join(cells)}", flush=True)
    return f"**{way.name.capitalize()}.** {way.why}\n\n{page.table((way.name, *way.head), rows)}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    names = [way.name for way in WAYS]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--dry", action="store_true", help="print, and leave the page alone")
    options = parser.parse_args()
    build = options.build.resolve()
    parts = [measured(way, build) for way in WAYS if way.name in options.only]
    text = "\n".join([*parts, page.taken_on()])
    if options.dry:
        print(text)
    else:
        page.put("growth", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
