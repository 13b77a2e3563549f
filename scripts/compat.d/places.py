# SPDX-License-Identifier: Apache-2.0
"""What a run in strict mode has told: reports, places, what was lost, from its JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

Event = dict[str, Any]


class Place(NamedTuple):
    """A call, and the nearest frame of Python outside the standard library."""

    call: str
    file: str
    line: int
    function: str

    def text(self) -> str:
        return f"{self.call} at {self.file}:{self.line} {self.function}"


@dataclass
class Told:
    calls: int = 0  # that counted
    reports: int = 0  # that were written
    dropped: int = 0
    loops: int = 0
    places: set[Place] = field(default_factory=set)
    of_project: set[Place] = field(default_factory=set)  # with a frame of it below the loop
    quiet: dict[str, int] = field(default_factory=dict)  # calls by class of noise


def is_standard(file: str) -> bool:
    """A file of CPython's own library."""
    return file.startswith("<") or ("/lib/python3" in file and "-packages/" not in file)


def short(file: str) -> str:
    """Without the directories of one run and of the environment."""
    return file.split("-packages/")[-1].split("/tree/")[-1]


def below_loop(python: list[Event]) -> list[Event]:
    """What lies beyond the loop's own function has not called it for that."""
    for at, frame in enumerate(python):
        if frame["function"].rpartition(".")[2] in ("_run_once", "run_forever", "unrolled_run"):
            return python[:at]
    return python


def place_of(block: Event, stack: list[Event]) -> Place:
    python = below_loop([frame for frame in stack if frame["lang"] == "python"])
    for frame in python:
        if not is_standard(frame.get("file") or "<>"):
            return Place(
                block["call"], short(frame["file"]), frame.get("line") or 0, frame["function"]
            )
    if python:
        frame = python[0]
        return Place(block["call"], short(frame.get("file") or ""), 0, frame["function"])
    return Place(block["call"], "", 0, "")


def events(hits: Path) -> Iterator[tuple[Event, list[Event]]]:
    """The events of a file, with their stacks: docs/output.md, "Stacks once"."""
    frames: dict[str, Event] = {}
    stacks: dict[str, list[Event]] = {}
    with hits.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue  # the last one, of a program that was killed
            if event["type"] == "frame":
                frames[event["id"]] = event
            elif event["type"] == "stack":
                stack = [frames[identity] for identity in event["frames"]]
                if "outer" in event:
                    stack += stacks[event["outer"]][-event["outer_frames"] :]
                stacks[event["id"]] = stack
            else:
                yield event, stacks.get(event.get("stack_id", ""), event.get("stack") or [])


def read_told(hits: Path, package: str) -> Told:
    told = Told()
    for event, stack in events(hits) if hits.exists() else ():
        if event["type"] == "loop":
            told.loops += 1
        elif event["type"] == "summary":
            told.calls += event["blocks"]
            told.dropped += event["dropped"]
            for name, count in event.get("quiet", {}).items():
                told.quiet[name] = told.quiet.get(name, 0) + count
        elif event["type"] == "block":
            told.reports += 1
            place = place_of(event, stack)
            told.places.add(place)
            below = below_loop([frame for frame in stack if frame["lang"] == "python"])
            if any(f"-packages/{package}/" in (frame.get("file") or "") for frame in below):
                told.of_project.add(place)
    return told
