# SPDX-License-Identifier: Apache-2.0
"""The one reader of this process's reports, and those who want them.

Whoever looks for reports asks the library for their number first, which costs no more than a call.
Only where that has grown is there a wait for the collector, and something to read.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Callable

from loophound._events import Event
from loophound._inbox import Inbox, inbox_path
from loophound._library import library, why_inactive

if TYPE_CHECKING:
    from loophound._native import Library

FLUSH_MS = 10_000
Listener = Callable[[Event], None]


class Hub:
    """Any thread. Listeners are called by whoever drains, under the hub's lock: they are quick."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._listeners: list[Listener] = []
        self._seen = 0
        self._told: dict[tuple[int, int], Event] = {}
        self.test: bytes | None = None
        path = inbox_path() if library is not None else None
        self._inbox = Inbox(path) if path is not None else None

    def why_silent(self) -> str | None:
        """Why no events can be had here; None: they can."""
        if self._inbox is not None:
            return None
        return why_inactive() or (
            "the reports of this process are not written to a file of JSON Lines:"
            " LOOPHOUND_OUTPUT=PATH.jsonl lets them be read"
        )

    def listen(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.append(listener)

    def forget(self, listener: Listener) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def mark(self, test: bytes | None) -> None:
        """loophound_mark(), remembered: a detect() inside of a test gives it back."""
        self.test = test
        if library is not None:
            library.mark(test)

    def begin_scope(self) -> None:
        """Strict mode tells a place once in a scope: here one begins, of the same test."""
        if library is not None:
            library.mark(self.test)

    def has_news(self) -> bool:
        return library is not None and library.reports() != self._seen

    def drain(self, everything: bool = False) -> bool:
        """Hands out what was reported up to now; `everything`: also calls that have not ended,
        which are not counted. False: the collector did not answer in 10 s, and it is late."""
        if library is None or self._inbox is None:
            return True
        if not everything and library.reports() == self._seen:
            return True
        library.allow_begin()  # we read a file, perhaps on a loop thread
        try:
            return self._drain(library, self._inbox)
        finally:
            library.allow_end()

    def _drain(self, library: Library, inbox: Inbox) -> bool:
        with self._lock:
            seen = library.reports()
            in_time = library.flush_wait(FLUSH_MS) == 0
            for raw in inbox.read():
                self._hand_out(raw)
            if in_time:
                self._seen = seen
            return in_time

    def _hand_out(self, raw: dict[str, object]) -> None:
        kind = raw.get("type")
        if kind == "repeated":
            first = self._told.get((raw["pid"], raw["id"]))  # type: ignore[arg-type]
            if first is not None:
                first.count += int(raw["count"])  # type: ignore[call-overload]
        if kind not in ("block", "stall", "inflight"):
            return
        event = Event(raw)
        if kind != "inflight":
            if len(self._told) > 10_000:
                self._told.clear()
            self._told[event.id] = event
        for listener in tuple(self._listeners):
            listener(event)


hub = Hub()


def _after_fork() -> None:
    """A child has reports of its own, and none of its parent's readers."""
    if hub._inbox is not None:
        hub._inbox.close()
    test = hub.test
    hub.__init__()  # type: ignore[misc]
    hub.test = test


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
