# SPDX-License-Identifier: Apache-2.0
"""Stacks of every form, each compared with what V8 itself says of it: library, ring, collector,
JSON. truth.js makes them, interpreted and by each of the compilers that the version has."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import v8_offsets
from harness import Event, read_events, run_command

HERE = Path(__file__).resolve().parent
TRUTH = HERE / "truth.js"
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
        if frame["file"] is None and "." in (frame["function"] or "")
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


def look(node: Path, hits: Path, *script: str | Path, **env: str) -> Differences:
    """Runs truth.js, with its flags before it and where it looks behind it."""
    fifo, told = hits.parent / "fifo", hits.parent / "truth.jsonl"
    fifo.unlink(missing_ok=True)
    os.mkfifo(fifo)
    at = script.index(TRUTH)
    command: list[str | Path] = [*script[: at + 1], fifo, told, hits, *script[at + 1 :]]
    run: list[str | Path] = ["run", *OPTIONS, "-o", hits, "--", node, *command]
    done = run_command(*run, extra=env, PLACES="each", RATE="off")
    assert done.returncode == 0, done.stderr
    truths = [json.loads(line) for line in told.read_text().splitlines()]
    return compare(read_events(hits), truths)


@pytest.mark.parametrize("where", ["main", "worker"])
def test_stack_of_javascript_is_the_one_that_v8_tells(node: Path, where: str, hits: Path) -> None:
    found = look(node, hits, TRUTH, where)
    assert found.stacks >= LEAST_STACKS
    assert found.positions == []
    assert len(found.names) <= MOST_NAMES, found.names
    assert found.classes == []
    assert found.classes_told > found.stacks / 10
    assert found.builtins == []
    assert found.builtins_told > found.stacks / 10


# How V8 makes code, or what it writes of it, is another matter than what stands on the stack.
FLAGS = ["--jitless", "--perf-basic-prof", "--interpreted-frames-native-stack", "--max-lazy"]


@pytest.mark.parametrize("flag", FLAGS)
def test_flag_of_v8_changes_nothing(node: Path, flag: str, hits: Path) -> None:
    log = [f"--logfile={hits.parent / 'v8.log'}", "--no-logfile-per-isolate"]  # of some
    found = look(node, hits, flag, *log, TRUTH, TRUTH_ROUNDS="700")
    pid = read_events(hits)[0]["pid"]
    Path(f"/tmp/perf-{pid}.map").unlink(missing_ok=True)  # what the second one writes
    assert found.stacks >= LEAST_STACKS / 4
    assert found.positions == []


def test_code_from_a_cache_is_placed_as_well(node: Path, hits: Path, tmp_path: Path) -> None:
    """NODE_COMPILE_CACHE is known from Node.js 22 on; the second run finds what the first left."""
    for _ in range(2):
        hits.unlink(missing_ok=True)
        cache = str(tmp_path / "cache")
        found = look(node, hits, TRUTH, TRUTH_ROUNDS="0", NODE_COMPILE_CACHE=cache)
        assert found.stacks >= LEAST_STACKS / 4
        assert found.positions == []


def test_systems_own_node_is_read_too(hits: Path) -> None:
    """Debian's has V8 in a library (libnode.so)."""
    node = shutil.which("node")
    assert node is not None, "scripts/bootstrap node installs it"
    found = look(Path(node), hits, TRUTH)
    assert found.stacks >= LEAST_STACKS
    assert found.positions == []


def test_table_of_offsets_is_what_the_binary_says(node: Path) -> None:
    assert v8_offsets.check([v8_offsets.Binary(node)]) == 0
