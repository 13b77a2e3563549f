#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `pytest --loophound` costs: 500 tests that do nothing, plain, watched, under blockbuster.

The three take turns, so that a busy machine is busy for all; each round begins with another one. Of
each are printed the medians of:

- tests: the time that the tests take, as pytest says it;
- their processor: the processor's time in them, user and system, of all threads of pytest's
  process, the watchdog's too, and all that the collector takes;
- whole, its processor: the same of the whole command, with its start.

Then how it compares with plain in the same round: the median of the ratios, and between which two
that lies at 95 %. What is surely over 1.10 of the tests' processor fails; the time on the wall is
another program's, too, on a machine that is busy. What the command takes more beside its tests is
the same however many there are: pytest is started twice.

    tests/bench/pytest_cost.py [--build DIR] [--rounds N] [--tests N]
"""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import ROWS, Figure, median, tell

ROOT = Path(__file__).resolve().parents[2]
MOST = ROWS["pytest_tests"].target or 0.0
TESTS = """
import asyncio
import pytest

@pytest.mark.asyncio
@pytest.mark.parametrize("number", range({count}))
async def test_nothing(number):
    await asyncio.sleep(0)
"""
CLOCK = """
import time

began = 0.0

def pytest_sessionstart(session):
    global began
    began = time.process_time()

def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"processor in the tests: {time.process_time() - began:.4f}")
"""
BLOCKBUSTER = """
import pytest
from blockbuster import blockbuster_ctx

@pytest.fixture(autouse=True)
def guarded():
    with blockbuster_ctx():
        yield
"""
KINDS = ("plain", "loophound", "blockbuster")


PARTS = ("tests", "their processor", "whole", "its processor")
TESTS_S, TESTS_CPU, WHOLE_S, _ = range(len(PARTS))
PR_SET_CHILD_SUBREAPER = 36  # prctl(2): the collector, which is detached, becomes our child


def _processor_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _wait_for_collector() -> None:
    """It ends by itself when the program has."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def run(kind: str, python: Path, directory: Path, library: Path) -> tuple[float, ...]:
    """Seconds of PARTS."""
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("LOOPHOUND_", "PYTEST_"))
    }
    environment["PYTHONPATH"] = str(ROOT / "src" / "python")
    environment["LOOPHOUND_LIBRARY"] = str(library)
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    if kind == "loophound":
        command += ["-p", "loophound.pytest_plugin", "--loophound"]
    before = _processor_of_children()
    start = time.monotonic()
    done = subprocess.run(
        command, cwd=directory / kind, env=environment, capture_output=True, text=True, check=False
    )
    whole = time.monotonic() - start
    of_pytest = _processor_of_children()
    _wait_for_collector()
    after = _processor_of_children()
    said = re.search(r"\d+ passed.* in ([\d.]+)s", done.stdout)
    ran = re.search(r"processor in the tests: ([\d.]+)", done.stdout)
    if done.returncode != 0 or said is None or ran is None:
        sys.exit(f"{kind}: status {done.returncode}\n{done.stdout}{done.stderr}")
    in_tests = float(ran.group(1)) + after - of_pytest
    return float(said.group(1)), in_tests, whole, after - before


def compare(kind: str, taken: dict[str, list[tuple[float, ...]]]) -> list[Figure]:
    """With plain, round by round: the ratio of each of PARTS."""
    print(f"{kind}/plain:")
    compared = []
    for part, what in enumerate(PARTS):
        ratio = median(a[part] / b[part] for a, b in zip(taken[kind], taken["plain"], strict=False))
        print(f"  {what:16} {ratio.value:.2f} ({ratio.low or 0:.2f} to {ratio.high or 0:.2f})")
        compared.append(ratio)
    return compared


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument(
        "--python", type=Path, help="that of an environment of tests/python/venvs.py"
    )
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--tests", type=int, default=500)
    arguments = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    build = arguments.build.resolve()
    found = sorted(
        build.glob("python-venvs/*/bin/python"), key=lambda path: int(path.parts[-3][2:])
    )
    if not found and arguments.python is None:
        sys.exit("there are no environments: make test-python makes them")
    python = arguments.python or found[-1]
    taken: dict[str, list[tuple[float, ...]]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory(prefix="loophound-bench-") as name:
        for kind in KINDS:
            directory = Path(name) / kind
            directory.mkdir()
            (directory / "test_it.py").write_text(TESTS.format(count=arguments.tests))
            more = BLOCKBUSTER if kind == "blockbuster" else ""
            (directory / "conftest.py").write_text(CLOCK + more)
        for turn in range(arguments.rounds):
            first = turn % len(KINDS)
            for kind in KINDS[first:] + KINDS[:first]:
                taken[kind].append(run(kind, python, Path(name), build / "libloophound.so"))
    print(f"{arguments.tests} tests, {arguments.rounds} rounds, {python}")
    for kind in KINDS:
        medians = [statistics.median(part) for part in zip(*taken[kind], strict=False)]
        parts = [f"{what} {seconds:.3f} s" for what, seconds in zip(PARTS, medians, strict=False)]
        print(f"{kind:12} {', '.join(parts)}")
    of_loophound = compare("loophound", taken)
    compare("blockbuster", taken)
    starts = [
        (a[WHOLE_S] - a[TESTS_S] - b[WHOLE_S] + b[TESTS_S]) * 1000
        for a, b in zip(taken["loophound"], taken["plain"], strict=False)
    ]
    tell("pytest_tests", of_loophound[TESTS_S])
    tell("pytest_tests_cpu", of_loophound[TESTS_CPU])
    tell("pytest_start", median(starts), "once a run")
    least = of_loophound[TESTS_CPU].low or of_loophound[TESTS_CPU].value
    return 0 if least <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
