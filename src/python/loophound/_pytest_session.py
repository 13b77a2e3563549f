# SPDX-License-Identifier: Apache-2.0
"""A pytest run that is watched: whose report is it, and what becomes of it."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import warnings
from collections import Counter
from typing import Any, Generator

import pytest

from loophound import _reexec
from loophound._allow import why_allowed
from loophound._children import Children
from loophound._events import Event
from loophound._hub import hub
from loophound._library import library
from loophound._message import describe, merge, one_line, short
from loophound._pytest_settings import FIXTURE, MARKER, SKIP_MARKER, RunSettings, TestSettings
from loophound._raising import Raiser
from loophound._report import BlockingError, BlockingWarning, Report
from loophound._rules import rule_for
from loophound._scope import PROJECT

LOST = 98
_TEST_BYTES = 255
_LATE_SHOWN = 10


class Found(BlockingError):
    """Raised after the phase of a test that blocked; `lines` and `whole` are shown for it."""

    def __init__(self, events: list[Event], settings: TestSettings) -> None:
        self.merged = merge(events, settings.project)
        self.lines = describe(events, settings.project)
        self.whole = describe(events, settings.project, whole=True)
        self.place = settings.project.judge(self.merged[0]).place
        summary = short(self.merged[0], settings.project)
        super().__init__(summary, events)


class _Current:
    """The test that runs, in one of its phases."""

    def __init__(self, item: pytest.Item, settings: TestSettings) -> None:
        self.item = item
        self.nodeid = item.nodeid  # pytest puts it together each time
        self.settings = settings
        self.tests: list[str] = []
        """what its phases were marked with"""
        self.report = Report(settings, self._is_ours)

    def _is_ours(self, event: Event) -> bool:
        return event.test in self.tests


class _Shower:
    """A plugin from the first test on that has blocked: how that is shown."""

    def __init__(self, whole: bool) -> None:
        self._whole = whole

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, None]:
        outcome = yield
        if call.excinfo is not None and isinstance(call.excinfo.value, Found):
            report = outcome.get_result()
            if report.outcome == "failed":
                report.longrepr = _shown(call.excinfo.value, self._whole)


class Watch:
    """The plugin of a run; in a worker of xdist that of the worker's part."""

    def __init__(self, config: pytest.Config, run: RunSettings, active: bool) -> None:
        self.config = config
        self.run = run
        self.active = active and hub.why_silent() is None
        self.current: _Current | None = None
        self.outside: list[Event] = []
        self.elsewhere: Counter[str] = Counter()
        self.places: dict[str, str] = {}
        self.unused = Counter({rule.text: rule.used for rule in run.rules.rules})
        self.dropped = 0
        self._usual: TestSettings | None = None
        self._parent: Any = None
        self._parent_marked = False
        self._shower: _Shower | None = None
        self._verbose = config.option.verbose >= 2
        self._is_worker = hasattr(config, "workerinput")
        if self.run.report_file and not self._is_worker:
            with open(self.run.report_file, "w", encoding="utf-8"):
                pass
        if self.active:
            hub.listen(self._hear)
        directory = _reexec.directory_of_this_start()
        if directory is not None:
            atexit.register(shutil.rmtree, directory, ignore_errors=True)
        common = _reexec.directory()
        distributes = getattr(config.option, "dist", "no") != "no" and not self._is_worker
        reads = self.active and common is not None and not distributes
        self._children = Children(common) if reads and common is not None else None
        self._ran: set[str | None] = set()

    def _hear(self, event: Event) -> None:
        current = self.current
        if event.type == "inflight":
            return
        if current is not None and event.test in current.tests:
            current.report._hear(event)
        else:
            self.outside.append(event)

    def _hear_children(self) -> None:
        """Beside a worker of xdist there are others' processes, too."""
        for event in self._children.read() if self._children is not None else ():
            if not self._is_worker or event.test in self._ran:
                self._hear(event)

    def report_of(self, item: pytest.Item) -> Report:
        """Of the test that runs."""
        if self.current is None or self.current.item is not item:
            return Report(TestSettings(item, self.run))
        return self.current.report

    def _settings_of(self, item: pytest.Item) -> TestSettings:
        """Most tests say nothing of their own, and have the same."""
        own = any(mark.name in (MARKER, SKIP_MARKER) for mark in item.own_markers)
        if own or FIXTURE in getattr(item, "fixturenames", ()) or self._is_marked(item.parent):
            return TestSettings(item, self.run)
        if self._usual is None:
            self._usual = TestSettings(item, self.run)
        return self._usual

    def _is_marked(self, parent: Any) -> bool:
        """The class, module or directory of a test; tests of the same one follow each other."""
        if self._parent is not parent:
            self._parent = parent
            self._parent_marked = parent is not None and any(
                parent.get_closest_marker(name) is not None for name in (MARKER, SKIP_MARKER)
            )
        return self._parent_marked

    # The phases of a test.

    def _begin(self, item: pytest.Item, phase: str) -> None:
        if not self.active:
            return
        if self.current is None or self.current.item is not item:
            self.current = _Current(item, self._settings_of(item))
            if self.current.settings.noise is not None and library is not None:
                library.noise(self.current.settings.noise)
        test = _test_name(self.current.nodeid, phase)
        self.current.tests.append(test)
        if self._is_worker:
            self._ran.add(test)
        hub.mark(test.encode())

    def _end(self, item: pytest.Item, outcome: Any, is_last: bool = False) -> None:
        current = self.current
        if not self.active or current is None:
            return
        if is_last or hub.has_news():
            hub.mark(None)  # with which the counts of this phase are told
            hub.drain()
        if self._children is not None:
            self._hear_children()
        if is_last and current.settings.noise is not None and library is not None:
            library.noise(None)
        if not current.report.is_empty():
            self._conclude(item, current, outcome)

    def _raiser_of(self, current: _Current | None) -> Raiser | None:
        if current is None or current.settings.off or current.settings.action != "raise":
            return None
        return Raiser(current.report)

    def _conclude(self, item: pytest.Item, current: _Current, outcome: Any) -> None:
        settings, report = current.settings, current.report
        for event in report.take_elsewhere():
            self.elsewhere[settings.project.judge(event).kind] += event.count
        events = report.take()
        if settings.off or not events:
            return
        self._note(events, settings)
        if self.run.update_baseline:
            return
        if settings.action == "warn":
            text = "\n".join(describe(events, settings.project))
            warnings.warn_explicit(BlockingWarning(text), None, *_location(item))
            return
        error = Found(events, settings)
        if self._shower is None:
            self._shower = _Shower(self._verbose)
            self.config.pluginmanager.register(self._shower)
        if outcome.excinfo is None:
            outcome.force_exception(error)
        else:  # the test has failed by itself: this stands beside it
            lines = error.whole if self._verbose else error.lines
            item.add_report_section(current.tests[-1], "loophound", "\n".join(lines))

    def _note(self, events: list[Event], settings: TestSettings) -> None:
        for event in merge(events, settings.project):
            self.places[rule_for(event, settings.project)] = one_line(event, settings.project)
        if self.run.report_file:
            lines = "".join(json.dumps(event.raw) + "\n" for event in events)
            with open(self.run.report_file, "ab", buffering=0) as file:
                file.write(lines.encode())

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, None]:
        self._begin(item, "setup")
        outcome = yield
        self._end(item, outcome)

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, None]:
        self._begin(item, "call")
        raiser = self._raiser_of(self.current)
        if raiser is None:
            outcome = yield
        else:
            with raiser:
                outcome = yield
        self._end(item, outcome)

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, None]:
        self._begin(item, "teardown")
        outcome = yield
        self._end(item, outcome, is_last=True)

    # The end.

    def _finish(self) -> None:
        if not self.active:
            return
        hub.drain()
        self._hear_children()
        self.dropped += library.dropped() if library is not None else 0
        self.dropped += self._children.dropped if self._children is not None else 0
        for rule in self.run.rules.rules:
            self.unused[rule.text] += rule.used

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._finish()
        if self._is_worker:
            self.config.workeroutput["loophound"] = {  # type: ignore[attr-defined]
                "places": self.places,
                "used": dict(self.unused),
                "elsewhere": dict(self.elsewhere),
                "outside": self._outside_here(),
                "dropped": self.dropped,
                "active": self.active,
            }
            return
        if self.run.update_baseline:
            self._write_baseline()
        if session.exitstatus == 0:
            if self.dropped:
                session.exitstatus = LOST
            elif self.run.strict_rules and self._unused_rules():
                session.exitstatus = 1

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """xdist: what a worker has found."""
        told = getattr(node, "workeroutput", {}).get("loophound")
        if told is None:
            return
        self.places.update(told["places"])
        self.unused.update(told["used"])
        self.elsewhere.update(told["elsewhere"])
        self._outside_of_workers.extend(told["outside"])
        self.dropped += told["dropped"]

    @property
    def _outside_of_workers(self) -> list[str]:
        if not hasattr(self, "_told_outside"):
            self._told_outside: list[str] = []
        return self._told_outside

    def _unused_rules(self) -> list[str]:
        return [
            f"{rule.origin}: {rule.text}"
            for rule in self.run.rules.rules
            if not self.unused[rule.text]
        ]

    def _write_baseline(self) -> None:
        lines = [
            "# Places that block the event loop and are known. Made by --loophound-update-baseline."
        ]
        lines += sorted(self.places)
        with open(self.run.baseline_file, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        lines = self._summary()
        if lines:
            terminalreporter.section("loophound")
            for line in lines:
                terminalreporter.write_line(line)

    def _summary(self) -> list[str]:
        lines: list[str] = []
        if self.dropped:
            lines.append(f"{self.dropped} reports were lost: the result is not reliable")
        if self.run.update_baseline:
            lines.append(f"{len(self.places)} places written to {self.run.baseline_file}")
        if self.run.rules.rules:
            lines += [f"rule was not used: {rule}" for rule in self._unused_rules()]
        outside = self._outside_here() + self._outside_of_workers
        if outside:
            lines.append(f"outside of tests, or after the test that began it: {len(outside)}")
            lines += [f"  {line}" for line in outside[:_LATE_SHOWN]]
        if self.elsewhere and self._verbose:
            counts = ", ".join(f"{kind} {n}" for kind, n in sorted(self.elsewhere.items()))
            lines.append(f"not counted, by whose code it is: {counts} (--loophound-scope=all)")
        return lines

    def _outside_here(self) -> list[str]:
        project = self.run.project
        return [
            one_line(event, project)
            for event in self.outside
            if project.judge(event).kind == PROJECT
            and event.suppressed is None
            and why_allowed(event) is None
        ]


def _test_name(nodeid: str, phase: str) -> str:
    """What a phase is marked with: "tests/test_a.py::test_b (call)", at most 255 bytes."""
    name = f"{nodeid} ({phase})"
    if len(name) <= _TEST_BYTES and name.isascii():
        return name
    data = name.encode(errors="replace")
    if len(data) <= _TEST_BYTES:
        return data.decode()
    tail = f"... {hash(nodeid) & 0xFFFFFFFF:08x} ({phase})".encode()
    return data[: _TEST_BYTES - len(tail)].decode(errors="ignore") + tail.decode()


def _location(item: pytest.Item) -> Any:
    file, line, _ = item.location
    return os.path.join(str(item.config.rootpath), file), (line or 0) + 1


def _shown(found: Found, whole: bool) -> Any:
    """As pytest shows an error, so that summaries, JUnit and xdist have its place and message."""
    lines = found.whole if whole else found.lines
    try:
        from _pytest._code.code import (
            ExceptionChainRepr,
            ReprEntryNative,
            ReprFileLocation,
            ReprTraceback,
        )
    except ImportError:
        return "\n".join(lines)
    place = found.place
    file = place.file if place is not None and place.file else "?"
    crash = ReprFileLocation(file, (place.line if place is not None else 0) or 0, str(found))
    entry = ReprEntryNative([line + "\n" for line in lines])
    return ExceptionChainRepr([(ReprTraceback([entry], None, "native"), crash, None)])


__all__ = ["SKIP_MARKER", "Watch"]
