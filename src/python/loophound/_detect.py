# SPDX-License-Identifier: Apache-2.0
"""detect(): what blocks the loop within a `with` statement."""

from __future__ import annotations

import contextlib
import os
import warnings
from typing import Iterator, Sequence

from loophound._duration import duration_ms
from loophound._hub import hub
from loophound._library import option
from loophound._raising import Raiser
from loophound._report import BlockingError, BlockingWarning, Report, Settings
from loophound._rules import Rules
from loophound._scope import Project

ACTIONS = ("warn", "fail", "raise", "none")


@contextlib.contextmanager
def detect(
    *,
    strict: bool = True,
    threshold: str | float | None = None,
    scope: str = "all",
    allow: Sequence[str] = (),
    action: str = "warn",
) -> Iterator[Report]:
    """Collects what blocks any loop of this process within it: `with detect() as report:`.

    strict: also calls that only could have waited; needs LOOPHOUND_STRICT=on in the process.
    threshold: only what took so long: "100ms", "1.5s", or a number of milliseconds.
    scope: "all"; "project": only what code below the working directory did, but for tests by
    themselves; "own": those too.
    allow: rules of what is known: "at:app.py:load call:open # read once".
    action: what is done at the end where something was reported: "warn" (a BlockingWarning),
    "fail" (BlockingError), "raise" (BlockingError at the line itself, and at the end where that
    was swallowed; code runs two to three times slower within it), "none".

    In a coroutine it holds for the whole process meanwhile, not for one task: who blocks a loop
    blocks all of it. Where the library is not preloaded nothing is reported (is_active()).
    """
    if action not in ACTIONS:
        raise ValueError(f"action {action!r}: expected one of {', '.join(ACTIONS)}")
    settings = Settings(
        Project(os.getcwd()),
        strict=strict,
        threshold_ms=None if threshold is None else duration_ms(threshold),
        scope=scope,
        rules=Rules.of_lines(allow, "allow"),
    )
    report = Report(settings)
    hub.begin_scope()
    report.begin()
    raiser = Raiser(report) if action == "raise" else None
    failed: BaseException | None = None
    try:
        with raiser or contextlib.nullcontext():
            yield report
    except BaseException as error:
        failed = error
        raise
    finally:
        hub.begin_scope()
        report.end()
        if failed is None:
            _conclude(report, action)


def _conclude(report: Report, action: str) -> None:
    if action in ("fail", "raise"):
        report.assert_none()
    elif action == "warn" and report.events:
        warnings.warn(BlockingWarning(report.text()), stacklevel=4)


def is_strict() -> bool:
    """Are calls told here that only could have waited?"""
    return option("STRICT").lower() in ("on", "1", "yes", "true")


__all__ = ["BlockingError", "detect", "is_strict"]
