# SPDX-License-Identifier: Apache-2.0
"""Reports of the processes that tests start, which have the library in them as pytest has.

Each process writes to a file of its own in the directory that pytest was started again with. What
it tells has the test that started it, by PYTEST_CURRENT_TEST or by fork. Workers of pytest-xdist
write there, too, and read for themselves: each pytest leaves a file that says so.
"""

from __future__ import annotations

import os
import time

from loophound._allow import allow
from loophound._events import Event
from loophound._inbox import Inbox

_REPORTS, _PYTEST = ".jsonl", ".pytest"
_NOTHING: list[Event] = []
_SETTLED_NS = 50_000_000  # a change later than that gives the directory another time


class Children:
    """One thread at a time. A process that still runs is read again with the next test."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._changed_ns = 0
        self._open: dict[int, Inbox] = {}
        self._seen = {os.getpid()}
        self.dropped = 0
        """reports that ended processes have lost"""
        with open(os.path.join(directory, f"{os.getpid()}{_PYTEST}"), "w", encoding="utf-8"):
            pass

    def read(self) -> list[Event]:
        """What has come since the last call; costs a look at the directory where there is none.
        Three times a test: nothing is made for it."""
        try:
            changed_ns = os.fstat(self._fd).st_mtime_ns  # which the library does not look at
            if changed_ns != self._changed_ns:
                settled = changed_ns < time.time_ns() - _SETTLED_NS
                self._changed_ns = changed_ns if settled else 0
                self._look()
        except OSError:
            pass
        if not self._open:
            return _NOTHING
        with allow("reads reports"):
            return [event for pid in tuple(self._open) for event in self._read(pid)]

    def _look(self) -> None:
        with allow("looks for reports"):
            names = os.listdir(self._directory)
        pids = {int(name.partition(".")[0]) for name in names if name.endswith(_REPORTS)}
        for pid in pids - self._seen:
            self._seen.add(pid)
            if f"{pid}{_PYTEST}" not in names:
                path = os.path.join(self._directory, f"{pid}{_REPORTS}")
                self._open[pid] = Inbox(path, pid)

    def _read(self, pid: int) -> list[Event]:
        inbox = self._open[pid]
        events: list[Event] = []
        told: dict[object, Event] = {}
        for raw in inbox.read():
            kind = raw.get("type")
            if kind in ("block", "stall"):
                event = told[raw["id"]] = Event(raw)
                events.append(event)
            elif kind == "repeated" and raw["id"] in told:
                told[raw["id"]].count += int(raw["count"])
            elif kind == "summary":
                self.dropped += int(raw.get("dropped") or 0)
                inbox.close()
                self._open.pop(pid, None)
        return events
