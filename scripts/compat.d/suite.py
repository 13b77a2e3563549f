# SPDX-License-Identifier: Apache-2.0
"""What a suite is: units that are run, each of which gives results by the names of its tests."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PASS = "pass"
SKIP = "skip"
FAIL = "fail"

# The name under which a run that did not end by itself, or without results, is a test as well.
WHOLE_RUN = "(the whole run)"

Results = dict[str, str]  # test -> PASS, SKIP, FAIL or, where a suite says more, that


@dataclass(frozen=True)
class Mode:
    """How the library is loaded; without options of ours where it is not."""

    name: str
    options: tuple[tuple[str, str], ...] | None

    def environment(self, library: Path, output: Path) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LOOPHOUND_", "LD_PRELOAD"))
        }
        if self.options is None:
            return kept
        ours = {f"LOOPHOUND_{name}": value for name, value in self.options}
        return {**kept, "LD_PRELOAD": str(library), "LOOPHOUND_OUTPUT": str(output), **ours}


BARE = Mode("bare", None)
MODES = (
    Mode("threshold", ()),
    Mode("strict", (("STRICT", "on"),)),
    Mode("1ms", (("THRESHOLD", "1ms"),)),
    # Every main thread is a loop thread from its start: all wrappers are at work in all programs.
    Mode("main", (("LOOP", "main"), ("THRESHOLD", "1ms"))),
)


class Suite:
    """Base of the suites."""

    name = ""
    at_once = True  # units of it may run beside each other
    whole = False  # a test cannot be run without the others of its unit

    def prepare(self, work: Path) -> None:
        """Gets what the suite needs into `work`, which outlives the run."""

    def units(self, short: bool) -> list[str]:
        raise NotImplementedError

    def run(self, unit: str, where: Path, environment: dict[str, str], only: str | None) -> Results:
        """Runs one unit with its logs in `where`; `only` one test of it, where that is possible."""
        raise NotImplementedError


def run_logged(
    argv: Sequence[str | Path],
    log: Path,
    environment: dict[str, str],
    cwd: Path,
    timeout_s: float,
) -> int:
    """Runs a program in a session of its own. Its exit status, negative for a signal; at the end of
    its time the session's process group is killed: -SIGALRM."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(argument) for argument in argv],
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return -signal.SIGALRM
    finally:
        with suppress(ProcessLookupError):  # also what the program left behind
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def with_end(results: Results, status: int) -> Results:
    """The results, and the end of the run as one more test where it tells more than they do."""
    if results and status >= 0:
        return results
    end = f"signal {-status}" if status < 0 else f"status {status}"
    return {**results, WHOLE_RUN: f"{FAIL}, {end}"}


def worst(results: Results, test: str, result: str) -> None:
    """Notes a result; a test that is told twice has failed if it failed once."""
    order = (SKIP, PASS)
    before = results.get(test)
    if before is None or before in order and (result not in order or result == PASS):
        results[test] = result
