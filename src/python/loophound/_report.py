# SPDX-License-Identifier: Apache-2.0
"""What was reported in a scope, and what becomes of it."""

from __future__ import annotations

import threading
from typing import Callable, Sequence

from loophound._allow import why_allowed
from loophound._events import Event
from loophound._hub import hub
from loophound._library import library
from loophound._message import describe
from loophound._rules import Rules
from loophound._scope import OWN, PROJECT, TEST, Project

# Whose code it is; (): anybody's.
SCOPES: dict[str, tuple[str, ...]] = {"all": (), "project": (PROJECT,), "own": (PROJECT, TEST)}


class BlockingError(Exception):
    """Something blocked the event loop: the text says what and where; `.events` has it all."""

    def __init__(self, message: str, events: Sequence[Event] = ()) -> None:
        super().__init__(message)
        self.events: list[Event] = list(events)

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return type(self), (str(self),)  # to another process goes the text


class BlockingWarning(UserWarning):
    """Something blocked the event loop, and it was asked to be told as a warning."""


class Settings:
    """Which events count: `scope` all, project or own (the project and its tests); `strict`: also
    what could have waited; `threshold_ms`: only what took so long."""

    def __init__(
        self,
        project: Project,
        *,
        strict: bool = True,
        threshold_ms: float | None = None,
        scope: str = "all",
        rules: Rules | None = None,
    ) -> None:
        if scope not in SCOPES:
            raise ValueError(f"scope {scope!r}: expected one of {', '.join(SCOPES)}")
        self.project = project
        self.strict = strict
        self.threshold_ms = threshold_ms
        self.scope = scope
        self.rules = rules if rules is not None else Rules()

    def is_wanted(self, event: Event) -> bool:
        """By its kind and time."""
        if event.type == "inflight":
            return False
        if self.threshold_ms is not None:
            return event.duration_ms >= self.threshold_ms
        if self.strict:
            return event.type == "block"
        return event.reason != "strict"

    def is_in_scope(self, event: Event) -> bool:
        kinds = SCOPES[self.scope]
        return not kinds or self.project.judge(event).kind in kinds


class Report:
    """What blocked a loop of this process in a scope, and counts for it. Any thread.

    Reading `events`, `blocks`, `stalls` or `dropped` asks for what was reported up to now.
    """

    def __init__(
        self, settings: Settings, wants: Callable[[Event], bool] = lambda event: True
    ) -> None:
        self.settings = settings
        self._wants = wants
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._allowed: list[Event] = []
        self._elsewhere: list[Event] = []
        self._dropped_before = library.dropped() if library is not None else 0

    def _hear(self, event: Event) -> None:
        if not self._wants(event) or not self.settings.is_wanted(event):
            return
        with self._lock:
            if self.settings.project.judge(event).kind == OWN:
                return  # what this package does, to tell of the others
            if event.suppressed is not None or why_allowed(event) is not None:
                self._allowed.append(event)
            elif not self.settings.is_in_scope(event):
                self._elsewhere.append(event)
            elif self.settings.rules.quiets(event, self.settings.project) is not None:
                self._allowed.append(event)
            else:
                self._events.append(event)

    def begin(self) -> None:
        hub.drain()
        hub.listen(self._hear)

    def end(self) -> None:
        hub.drain()
        hub.forget(self._hear)

    @property
    def events(self) -> list[Event]:
        """What counts, in the order in which it ended."""
        hub.drain()
        with self._lock:
            return list(self._events)

    @property
    def blocks(self) -> list[Event]:
        return [event for event in self.events if event.type == "block"]

    @property
    def stalls(self) -> list[Event]:
        return [event for event in self.events if event.type == "stall"]

    @property
    def allowed(self) -> list[Event]:
        """What a scope of allow() or a rule has kept quiet."""
        hub.drain()
        with self._lock:
            return list(self._allowed)

    @property
    def elsewhere(self) -> list[Event]:
        """With scope="project": what tests, test runners and libraries did by themselves."""
        hub.drain()
        with self._lock:
            return list(self._elsewhere)

    @property
    def dropped(self) -> int:
        """How many reports of this process were lost meanwhile: then nothing is certain."""
        return library.dropped() - self._dropped_before if library is not None else 0

    def is_empty(self) -> bool:
        """Of what was read up to now; asks for nothing."""
        return not self._events and not self._elsewhere

    def take(self) -> list[Event]:
        """What counts of what was read up to now, and is not looked at again."""
        with self._lock:
            events, self._events = self._events, []
        return events

    def take_elsewhere(self) -> list[Event]:
        with self._lock:
            events, self._elsewhere = self._elsewhere, []
        return events

    def clear(self) -> None:
        """Forgets what was reported up to now: it was looked at."""
        hub.drain()
        with self._lock:
            self._events.clear()

    def text(self, whole: bool = False) -> str:
        """At most 15 lines for a person, or all of it; "": there is nothing."""
        events = self.events
        if not events:
            return ""
        return "\n".join(describe(events, self.settings.project, whole))

    def assert_none(self) -> None:
        """BlockingError: there is something, or reports were lost."""
        events = self.events
        if events:
            raise BlockingError(self.text(), events)
        if self.dropped:
            raise BlockingError(f"{self.dropped} reports were lost: the result is not reliable")
