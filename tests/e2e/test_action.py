# SPDX-License-Identifier: Apache-2.0
"""LOOPHOUND_ACTION: a signal at the line of a block, when its report is written."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness import (
    PATIENCE_S,
    PROGRAMS,
    Event,
    blocks,
    functions,
    preload_environment,
    read_events,
    run_command,
    run_preloaded,
    started,
)

ACTIONS = PROGRAMS / "actions"
MODES = {"threshold": {"THRESHOLD": "50ms"}, "strict": {"STRICT": "on", "THRESHOLD": "3600s"}}
# The whole of it, or what the watchdog writes where there is no collector.
COLLECTORS = ("auto", "none")


def run(
    what: str, hits: Path, **options: Any
) -> tuple[subprocess.CompletedProcess[str], list[Event]]:
    options = {"THRESHOLD": "50ms", "STALL": "off", **options}
    return run_preloaded([ACTIONS, what], hits, **options)


def called_in(events: list[Event], function: str) -> list[str]:
    return [block["call"] for block in blocks(events) if function in functions(block)]


@pytest.mark.parametrize("mode", MODES)
def test_without_an_action_a_program_goes_on(mode: str, hits: Path) -> None:
    done, events = run("block", hits, **MODES[mode])
    assert (done.returncode, done.stdout) == (0, "went on, handled 0\n")
    assert called_in(events, "blocks_here") == ["nanosleep"]


@pytest.mark.parametrize("what", ["block", "thread", "caught", "ignored", "masked"])
@pytest.mark.parametrize("mode", MODES)
def test_abort_ends_the_program_after_the_report(mode: str, what: str, hits: Path) -> None:
    done, events = run(what, hits, ACTION="abort", **MODES[mode])
    assert done.returncode == -signal.SIGABRT, done.stdout + done.stderr
    assert "went on" not in done.stdout
    assert called_in(events, "blocks_here") == ["nanosleep"]
    assert ("blocks_here+" in done.stdout) == (what == "caught"), done.stdout


@pytest.mark.parametrize("collector", COLLECTORS)
@pytest.mark.parametrize("mode", MODES)
def test_handled_signal_comes_at_the_call_and_the_program_goes_on(
    mode: str, collector: str, hits: Path
) -> None:
    done, events = run("block", hits, ACTION="signal:USR1", COLLECTOR=collector, **MODES[mode])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "went on, handled 1"
    assert "blocks_here+" in done.stdout, done.stdout
    assert len(blocks(events)) == 1


@pytest.mark.parametrize("collector", COLLECTORS)
def test_report_is_written_before_the_signal(collector: str, hits: Path) -> None:
    """It is there as soon as the program has ended."""
    options: dict[str, Any] = {"OUTPUT": str(hits), "THRESHOLD": "50ms", "COLLECTOR": collector}
    environment = preload_environment(ACTION="signal:TRAP", **options)
    with started([ACTIONS, "block"], environment) as process:
        assert process.wait(PATIENCE_S) == -signal.SIGTRAP
        (block,) = blocks(read_events(hits))
    assert block["stack"]


def test_signal_goes_to_the_thread_whose_call_it_was(hits: Path) -> None:
    done, events = run("thread", hits, ACTION="signal:USR1")
    assert done.stdout.splitlines()[-1] == "handled by this thread: 1"
    assert called_in(events, "blocks_here") == ["nanosleep"]


def test_call_that_failed_has_its_error_after_the_handler(hits: Path) -> None:
    done, events = run("error", hits, ACTION="signal:USR1")
    assert "fails_here+" in done.stdout
    said = ["recv -1 Resource temporarily unavailable", "went on, handled 1"]
    assert done.stdout.splitlines()[-2:] == said
    assert called_in(events, "fails_here") == ["recv"]


def test_signal_that_is_blocked_is_not_left_pending(hits: Path) -> None:
    done, events = run("blocked", hits, ACTION="signal:USR1")
    assert done.stdout.splitlines() == ["pending 0", "went on, handled 0"]
    assert len(blocks(events)) == 1


def test_handler_that_blocks_itself_is_not_run_for_ever(hits: Path) -> None:
    done, events = run("again", hits, ACTION="signal:USR1")
    assert done.stdout.splitlines()[-1] == "went on, handled 1"
    assert called_in(events, "on_usr1") == ["nanosleep"] * (len(blocks(events)) - 1)


def test_block_in_a_handler_of_another_signal_has_its_action_there(hits: Path) -> None:
    done, events = run("inside", hits, ACTION="signal:USR1")
    assert done.stdout.splitlines()[-1] == "went on, handled 1"
    assert "blocks_here+" in done.stdout and "on_other" not in done.stdout
    assert called_in(events, "on_other") == ["nanosleep"]


@pytest.mark.parametrize(("what", "said"), [("vfork", "child 0\n"), ("allowed", "")])
def test_nothing_happens_where_nothing_is_reported(what: str, said: str, hits: Path) -> None:
    done, events = run(what, hits, ACTION="abort")
    assert done.returncode == 0, done.stdout
    assert done.stdout == f"{said}went on, handled 0\n"
    assert blocks(events) == []


def test_run_says_how_an_aborted_program_ended(hits: Path) -> None:
    done = run_command("run", "--action", "abort", "-t", "50ms", "-o", hits, "--", ACTIONS, "block")
    assert done.returncode == 128 + signal.SIGABRT
