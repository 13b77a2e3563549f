# SPDX-License-Identifier: Apache-2.0
"""What a person reads of a few events: at most 15 lines, or all with `whole`."""

from __future__ import annotations

import linecache
import os
from typing import Any, Sequence

from loophound._events import Event, Frame
from loophound._rules import rule_for
from loophound._scope import LIBRARY, PROJECT, STANDARD, TEST, Project, frames_in_loop

MOST_LINES = 15
_ORDER = {PROJECT: 0, TEST: 1, LIBRARY: 2}  # whose code comes first
ALLOW_LABEL = "loophound.allow"


def _relative(file: str | None, project: Project) -> str:
    if not file:
        return "?"
    if file.startswith(project.root + "/"):
        return file[len(project.root) + 1 :]
    _, installed, rest = file.rpartition("-packages/")
    return rest if installed else file


def where(frame: Frame | None, project: Project) -> str:
    """app.py:12: price"""
    if frame is None:
        return "no Python function is known"
    return f"{_relative(frame.file, project)}:{frame.line}: {frame.function or '?'}"


def _source(frame: Frame | None) -> str:
    if frame is None:
        return ""
    text = frame.source or ""
    if not text and frame.file and frame.line:
        text = linecache.getline(frame.file, frame.line).strip()
    return text


def resource_text(resource: dict[str, Any]) -> str:
    """What the call was made on; "": there is nothing to say of it."""
    kind, get = resource.get("kind"), resource.get
    if kind == "socket":
        suffix = "" if get("nonblocking") in (None, True) else ", not O_NONBLOCK"
        return f"socket to {get('peer') or 'an unknown peer'}{suffix}"
    if kind == "duration":
        ms = get("ms")
        return "for ever" if ms is None else f"{_asked(ms)} ms were asked for"
    texts = {
        "file": get("path"),
        "name": f"host {get('host')}",
        "pid": f"process {get('pid')} {get('command') or ''}".strip(),
        "thread": f"thread {get('name')}",
        "lock": "a lock",
    }
    return str(texts.get(str(kind)) or "")


def _asked(ms: float) -> str:
    """A time until a moment has lost some microseconds on its way."""
    return f"{round(ms, 1) or ms:g}"


def _time(event: Event) -> str:
    lasted = f"{event.duration_ms:.1f} ms"
    if event.reason == "strict":
        return f"took {lasted}" if event.duration_ms >= 1 else "could wait"
    return f"held the loop for {lasted}"


def headline(event: Event) -> str:
    """clock_nanosleep took 10.1 ms (10 ms were asked for), 3 times"""
    parts = [f"{event.call} {_time(event)}"]
    resource = resource_text(event.resource)
    if resource:
        parts.append(f" ({resource})")
    if event.count > 1:
        parts.append(f", {event.count} times")
    return "".join(parts)


def one_line(event: Event, project: Project) -> str:
    place = project.judge(event).place
    return f"{where(place, project)}: {headline(event)}"


def _in_full(event: Event, project: Project, whole: bool) -> list[str]:
    place = project.judge(event).place
    lines = [where(place, project), f">   {_source(place)}", f"    {headline(event)}"]
    nearest = next((f for f in event.python_stack if project.kind(f.file) != STANDARD), None)
    if nearest is not None and nearest != place:
        lines.append(f"    in {where(nearest, project)}")
    if event.id[0] != os.getpid():
        lines.append(f"    in process {event.id[0]}, which the test has started")
    if event.task:
        lines.append(f"    in task {event.task} on {event.thread}")
    lines += [f"    {key}: {value}" for key, value in event.labels.items() if key != ALLOW_LABEL]
    if event.advice:
        lines.append(f"    to do: {event.advice}")
    if whole:
        lines += [f"      {frame}" for frame in event.stack]
    else:
        lines += _callers(event, place, project)
    return lines


def _callers(event: Event, place: Frame | None, project: Project) -> list[str]:
    """The next of the project's own functions, which led there."""
    frames = frames_in_loop(event)
    outer = frames[frames.index(place) + 1 :] if place in frames else []
    own = [f for f in outer if project.kind(f.file) in (PROJECT, TEST)]
    return [f"    called from {where(own[0], project)}"] if own else []


def merge(events: Sequence[Event], project: Project) -> list[Event]:
    """One event for each place and call, with the count of all."""
    places: dict[object, Event] = {}
    for event in events:
        place = project.judge(event).place
        key = (event.call, place and (place.file, place.line, place.function))
        first = places.get(key)
        if first is None:
            places[key] = event.copy()
        else:
            first.count += event.count
    return sorted(places.values(), key=lambda event: _ORDER.get(project.judge(event).kind, 9))


def describe(events: Sequence[Event], project: Project, whole: bool = False) -> list[str]:
    """The first place in full, the others in a line each."""
    merged = merge(events, project)
    times = sum(event.count for event in merged)
    lines = [
        f"the event loop was blocked: {times} call{'s' if times > 1 else ''}"
        f" at {len(merged)} place{'s' if len(merged) > 1 else ''}"
    ]
    if whole:
        for event in merged:
            lines += ["", *_in_full(event, project, True)]
    else:
        lines += _in_full(merged[0], project, False)
    allow = ["to allow it: with loophound.allow('why'): ..., or in loophound_allow:"]
    allow.append(f"    {rule_for(merged[0], project)}  # why")
    if whole:
        return [*lines, *allow]
    others = [f"also {one_line(event, project)}" for event in merged[1:]]
    room = MOST_LINES - len(lines) - len(allow)
    if len(others) > room:
        left = len(others) - room + 1
        others = [*others[: room - 1], f"and {left} more places: pytest -vv shows all"]
    return [*lines, *others, *allow]


def short(event: Event, project: Project) -> str:
    """In one line, for a summary."""
    return f"blocked in {event.call} at {where(project.judge(event).place, project)}"
