#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What strict mode adds to 500 empty asynchronous tests under pytest, each with a loop of its own.

Plain and strict run in turns. Told are the ratios of neighbours, of time and of processor time
(with the collector's), and what was reported and lost, which is to be nothing. `make bench`.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from figures import Figure, median, tell

ROOT = Path(__file__).resolve().parents[2]
PAIRS = 20
TESTS = 500
# Not the `python3` of a version manager, which starts a dozen programs first.
PYTHON = shutil.which("python3", path="/usr/bin") or "python3"
MODULE = f"""
import unittest
class Empty(unittest.IsolatedAsyncioTestCase): pass
async def empty(self): pass
for number in range({TESTS}): setattr(Empty, f"test_{{number}}", empty)
"""


class Run(NamedTuple):
    took_ms: float
    cpu_ms: float
    said: str  # on standard error


def children_cpu_ms() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def run_tests(command: list[str], cwd: Path) -> Run:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LOOPHOUND_", "LD_PRELOAD"))}
    began, cpu_ms = time.perf_counter(), children_cpu_ms()
    done = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True)
    took_ms = (time.perf_counter() - began) * 1000
    if done.returncode != 0 or f"{TESTS} passed" not in done.stdout:
        raise SystemExit(f"the tests have failed: {done.stdout}{done.stderr}")
    return Run(took_ms, children_cpu_ms() - cpu_ms, done.stderr)


def ratios(plain: list[float], strict: list[float]) -> Figure:
    return median(ours / bare for ours, bare in zip(strict, plain, strict=True))


def measure(build: Path, pairs: int, noise: str) -> None:
    plain: list[Run] = []
    strict: list[Run] = []
    strict_run = [str(build / "loophound"), "run", "--strict", "--noise", noise, "--"]
    with tempfile.TemporaryDirectory(dir=build) as directory:  # on a disk
        place = Path(directory)
        (place / "test_empty.py").write_text(MODULE)
        tests = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_empty.py"]
        run_tests(tests, place)  # the bytecode is there from now on
        for _ in range(pairs):
            plain.append(run_tests(tests, place))
            strict.append(run_tests([*strict_run, *tests], place))
    wall = ratios([run.took_ms for run in plain], [run.took_ms for run in strict])
    cpu = ratios([run.cpu_ms for run in plain], [run.cpu_ms for run in strict])
    tell("strict_tests", wall, f"noise {noise}")
    tell("strict_tests_cpu", cpu, f"noise {noise}")
    print(f"    {strict[-1].said.splitlines()[-1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    options = parser.parse_args()
    print(f"{TESTS} empty tests, {options.pairs} of each in turns")
    for noise in ("auto", "tests"):
        measure(options.build.resolve(), options.pairs, noise)


if __name__ == "__main__":
    main()
