#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks one after another, and keeps their figures: `make bench`.

Each prints its figures beside their targets (figures.h, figures.py). They go into build/bench.json
as one run, or with --append beside the runs that are there: scripts/bench-compare takes the noise
from what several runs differ by. One that fails, or for which no time is left, is named at the
end, and the status is 1; a target that is missed is named too, but changes no status: a machine
that does other work meanwhile misses some.

    tests/bench/bench.py [--build DIR] [--output FILE] [--append] [--only NAME ...] [--seconds N]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from figures import ROWS, Figure, missed_by, number

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
SECONDS = 600
LONG_SECONDS = 3600


@dataclass(frozen=True)
class Benchmark:
    """`arguments`: beside --build, those that make it short enough; None: takes none at all."""

    name: str
    arguments: tuple[str, ...] | None = ()

    def command(self, build: Path) -> list[str]:
        if (HERE / f"{self.name}.c").exists():
            return [str(build / "bench" / self.name)]
        command = [sys.executable, str(HERE / f"{self.name}.py")]
        return (
            command
            if self.arguments is None
            else [*command, "--build", str(build), *self.arguments]
        )


SHORT_MACRO_OF = ("nginx", "Node http", "uvicorn asyncio")
SHORT_MACRO = ("--pairs", "60", "--processes", "0", "--only", *SHORT_MACRO_OF)
SHORT_LIGHT = ("--pairs", "20", "--only", "nginx", "--rates", "1000")

# What is told most often first: where the time ends early, it is the rest that is missed.
BENCHMARKS = (
    Benchmark("wrapper"),
    Benchmark("hot_tick"),
    Benchmark("tick"),
    Benchmark("watchdog"),
    Benchmark("capture"),
    Benchmark("look"),
    Benchmark("python_walk", None),
    Benchmark("python_event"),
    Benchmark("js_walk_cost", None),
    Benchmark("collector"),
    Benchmark("start", ("--pairs", "80")),
    Benchmark("html_report"),
    Benchmark("strict_tests", ("--pairs", "6")),
    Benchmark("macro", SHORT_MACRO),
    Benchmark("light", SHORT_LIGHT),
)
# Whole servers at length: `make bench-macro`.
LONG = (Benchmark("macro"), Benchmark("light"))


def machine() -> dict[str, object]:
    """What figures depend on."""
    information = Path("/proc/cpuinfo").read_text()
    model = information.partition("model name")[2].partition(":")[2].partition("\n")[0].strip()
    return {
        "processor": model or platform.machine(),
        "processors": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def run(benchmark: Benchmark, build: Path, figures: Path, seconds: float) -> str:
    """What was wrong with it; "": nothing."""
    print(f"== {benchmark.name}", flush=True)
    if seconds <= 0:
        return "no time was left for it"
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("LOOPHOUND_", "LD_PRELOAD"))
    }
    environment["BENCH_FIGURES"] = str(figures)
    try:
        with subprocess.Popen(
            benchmark.command(build), env=environment, start_new_session=True
        ) as process:
            try:
                status = process.wait(timeout=seconds)
            except (subprocess.TimeoutExpired, KeyboardInterrupt) as error:
                os.killpg(process.pid, signal.SIGKILL)  # and all the servers that it has started
                if isinstance(error, KeyboardInterrupt):
                    raise
                return "its time was over before its end"
    except OSError as error:
        return f"cannot be run: {error.strerror}"
    return f"ended with status {status}" if status else ""


def missed(line: dict[str, object]) -> str:
    """A figure that misses its target, in a few words; "": it does not."""
    id_, _, thing = str(line["figure"]).partition("/")
    high = line["high"]
    figure = Figure(float(str(line["value"])), high=None if high is None else float(str(high)))
    by = missed_by(ROWS[id_], figure)
    what = f"{thing}: {ROWS[id_].name}" if thing else ROWS[id_].name
    return f"{what}: {number(figure.value)} {ROWS[id_].unit}, {ROWS[id_].promise}" if by else ""


def runs_of(output: Path) -> list[object]:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return list(json.loads(output.read_text())["runs"])
    raise SystemExit(f"{output} is no file of `make bench`: nothing can be added to it")


def keep(output: Path, figures: list[dict[str, object]], append: bool) -> None:
    runs = runs_of(output) if append and output.exists() else []
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    runs.append({"time": now, "machine": machine(), "figures": figures})
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"bench": 1, "runs": runs}, indent=1) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--output", type=Path, help="build/bench.json")
    parser.add_argument("--append", action="store_true", help="keep the runs that are there")
    parser.add_argument("--long", action="store_true", help="whole servers alone, at length")
    parser.add_argument("--only", nargs="+", choices=[one.name for one in BENCHMARKS])
    parser.add_argument("--seconds", type=float, help="at most, of all together")
    options = parser.parse_args()
    build = options.build.resolve()
    output = options.output or build / "bench.json"
    seconds = options.seconds or (LONG_SECONDS if options.long else SECONDS)
    end = time.monotonic() + seconds
    failed = []
    with tempfile.TemporaryDirectory() as directory:
        told = Path(directory) / "figures"
        told.touch()
        for benchmark in LONG if options.long else BENCHMARKS:
            if options.only and benchmark.name not in options.only:
                continue
            wrong = run(benchmark, build, told, end - time.monotonic())
            if wrong:
                failed.append(f"{benchmark.name}: {wrong}")
        figures = [json.loads(line) for line in told.read_text().splitlines()]
    keep(output, figures, options.append)
    misses = [text for text in map(missed, figures) if text]
    promised = sum(line["target"] is not None for line in figures)
    print(
        f"== {len(figures)} figures; of {promised} targets {promised - len(misses)} met; {output}"
    )
    for text in misses:
        print(f"  not met: {text}")
    for text in failed:
        print(f"  FAILED: {text}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
