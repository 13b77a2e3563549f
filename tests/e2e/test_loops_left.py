# SPDX-License-Identifier: Apache-2.0
"""Loops of C programs: what a thread does when the function that ran its loop has returned is not
in the loop, nor are exit handlers; what its loop calls is, from whichever of its functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from harness import (
    BUILD,
    COMMAND,
    Event,
    blocks,
    clean_environment,
    describe,
    functions,
    of_type,
    read_events,
    stalls_of,
    started,
    wait_for_event,
)

PROGRAM = BUILD / "programs" / "loop_left"
LIMIT_S = 60


def say(process: Popen[str], word: str) -> None:
    assert process.stdin and process.stdout
    process.stdin.write(word + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"


@contextmanager
def running(
    hits: Path, loop: str, end: str = "main", flags: Sequence[str] = ()
) -> Iterator[Popen[str]]:
    """It has been blocked once, which is told: where its loop is on the stack was known before."""
    command: list[str | Path] = [COMMAND, "run", *flags, "-o", hits, "--", PROGRAM, loop, end]
    with started(command, clean_environment(), stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        say(process, "block")
        wait_for_event(hits, "block")
        for _ in range(4):
            say(process, "nothing")
        yield process


def finish(process: Popen[str], hits: Path) -> list[Event]:
    """The end of its input ends the loop. What was told after the first block."""
    _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, errors
    first, *others = blocks(events := read_events(hits))
    assert "work_inside" in functions(first)
    told = [event for event in of_type(events, "inflight") if event["id"] != first["id"]]
    assert not any("work_outside" in functions(event) for event in told), describe(told)
    return others + stalls_of(events)


@pytest.mark.parametrize("end", ["main", "atexit", "destructor", "exit"])
@pytest.mark.parametrize("loop", ["uv", "own"])
def test_work_after_a_loop_that_stays_open_is_not_in_it(loop: str, end: str, hits: Path) -> None:
    with running(hits, loop, end) as process:
        assert finish(process, hits) == []


@pytest.mark.parametrize("loop", ["main", "turns"])
def test_exit_handlers_are_not_in_the_loop_of_main_itself(loop: str, hits: Path) -> None:
    with running(hits, loop, "atexit") as process:
        assert finish(process, hits) == []


@pytest.mark.parametrize("loop", ["uv", "turns", "own", "main"])
def test_what_the_loop_calls_is_told(loop: str, hits: Path) -> None:
    with running(hits, loop, "atexit") as process:
        say(process, "block")
        say(process, "compute")
        block, stall = finish(process, hits)
    assert "work_inside" in functions(block)
    assert any("compute" in functions(sample) for sample in stall["samples"])


def test_timer_is_told_though_it_is_called_from_further_out_than_the_wait(hits: Path) -> None:
    with running(hits, "uv") as process:
        say(process, "timer")
        say(process, "timer")
        told = finish(process, hits)
    assert ["work_of_timer" in functions(event) for event in told] == [True, True], describe(told)


def test_work_between_two_turns_of_a_loop_is_told(hits: Path) -> None:
    """The first time when the loop goes on, as part of that iteration; then at once."""
    with running(hits, "turns", "atexit") as process:
        say(process, "outside")
        say(process, "outside")
        block, stall = finish(process, hits)
    assert "work_inside" in functions(block) and "run_uv" in functions(block)
    assert any("run_uv" in functions(sample) for sample in stall["samples"])
    assert stall["calls"][0]["call"] == "nanosleep"


def test_work_between_two_turns_is_told_in_strict_mode_at_once(hits: Path) -> None:
    flags = ["--strict", "--calls", "sleep", "-t", "3600s"]
    with running(hits, "turns", "exit", flags) as process:
        say(process, "outside")
        (block,) = finish(process, hits)
    assert "run_uv" in functions(block)
