# SPDX-License-Identifier: Apache-2.0
"""Stacks of every form, each compared with what V8 itself says of it: library, ring, collector,
JSON. truth.js makes them, interpreted and by each of the compilers that the version has."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import v8_offsets
from harness import Event, read_events, run_command

HERE = Path(__file__).resolve().parent
LEAST_STACKS = 270
MOST_NAMES = 6  # a name that was given to a function later on is not always found
OPTIONS = "--strict --stacks inline --stack full --noise none".split()

# What V8 says of a function that is called on one; we say the name of that.
FUNCTION = ("Function", "AsyncFunction")

Frame = dict[str, Any]


@dataclass
class Differences:
    stacks: int = 0
    positions: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    classes_told: int = 0
    builtins: list[str] = field(default_factory=list)
    builtins_told: int = 0

    def note(self, label: str, depth: int, ours: Frame, theirs: Frame) -> None:
        what = f"{label}: frame {depth} is {shown(ours)}, V8 says {shown(theirs)}"
        # V8 was asked one call later in the innermost one.
        keys = ("file", "line", "column") if depth > 0 else ("file", "line")
        if any(ours[key] != theirs[key] for key in keys):
            self.positions.append(what)
        if ours["function"] != theirs["function"]:
            self.names.append(what)
        if ours["class"] is not None:
            self.classes_told += 1
            if theirs["type"] not in (ours["class"], *FUNCTION):
                self.classes.append(f"{what}: class {ours['class']}, not {theirs['type']}")

    def note_builtins(self, label: str, ours: set[str], theirs: set[str]) -> None:
        """One that a compiler has made part of its caller is not always told."""
        self.builtins_told += len(ours)
        if not ours <= theirs:
            self.builtins.append(f"{label}: {ours - theirs} is none of {theirs}")


def shown(frame: Frame) -> str:
    return f"{frame['function']} {frame['file']}:{frame['line']}:{frame['column']}"


def ours(event: Event) -> list[Frame]:
    """From the function that reads on outwards, without V8's own builtins, which have no place."""
    frames = [frame for frame in event["stack"] if frame["lang"] == "jit"]
    first = next(i for i, frame in enumerate(frames) if frame["function"] == "look")
    return [
        {
            "function": frame["function"].replace("(anonymous)", ""),
            "file": frame["file"] or "",
            "line": frame["line"],
            "column": frame.get("column"),
            "class": frame.get("class"),
        }
        for frame in frames[first:]
        if frame["line"] is not None
    ]


def theirs(truth: Event) -> list[Frame]:
    return [
        {**frame, "file": frame["file"].removeprefix("file://")}
        for frame in truth["frames"]
        if not frame["later"] and frame["line"] is not None
    ]


def our_builtins(event: Event) -> set[str]:
    frames = [frame for frame in event["stack"] if frame["lang"] == "jit"]
    first = next(i for i, frame in enumerate(frames) if frame["function"] == "look")
    return {
        frame["function"]
        for frame in frames[first:]
        if frame["file"] is None and "." in frame["function"]
    }


def their_builtins(truth: Event) -> set[str]:
    """As V8 prints them; Array.from is Function.from to it."""
    names = set()
    for frame in truth["frames"]:
        if frame["line"] is None:
            names.add(f"{frame['type']}.{frame['function']}")
            if frame["type"] in FUNCTION:
                names |= {f"{of}.{frame['function']}" for of in ("Array", "Promise", "Object")}
    return names


def is_looked_at(event: Event) -> bool:
    names = [frame["function"] for frame in event["stack"]] if event["type"] == "block" else []
    return "look" in names and event["call"] == "read"


def compare(events: list[Event], truths: list[Event]) -> Differences:
    found = Differences()
    told = [event for event in events if is_looked_at(event)]
    assert len(told) == len(truths)
    for event, truth in zip(told, truths, strict=True):
        found.stacks += 1
        mine, right = ours(event), theirs(truth)
        found.note_builtins(truth["label"], our_builtins(event), their_builtins(truth))
        if len(mine) != len(right):
            found.positions.append(f"{truth['label']}: {mine} is not {right}")
            continue
        for depth, (one, other) in enumerate(zip(mine, right, strict=True)):
            found.note(truth["label"], depth, one, other)
    return found


@pytest.mark.parametrize("where", ["main", "worker"])
def test_stack_of_javascript_is_the_one_that_v8_tells(
    node: Path, where: str, hits: Path, tmp_path: Path
) -> None:
    fifo, told = tmp_path / "fifo", tmp_path / "truth.jsonl"
    os.mkfifo(fifo)
    script: list[str | Path] = [node, HERE / "truth.js", fifo, told, where]
    done = run_command("run", *OPTIONS, "-o", hits, "--", *script, PLACES="each", RATE="off")
    assert done.returncode == 0, done.stderr
    truths = [json.loads(line) for line in told.read_text().splitlines()]
    found = compare(read_events(hits), truths)
    assert found.stacks >= LEAST_STACKS
    assert found.positions == []
    assert len(found.names) <= MOST_NAMES, found.names
    assert found.classes == []
    assert found.classes_told > found.stacks / 10
    assert found.builtins == []
    assert found.builtins_told > found.stacks / 10


def test_table_of_offsets_is_what_the_binary_says(node: Path) -> None:
    assert v8_offsets.check([v8_offsets.Binary(node)]) == 0
