# SPDX-License-Identifier: Apache-2.0
"""Every row of the call table once more, made by a shared library's constructor.

The constructors of a program's libraries run before ours, those of libraries that it opens later
run after it. A family of calls is one test: its programs, which mostly wait, run side by side.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from calls import FAMILIES, Row, all_rows
from harness import (
    LIBRARY,
    PROGRAMS,
    Event,
    blocks,
    clean_environment,
    describe,
    of_type,
    run_preloaded,
)

HOST = PROGRAMS / "host"
AT_ONCE = 8
SLOW_MS = 90
# So many programs at once may keep the watchdog from all of its ticks in a call: it lasts longer.
WAITS_MS = (SLOW_MS, 400, 900)

Outcome = tuple[int, int]  # what the call returned, and errno


def library_of(row: Row) -> Path:
    return PROGRAMS / "constructor" / f"{row.program.name}.so"


def run_before_ours(row: Row, where: str, ms: int, hits: Path, **options: str):
    """As a second preloaded library: its constructor runs first."""
    return run_host(row, where, ms, hits, {"LD_PRELOAD": f"{LIBRARY} {library_of(row)}"}, options)


def run_after_ours(row: Row, where: str, ms: int, hits: Path, **options: str):
    return run_host(row, where, ms, hits, {"HOST_OPENS": str(library_of(row))}, options)


def run_host(
    row: Row, where: str, ms: int, hits: Path, extra: dict[str, str], options: dict[str, Any]
) -> tuple[Outcome, list[Event]]:
    argv = [str(HOST), where, row.symbol, str(ms)]
    # Without stacks, which nobody looks at here: reading symbols is most of the work.
    done, events = run_preloaded(argv, hits, cwd=PROGRAMS, extra=extra, STACK="0", **options)
    assert (done.returncode, done.stderr) == (0, ""), done
    _, result, error = done.stdout.split()
    return (int(result), int(error)), events


def run_without_ours(row: Row) -> Outcome:
    environment = dict(clean_environment(), LD_PRELOAD=str(library_of(row)))
    argv = [str(HOST), "on", row.symbol, "2"]
    done = subprocess.run(
        argv, env=environment, capture_output=True, text=True, check=True, cwd=PROGRAMS
    )
    _, result, error = done.stdout.split()
    return int(result), int(error)


def check_all(family: str, check: Callable[[Row, Path], None], tmp_path: Path) -> None:
    """Checks all rows of a family; names those that fail."""
    rows = [row for row in all_rows() if row.program.name == f"calls_{family}"]

    def problem_of(row: Row) -> str:
        try:
            check(row, tmp_path / f"{row.symbol}.jsonl")
        except Exception as error:  # whatever goes wrong with a row, the others have their turn
            return f"{row.symbol}: {error!r}"
        return ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        problems = list(filter(None, pool.map(problem_of, rows)))
    assert rows and not problems, "\n".join(problems)


every_family = pytest.mark.parametrize("family", FAMILIES)


@every_family
@pytest.mark.parametrize("run", [run_before_ours, run_after_ours])
def test_slow_call_on_a_loop_in_a_constructor_is_reported(
    run: Callable, family: str, tmp_path: Path
) -> None:
    def check(row: Row, hits: Path) -> None:
        for ms in WAITS_MS:
            path = hits.with_name(f"{hits.stem}-{ms}.jsonl")
            _, events = run(row, "on", ms, path, THRESHOLD="20ms")
            if blocks(events):
                break
        assert [block["call"] for block in blocks(events)] == [row.canonical], describe(events)
        assert len(of_type(events, "loop")) == 1
        assert len(of_type(events, "start")) == 1

    check_all(family, check, tmp_path)


def run_crowd(hits: Path, *arguments: str, **options: Any) -> tuple[int, int]:
    """Loop threads, and how many sleeps of theirs were counted: not all reports of a burst may have
    room in the ring, nor stacks, where a busy machine lets the collector wait."""
    extra = {"LD_PRELOAD": f"{LIBRARY} {PROGRAMS / 'constructor' / 'crowd.so'}"}
    done, events = run_preloaded([HOST, *arguments], hits, extra=extra, STRICT="on", **options)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(of_type(events, "start")) == 1
    (summary,) = of_type(events, "summary")
    counted = {row["call"]: row["count"] for row in summary["by_call"]}
    return len(of_type(events, "loop")), counted["nanosleep"]


@pytest.mark.parametrize("attempt", range(10))
def test_threads_that_park_while_constructors_run_are_all_found(attempt: int, hits: Path) -> None:
    """One of them sets the library up, or its constructor does: once."""
    assert run_crowd(hits) == (9, 9)


def test_loop_that_a_constructor_declares_is_one(hits: Path) -> None:
    assert run_crowd(hits, "api") == (9, 9)


def test_main_thread_that_has_parked_before_our_constructor_is_one_loop(hits: Path) -> None:
    assert run_crowd(hits, "early", LOOP="main") == (1, 1)


@every_family
def test_slow_call_off_the_loop_is_silent_in_a_constructor(family: str, tmp_path: Path) -> None:
    def check(row: Row, hits: Path) -> None:
        _, events = run_before_ours(row, "off", SLOW_MS, hits, THRESHOLD="20ms")
        assert of_type(events, "loop")
        assert blocks(events) == [], describe(events)

    check_all(family, check, tmp_path)


@every_family
def test_call_under_the_threshold_is_silent_and_unchanged_in_a_constructor(
    family: str, tmp_path: Path
) -> None:
    def check(row: Row, hits: Path) -> None:
        outcome, events = run_before_ours(row, "on", 2, hits, THRESHOLD="10s")
        assert blocks(events) == [], describe(events)
        assert outcome == run_without_ours(row)

    check_all(family, check, tmp_path)


@every_family
def test_call_under_the_threshold_is_silent(family: str, tmp_path: Path) -> None:
    def check(row: Row, hits: Path) -> None:
        _, _, _, events = row.run("on", 2, hits, THRESHOLD="10s")
        assert len(of_type(events, "loop")) == 1
        assert blocks(events) == [], describe(events)

    check_all(family, check, tmp_path)
