# SPDX-License-Identifier: Apache-2.0
"""Strict mode on each of the functions that blockbuster looks at."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import PROGRAMS, PYTHON, ROOT, blocks, describe, met_again, of_type, run_preloaded

FUNCTIONS = ROOT / "tests" / "programs" / "python" / "functions.py"
RUNS = 5


def run(hits: Path) -> tuple[list[str], Counter[tuple[str, str]], int]:
    """What was called, what was told of it, and how many calls that were."""
    with TemporaryDirectory(dir=PROGRAMS) as directory:  # on a disk
        argv: list[str | Path] = [PYTHON, FUNCTIONS, directory]
        done, events = run_preloaded(
            argv, hits, stdin="a line\n", STRICT="on", THRESHOLD="3600s", STACKS="inline"
        )
    assert done.returncode == 0, done.stderr
    (summary,) = of_type(events, "summary")
    told = Counter((block["test"] or "outside", block["call"]) for block in blocks(events))
    assert summary["dropped"] == 0 and met_again(events) + told.total() == summary["blocks"]
    assert told, describe(events)
    return done.stderr.splitlines(), told, summary["blocks"]


def test_each_function_that_can_wait_is_told_and_no_other(hits: Path) -> None:
    called, told, _ = run(hits)
    assert len(called) > 58
    assert {test for test, _ in told} == {name for name in called if not name.endswith(" silent")}


def test_runs_are_alike(tmp_path: Path) -> None:
    runs = [run(tmp_path / f"hits{number}.jsonl") for number in range(RUNS)]
    assert all(each == runs[0] for each in runs)
