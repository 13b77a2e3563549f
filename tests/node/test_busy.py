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
WAYS = "loop regex parse stringify hash command file sort gzip wait garbage".split()
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


def give(fifo: Path) -> None:
    """Somebody who is slow to write."""
    with fifo.open("wb") as file:
        threading.Event().wait(0.4)  # what the test is about
        file.write(b"late")


def run(node: Path, way: str, hits: Path, *options: str, **env: str) -> list[Event]:
    fifo = hits.parent / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=give, args=(fifo,), daemon=True)
    if way == "file":
        writer.start()
    output: list[str | Path] = ["--stacks", "inline", "-o", hits]
    done = run_command("run", *output, *options, "--", node, BUSY, way, fifo, **env)
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
    events = run(node, way, hits, SIGNAL="none")
    stalls = sorted(of_type(events, "stall"), key=weight)
    assert stalls, describe(events)
    frame = users_frame(stalls[-1])
    assert frame is not None, describe(events)
    assert (frame["function"], frame["file"], frame["line"]) == (way, str(BUSY), line_of(way))


def test_the_same_work_that_keeps_nobody_is_silent(node: Path, hits: Path) -> None:
    events = run(node, "clean", hits, "-t", CLEAN_THRESHOLD)
    assert not of_type(events, "block") + of_type(events, "stall"), describe(events)
