# SPDX-License-Identifier: Apache-2.0
"""What keeps a loop of Node.js is named by the function and the line of the program, without a flag
of Node's."""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from harness import Event, describe, of_type, read_events, run_command

HERE = Path(__file__).resolve().parent
BUSY = HERE / "busy.js"
WAYS = (
    "loop regex replaces often parse stringify hash command file sort gzip wait garbage collects "
    "compiles"
).split()

# What is told of the innermost function of JavaScript.
SLOW = "^(a+)+$"
WHAT: dict[str, dict[str, Any]] = {
    "regex": {"function": "RegExp.test", "regexp": SLOW},
    "replaces": {"function": "String.replace", "regexp": SLOW},
    "often": {"regexp": "^(a+)+x"},
    "parse": {"function": "JSON.parse", "bytes": 600_000 * len('{"key": [1, 2, 3]},') + 3},
    "stringify": {"function": "JSON.stringify", "elements": 1_000_000},
    "sort": {"function": "Array.sort"},
    "wait": {"function": "Atomics.wait"},
}

# What V8 does for itself at one of the places where the time went.
WORK = {
    "garbage": "V8's garbage collector, ",  # of what kind is V8's choice
    "collects": "V8's garbage collector, mark-compact",
    "compiles": "V8's compiler",
}

CLEAN_THRESHOLD = "1s"  # of a machine that does other things meanwhile


def line_of(way: str) -> int:
    """Where the function of that name does what takes long."""
    lines = BUSY.read_text().splitlines()
    begin = lines.index(f"  {way}() {{")
    return next(i + 1 for i in range(begin, len(lines)) if lines[i].endswith("// here"))


def weight(event: Event) -> float:
    return float(event["duration_ms"])


def users_frame(event: Event) -> dict[str, Any] | None:
    """Of a stall that of the samples which stand for most of it."""
    stacks = (
        [event["stack"]]
        if event["type"] == "block"
        else [sample["stack"] for sample in sorted(event["samples"], key=lambda s: -s["count"])]
    )
    frames = [frame for stack in stacks for frame in stack if frame.get("user")]
    return frames[0] if frames else None


def stack_of(event: Event) -> list[dict[str, Any]]:
    """Where most of its time went."""
    stack: list[dict[str, Any]] = (
        event["stack"] if "stack" in event else event["groups"][0]["stack"]
    )
    return stack


def innermost(event: Event) -> dict[str, Any]:
    return next(frame for frame in stack_of(event) if frame["lang"] == "jit" and frame["function"])


def work_of(events: list[Event]) -> set[str]:
    """What has a tenth of a place's time, or more."""
    places = [place for stall in of_type(events, "stall") for place in stall["groups"]]
    in_stalls = {
        work["in"] for place in places for work in place["work"] if work["ms"] >= place["ms"] / 10
    }
    return in_stalls | {block["work"] for block in of_type(events, "block") if block["work"]}


def give(fifo: Path) -> None:
    """Somebody who is slow to write."""
    with fifo.open("wb") as file:
        threading.Event().wait(0.4)  # what the test is about
        file.write(b"late")


def run(
    node: Path, way: str, hits: Path, *options: str, extra: dict[str, str] | None = None
) -> list[Event]:
    fifo = hits.parent / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=give, args=(fifo,), daemon=True)
    if way == "file":
        writer.start()
    output: list[str | Path] = ["--stacks", "inline", "-o", hits]
    done = run_command("run", *output, *options, "--", node, BUSY, way, fifo, extra=extra)
    assert done.returncode == 0, done.stderr
    return read_events(hits)


@pytest.mark.parametrize("way", WAYS)
def test_what_keeps_the_loop_is_named_by_its_function_and_line(
    node: Path, way: str, hits: Path
) -> None:
    events = run(node, way, hits)
    reports = sorted(of_type(events, "block") + of_type(events, "stall"), key=weight)
    reports = [report for report in reports if users_frame(report)]
    assert reports, describe(events)
    frame = users_frame(reports[-1])
    assert frame is not None
    assert (frame["function"], frame["file"], frame["line"]) == (way, str(BUSY), line_of(way))
    assert "at_start" not in frame
    table = run_command("report", hits).stdout.splitlines()
    first = next(line for line in table if "busy.js" in line or "ms" in line)
    assert f"busy.js:{line_of(way)} {way}" in first, table
    if way in WHAT:
        of_v8 = innermost(reports[-1])
        assert {member: of_v8.get(member) for member in WHAT[way]} == WHAT[way], of_v8
    if way in WORK:
        assert any(work.startswith(WORK[way]) for work in work_of(events)), describe(events)


def test_slow_ways_of_an_operation_are_told_as_that_operation(node: Path, hits: Path) -> None:
    """Optimised code has them behind its end: what collects garbage there was no `return`."""
    lines: Counter[int] = Counter()
    for stall in of_type(run(node, "garbage", hits), "stall"):
        for sample in stall["samples"]:
            for frame in sample["stack"]:
                if frame.get("user") and frame["function"] == "garbage":
                    lines[frame["line"]] += sample["count"]
    right = lines[line_of("garbage")]
    assert right * 8 >= lines.total() * 7, lines  # it does begin and end


@pytest.mark.parametrize("way", ["parse", "stringify"])
def test_what_runs_in_v8s_own_code_is_named_without_a_signal_too(
    node: Path, way: str, hits: Path
) -> None:
    events = run(node, way, hits, extra={"LOOPHOUND_SIGNAL": "none"})
    stalls = sorted(of_type(events, "stall"), key=weight)
    assert stalls, describe(events)
    frame = users_frame(stalls[-1])
    assert frame is not None, describe(events)
    assert (frame["function"], frame["file"], frame["line"]) == (way, str(BUSY), line_of(way))


def test_the_same_work_that_keeps_nobody_is_silent(node: Path, hits: Path) -> None:
    events = run(node, "clean", hits, "-t", CLEAN_THRESHOLD)
    assert not of_type(events, "block") + of_type(events, "stall"), describe(events)
