# SPDX-License-Identifier: Apache-2.0
"""Stacks in JSON: inside of the events, or each frame and stack once in a line of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from harness import (
    PROGRAMS,
    PYTHON,
    Event,
    blocks,
    of_type,
    preload_environment,
    read_events,
    read_lines,
    run_command,
    run_preloaded,
    started,
    wait_for_event,
    wait_until,
    with_stacks,
)

PROGRAM = PROGRAMS / "deep_stack"
TURNS = """
import asyncio, time
def nap():
    time.sleep(0.05)
async def main():
    for _ in range({turns}):
        nap()
        await asyncio.sleep(0)
asyncio.run(main())
"""


def naps(turns: int) -> list[str | Path]:
    return [PYTHON, "-c", TURNS.format(turns=turns)]


def run_naps(output: Path, turns: int = 3, **options: Any) -> list[Event]:
    run_preloaded(naps(turns), output, **{"THRESHOLD": "20ms", **options})
    return read_lines(output)


def ids(lines: list[Event], kind: str) -> list[str]:
    return [line["id"] for line in of_type(lines, kind)]


def test_file_has_each_frame_and_each_stack_once(hits: Path) -> None:
    lines = run_naps(hits)
    for kind in ("frame", "stack"):
        assert ids(lines, kind)
        assert len(ids(lines, kind)) == len(set(ids(lines, kind)))
    told = blocks(lines)
    assert len(told) == 3
    assert all("stack" not in block for block in told)
    assert {block["stack_id"] for block in told} <= set(ids(lines, "stack"))


def test_event_names_only_what_stands_in_a_line_before(hits: Path) -> None:
    events = with_stacks(run_naps(hits))
    assert all("nap" in [frame["function"] for frame in block["stack"]] for block in blocks(events))


def test_stacks_are_inside_of_the_events_where_that_is_asked_for(hits: Path) -> None:
    lines = run_naps(hits, STACKS="inline")
    assert {line["type"] for line in lines} & {"frame", "stack"} == set()
    assert all(block["stack"] for block in blocks(lines))


def test_both_ways_say_the_same(hits: Path, tmp_path: Path) -> None:
    run_naps(hits)
    run_naps(tmp_path / "inline.jsonl", STACKS="inline")
    once, inside = (
        [block["stack"] for block in blocks(read_events(path))]
        for path in (hits, tmp_path / "inline.jsonl")
    )
    assert once == inside


def test_pipe_has_the_stacks_inside_of_the_events() -> None:
    with started(
        [PROGRAM, "3"], preload_environment(THRESHOLD="20ms", FORMAT="json"), stderr=-1
    ) as p:
        _, err = p.communicate(timeout=60)
    lines = [json.loads(line) for line in err.splitlines()]
    assert blocks(lines)[0]["stack"]


def test_files_put_together_are_read_as_one(hits: Path, tmp_path: Path) -> None:
    """Ids are hashes of what stands there: equal ones mean the same, whoever wrote them."""
    run_naps(hits)
    run_naps(tmp_path / "more.jsonl")
    hits.write_text(hits.read_text() + (tmp_path / "more.jsonl").read_text())
    lines = read_lines(hits)
    assert len(ids(lines, "frame")) > len(set(ids(lines, "frame")))
    assert len(blocks(with_stacks(lines))) == 6
    done = run_command("report", hits)
    (row,) = (row for row in done.stdout.splitlines() if "nap" in row and "clock" in row)
    assert " 6  " in row


WAITING = """
import asyncio, sys, time
async def main():
    for line in sys.stdin:
        time.sleep(0.05)
        await asyncio.sleep(0)
asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["moved", "emptied"])
def test_new_file_is_whole_by_itself(how: str, hits: Path, tmp_path: Path) -> None:
    environment = preload_environment(THRESHOLD="20ms", CALLS="sleep", OUTPUT=str(hits))
    with started([PYTHON, "-c", WAITING], environment, stdin=-1) as process:
        assert process.stdin
        print("go", file=process.stdin, flush=True)
        wait_for_event(hits, "block", process.pid)
        if how == "moved":
            hits.rename(tmp_path / "hits.1.jsonl")
        else:
            os.truncate(hits, 0)
        print("go", file=process.stdin, flush=True)
        (block,) = wait_until("the block", lambda: blocks(read_events(hits)))
    assert block["stack"]


def test_stack_that_is_not_whole_says_so_in_its_line(hits: Path) -> None:
    lines = run_naps(hits, STACK="5")
    used = {block["stack_id"] for block in blocks(lines)}
    assert [line["cut"] for line in of_type(lines, "stack") if line["id"] in used] == [True]
    assert blocks(read_events(hits))[0]["stack"][-1]["cut"] is True


def test_many_events_take_a_small_part_of_the_room(hits: Path, tmp_path: Path) -> None:
    run_naps(hits, turns=20)
    run_naps(tmp_path / "inline.jsonl", turns=20, STACKS="inline")
    assert hits.stat().st_size * 3 < (tmp_path / "inline.jsonl").stat().st_size


def test_report_completes_frames_of_either_way(hits: Path, tmp_path: Path) -> None:
    run_naps(hits)
    done = run_command("report", "--format", "json", hits)
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line) for line in done.stdout.splitlines()] == read_events(hits)


def test_report_says_when_the_lines_of_stacks_are_not_there(hits: Path) -> None:
    run_naps(hits)
    kept = [line for line in hits.read_text().splitlines() if '"type":"stack"' not in line]
    hits.write_text("\n".join(kept) + "\n")
    done = run_command("report", hits)
    assert "their file has lost its begin" in done.stderr
    assert "clock_nanosleep" in done.stdout
