# SPDX-License-Identifier: Apache-2.0
"""A pytest run that is watched: whose report is it, and what becomes of it."""

from __future__ import annotations

import atexit
import json
import shutil
from collections import Counter
from typing import Any, Generator

import pytest

from loophound import _pytest_found as _found
from loophound import _reexec
from loophound._allow import why_allowed
from loophound._children import Children
from loophound._events import Event
from loophound._hub import hub
from loophound._library import library
from loophound._message import describe, merge, one_line
from loophound._pytest_settings import FIXTURE, MARKER, SKIP_MARKER, RunSettings, TestSettings
from loophound._raising import Raiser
from loophound._report import Report
from loophound._rules import rule_for
from loophound._scope import PROJECT

LOST = 98
_TEST_BYTES = 255
_LATE_SHOWN = 10


class _Current:
    """The test that runs, in one of its phases."""

    def __init__(self, item: pytest.Item, settings: TestSettings) -> None:
        self.item = item
        self.nodeid = item.nodeid  # pytest puts it together each time
        self.settings = settings
        self.tests: list[str] = []
        """what its phases were marked with"""
        self._report: Report | None = None

    @property
    def report(self) -> Report:
        """Made for the first event: most tests have none."""
        if self._report is None:
            self._report = Report(self.settings, self._is_ours)
        return self._report

    def has_events(self) -> bool:
        return self._report is not None and not self._report.is_empty()

    def _is_ours(self, event: Event) -> bool:
        return event.test in self.tests


class _Raising:
    """A plugin from the first test on whose blocks are raised at their line."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        current = self._watch.current
        if current is None or not _raises(current.settings):
            yield
            return
        with Raiser(current.report):
            yield


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
        self._raising: _Raising | None = None
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
        for mark in item.own_markers:
            if mark.name in (MARKER, SKIP_MARKER):
                return TestSettings(item, self.run)
        if FIXTURE in getattr(item, "fixturenames", ()) or self._is_marked(item.parent):
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

    # The phases of a test. Each test has these hooks: they are no wrappers, which cost more, and do
    # little where nothing was reported. A phase ends where pytest asks for its report.

    def _begin(self, item: pytest.Item, phase: str) -> None:
        if not self.active:
            return
        current = self.current
        if current is None or current.item is not item:
            current = self.current = _Current(item, self._settings_of(item))
            self._set_up(current.settings)
        test = _test_name(current.nodeid, phase)
        current.tests.append(test)
        if self._is_worker:
            self._ran.add(test)
        hub.mark(test.encode())

    def _set_up(self, settings: TestSettings) -> None:
        if settings.noise is not None and library is not None:
            library.noise(settings.noise)
        if self._raising is None and _raises(settings):
            self._raising = _Raising(self)
            self.config.pluginmanager.register(self._raising)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._begin(item, "setup")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        self._begin(item, "call")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        self._begin(item, "teardown")

    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> pytest.TestReport | None:
        """Of a phase that has ended; None: pytest makes it."""
        current = self.current
        if current is None or current.item is not item:
            return None
        is_last = call.when == "teardown"
        if is_last:
            hub.mark(None)
        if hub.has_news():
            hub.begin_scope()  # with which the counts of this phase are told
            hub.drain()
        if self._children is not None:
            self._hear_children()
        if is_last and current.settings.noise is not None and library is not None:
            library.noise(None)
        if not current.has_events():
            return None
        return self._conclude(item, current, call)

    def _conclude(
        self, item: pytest.Item, current: _Current, call: pytest.CallInfo[None]
    ) -> pytest.TestReport | None:
        settings, report = current.settings, current.report
        for event in report.take_elsewhere():
            self.elsewhere[settings.project.judge(event).kind] += event.count
        events = report.take()
        if settings.off or not events:
            return None
        self._note(events, settings)
        if self.run.update_baseline:
            return None
        if settings.action == "warn":
            text = "\n".join(describe(events, settings.project))
            _found.warn(item, call, text)
            return None
        error = _found.Found(events, settings)
        lines = error.whole if self._verbose else error.lines
        if call.excinfo is not None:  # the test has failed by itself: this stands beside it
            item.add_report_section(current.tests[-1], "loophound", "\n".join(lines))
            return None
        return _found.failed(item, call, error, lines)

    def _note(self, events: list[Event], settings: TestSettings) -> None:
        for event in merge(events, settings.project):
            self.places[rule_for(event, settings.project)] = one_line(event, settings.project)
        if self.run.report_file:
            lines = "".join(json.dumps(event.raw) + "\n" for event in events)
            with open(self.run.report_file, "ab", buffering=0) as file:
                file.write(lines.encode())

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


def _raises(settings: TestSettings) -> bool:
    return settings.action == "raise" and not settings.off


__all__ = ["SKIP_MARKER", "Watch"]
