# SPDX-License-Identifier: Apache-2.0
"""Rules that keep a known block or stall quiet: `at:app.py:load call:open # read once`.

All conditions of a rule must hold. One that begins with `!` always reports, whatever the others
say. The text after ` # ` is the reason. FILE matches whole components of a path, from the right.

It is the language of docs/rules.md, which the collector reads too, and judges by (`suppressed` of
an event). Rules are read here as well because those of a marker or of detect() hold for a part of a
program that runs already, and a collector takes its rules at its start.
"""

from __future__ import annotations

import fnmatch
import re
from typing import Callable, Iterable

from loophound._duration import duration_ms
from loophound._events import Event, Frame
from loophound._scope import STANDARD, Project


def _matches_file(file: str | None, pattern: str) -> bool:
    if not file:
        return False
    if file.startswith("<"):
        return fnmatch.fnmatchcase(file, pattern)
    wanted = pattern.lstrip("/").split("/")
    there = file.split("/")[-len(wanted) :]
    return len(there) == len(wanted) and all(map(fnmatch.fnmatchcase, there, wanted))


def _matches_frame(frame: Frame, value: str) -> bool:
    file, _, function = value.partition(":")
    if not _matches_file(frame.file, file):
        return False
    name = frame.function or ""
    names = (name, name.rpartition(".")[2])
    return not function or any(fnmatch.fnmatchcase(n, function) for n in names)


def _at(event: Event, value: str, project: Project) -> bool:
    python = event.python_stack
    nearest = next((f for f in python if project.kind(f.file) != STANDARD), None)
    return nearest is not None and _matches_frame(nearest, value)


def _place(event: Event, value: str, _: Project) -> bool:
    return event.place is not None and _matches_frame(event.place, value)


def _in(event: Event, value: str, _: Project) -> bool:
    return any(_matches_frame(frame, value) for frame in event.python_stack)


def _native(event: Event, value: str, _: Project) -> bool:
    module, _mark, function = value.partition("!")
    return any(
        _matches_file(frame.module, module)
        and fnmatch.fnmatchcase(frame.function or "", function or "*")
        for frame in event.stack
        if frame.lang == "native"
    )


def _text(get: Callable[[Event], str | None]) -> Callable[[Event, str, Project], bool]:
    def matches(event: Event, value: str, _: Project) -> bool:
        return fnmatch.fnmatchcase(get(event) or "", value)

    return matches


# As lh_facts_descriptor() in src/collect/report/facts.c has them.
_DESCRIPTORS = (
    ("/dev/pts/", "tty"),
    ("/dev/tty", "tty"),
    ("/dev/console", "tty"),
    ("/dev/", "device"),
    ("/", "file"),
    ("pipe:", "pipe"),
    ("socket:", "socket"),
    ("anon_inode:", "anon"),
)


def _descriptor(event: Event) -> str | None:
    resource = event.resource
    if (resource.get("fd") or 0) < 0 or "fd" not in resource:
        return None
    if resource.get("kind") == "socket":
        return "socket"
    path = resource.get("path") or ""
    return next((kind for begin, kind in _DESCRIPTORS if path.startswith(begin)), None)


def _test_name(event: Event) -> str:
    return (event.test or "").rpartition(" (")[0] or (event.test or "")


def _phase(event: Event) -> str:
    return (event.test or "").rpartition(" (")[2].rstrip(")")


_CONDITIONS: dict[str, Callable[[Event, str, Project], bool]] = {
    "call": _text(lambda event: event.call),
    "group": _text(lambda event: event.group),
    "type": _text(lambda event: event.type),
    "at": _at,
    "in": _in,
    "place": _place,
    "native": _native,
    "path": _text(lambda event: event.resource.get("path")),
    "peer": _text(lambda event: event.resource.get("peer")),
    "host": _text(lambda event: event.resource.get("host")),
    "fd": _text(_descriptor),
    "thread": _text(lambda event: event.thread),
    "task": _text(lambda event: event.task),
    "test": _text(_test_name),
    "phase": _text(_phase),
    "under": lambda event, value, _: event.duration_ms < duration_ms(value),
    "noise": _text(lambda event: event.raw.get("noise")),
}
# name:value, name:"a value", name:'a value'
_WORD = re.compile(
    r"""([a-z]+):(?:"([^"]*)"|'([^']*)'|([^\s"']\S*))(?=\s|$)|(\S+)""",
)


class RuleError(ValueError):
    """A rule that cannot be read: what is wrong, and where."""


class Rule:
    """One line. `used` counts what it kept quiet."""

    def __init__(self, line: str, origin: str = "") -> None:
        self.origin = origin
        self.used = 0
        text, _, self.reason = line.strip().partition(" # ")
        self.always = text.startswith("!")
        self.text = text.strip()
        self._conditions = [self._condition(word) for word in _WORD.finditer(self.text.lstrip("!"))]
        if not self._conditions:
            raise RuleError(f"{self._where()}a rule needs a condition, as call:open or at:FILE")

    def _where(self) -> str:
        return f"{self.origin}: " if self.origin else ""

    def _condition(self, word: re.Match[str]) -> tuple[Callable[[Event, str, Project], bool], str]:
        name, *values, _ = word.groups()
        value = next((text for text in values if text), "")
        if not value or name not in _CONDITIONS:
            known = ", ".join(f"{name}:" for name in _CONDITIONS)
            raise RuleError(
                f"{self._where()}{word.group()!r} is no condition; expected one of {known}"
            )
        if name == "under":
            duration_ms(value)
        return _CONDITIONS[name], value

    def matches(self, event: Event, project: Project) -> bool:
        return all(condition(event, value, project) for condition, value in self._conditions)


class Rules:
    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = list(rules)

    @classmethod
    def of_lines(cls, lines: Iterable[str], origin: str = "") -> Rules:
        """Empty lines and those that begin with # say nothing. RuleError names the line."""
        rules: list[Rule] = []
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.lstrip().startswith("#"):
                rules.append(Rule(line, f"{origin}:{number}" if origin else ""))
        return cls(rules)

    def quiets(self, event: Event, project: Project) -> Rule | None:
        """The rule that keeps it quiet; None: it is to be told."""
        found: Rule | None = None
        for rule in self.rules:
            if (found is None or rule.always) and rule.matches(event, project):
                if rule.always:
                    rule.used += 1
                    return None
                found = rule
        if found is not None:
            found.used += 1
        return found


def rule_for(event: Event, project: Project) -> str:
    """The rule that keeps this place quiet, and no other: for messages and baselines."""
    place = next((f for f in event.python_stack if project.kind(f.file) != STANDARD), None)
    if place is None or not place.file:
        return f"call:{event.call}"
    parts = [part for part in place.file.split("/") if part]
    name = "/".join(parts[-2:])
    if place.file.startswith(project.root + "/"):
        name = place.file[len(project.root) + 1 :]
    function = (place.function or "*").rpartition(".")[2]
    return f"at:{name}:{function}".replace(" ", "?") + f" call:{event.call}"
