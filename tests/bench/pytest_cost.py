#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `pytest --loophound` costs: 500 tests that do nothing, plain, watched, under blockbuster.

The three take turns, so that a busy machine is busy for all. Printed are the medians of the time
that the tests take (as pytest says it), of the processor's time in them, of the whole command, of
the processor's time in that, and of what the command takes beside its tests; and the ratio of each
to plain. The last one is the same however many tests there are: pytest is started twice. What does
not hold at most 1.10 of the tests' time fails. On a busy machine the processor's time is the one to
look at, and the ratio of the shortest, which is printed, too.

    tests/bench/pytest_cost.py [--build DIR] [--rounds N] [--tests N]
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import ROWS, Figure, tell

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


PARTS = ("tests", "their processor", "whole", "its processor", "start")
OF_TESTS, THEIR_PROCESSOR, _, _, START = range(len(PARTS))


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
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(
        command, cwd=directory / kind, env=environment, capture_output=True, text=True, check=False
    )
    whole = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = re.search(r"\d+ passed.* in ([\d.]+)s", done.stdout)
    ran = re.search(r"processor in the tests: ([\d.]+)", done.stdout)
    if done.returncode != 0 or said is None or ran is None:
        sys.exit(f"{kind}: status {done.returncode}\n{done.stdout}{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    tests = float(said.group(1))
    return tests, float(ran.group(1)), whole, cpu, whole - tests


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument(
        "--python", type=Path, help="that of an environment of tests/python/venvs.py"
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--tests", type=int, default=500)
    arguments = parser.parse_args()
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
        for _ in range(arguments.rounds):
            for kind in KINDS:
                taken[kind].append(run(kind, python, Path(name), build / "libloophound.so"))
    print(f"{arguments.tests} tests, {arguments.rounds} rounds, {python}")
    medians = {
        kind: [statistics.median(part) for part in zip(*taken[kind], strict=False)]
        for kind in KINDS
    }
    for kind in KINDS:
        parts = [
            f"{what} {seconds:6.3f} s ({seconds / plain:4.2f})"
            for what, seconds, plain in zip(PARTS, medians[kind], medians["plain"], strict=False)
        ]
        print(f"{kind:12} {', '.join(parts)}")
    least = {kind: [min(part) for part in zip(*taken[kind], strict=False)] for kind in KINDS}
    ratio = medians["loophound"][OF_TESTS] / medians["plain"][OF_TESTS]
    shortest = least["loophound"][THEIR_PROCESSOR] / least["plain"][THEIR_PROCESSOR]
    more_ms = (medians["loophound"][START] - medians["plain"][START]) * 1000
    tell("pytest_tests", Figure(ratio, repeats=arguments.rounds))
    tell("pytest_tests_cpu", Figure(shortest, repeats=arguments.rounds), "of the shortest")
    tell("pytest_start", Figure(more_ms, repeats=arguments.rounds), "once a run")
    return 0 if ratio <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
