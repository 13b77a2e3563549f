# SPDX-License-Identifier: Apache-2.0
"""How a test fails that has blocked: after its phase, as if that had raised it."""

from __future__ import annotations

import os
import warnings
from typing import Any

import pytest

from loophound._events import Event
from loophound._message import describe, merge, short
from loophound._pytest_settings import TestSettings
from loophound._report import BlockingError, BlockingWarning


class Found(BlockingError):
    """Raised after the phase of a test that blocked; `lines` and `whole` are shown for it."""

    def __init__(self, events: list[Event], settings: TestSettings) -> None:
        self.merged = merge(events, settings.project)
        self.lines = describe(events, settings.project)
        self.whole = describe(events, settings.project, whole=True)
        self.place = settings.project.judge(self.merged[0]).place
        summary = short(self.merged[0], settings.project)
        super().__init__(summary, events)


def warn(item: pytest.Item, call: pytest.CallInfo[None], text: str) -> None:
    """At the test's own line. Where warnings are errors, the phase fails with it."""
    try:
        warnings.warn_explicit(BlockingWarning(text), None, *_location(item))
    except BlockingWarning:
        if call.excinfo is None:
            call.excinfo = pytest.ExceptionInfo.from_current()


def failed(
    item: pytest.Item, call: pytest.CallInfo[None], error: Found, lines: list[str]
) -> pytest.TestReport:
    """The report of a phase that has not failed by itself, and `call` as if it had."""
    try:
        raise error  # --pdb looks at its traceback
    except Found:
        call.excinfo = pytest.ExceptionInfo.from_current()
    report = pytest.TestReport.from_item_and_call(item, call)
    report.longrepr = _shown(error, lines)
    return report


def _location(item: pytest.Item) -> Any:
    file, line, _ = item.location
    return os.path.join(str(item.config.rootpath), file), (line or 0) + 1


def _shown(error: Found, lines: list[str]) -> Any:
    """As pytest shows an error, so that summaries, JUnit and xdist have its place and message."""
    try:
        from _pytest._code.code import (
            ExceptionChainRepr,
            ReprEntryNative,
            ReprFileLocation,
            ReprTraceback,
        )
    except ImportError:
        return "\n".join(lines)
    place = error.place
    file = place.file if place is not None and place.file else "?"
    crash = ReprFileLocation(file, (place.line if place is not None else 0) or 0, str(error))
    entry = ReprEntryNative([line + "\n" for line in lines])
    return ExceptionChainRepr([(ReprTraceback([entry], None, "native"), crash, None)])
