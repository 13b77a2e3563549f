# SPDX-License-Identifier: Apache-2.0
"""The collector that the library starts by itself is no child that the program is told of."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from harness import PROGRAMS, preload_environment, started, wait_until
from test_collector import has_ended
from test_faults import Turns, collector_of

TOLD = re.compile(r"(\d+) signals, (\d+) waited for, (\d+) shown\n")


def assert_no_child_but(own: int, turns: Turns, when: str) -> None:
    """A signal and a wait tell for ever; /proc shows for a moment who starts the collector."""

    def nobody_else_is_shown() -> bool:
        told = TOLD.fullmatch(turns.say("look"))
        assert told, when
        assert (told[1], told[2]) == ("0", "0"), f"{told[0]} {when}"
        return int(told[3]) == own

    wait_until(f"the end of who starts the collector, {when}", nobody_else_is_shown)


def block_until_there_is_another_collector(turns: Turns, former: int) -> int:
    def another() -> int | None:
        turns.block()
        turns.flush()
        pid = collector_of(turns.process)
        return pid if pid != former else None

    pid: int = wait_until("another collector", another)
    return pid


@pytest.mark.parametrize("own", [0, 1])
@pytest.mark.parametrize("form", ["text", "json"])
def test_program_is_told_of_no_child_when_a_collector_starts_dies_and_starts_again(
    form: str, own: int, hits: Path
) -> None:
    """By SIGCHLD, wait4(-1), waitid(P_ALL), and the lists of children in /proc. As text a collector
    is started at the first event, as JSON with the loop."""
    environment = preload_environment(
        OUTPUT=str(hits), FORMAT=form, STRICT="on", RATE="off", CALLS="sleep"
    )
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started([PROGRAMS / "children", str(own)], environment, **pipes) as process:
        turns = Turns(process)
        assert_no_child_but(own, turns, "before there was anything to tell")
        turns.block()
        assert turns.flush() == "0"
        assert_no_child_but(own, turns, "when the collector had started")
        first = collector_of(process)
        os.kill(first, signal.SIGKILL)
        wait_until("its end", lambda: has_ended(first))
        second = block_until_there_is_another_collector(turns, first)
        assert_no_child_but(own, turns, "when it had died and another had started")
        os.kill(second, signal.SIGSTOP)  # of a child that stops its parent is told, too
        wait_until("its stop", lambda: " T " in Path(f"/proc/{second}/stat").read_text())
        assert_no_child_but(own, turns, "when that had been stopped")
        os.kill(second, signal.SIGCONT)
        _, err = turns.end()
    assert err == ""
