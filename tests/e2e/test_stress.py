# SPDX-License-Identifier: Apache-2.0
"""Under everything at once, what is counted is what happened."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from harness import (
    PROGRAMS,
    Event,
    blocks,
    describe,
    of_type,
    preload_environment,
    started,
    wait_until,
)
from schema import check_line

CHECKED = 1000  # lines of a file that are held against the schema: there are some 100,000


def tsc_of(words: str) -> dict[str, int]:
    """ "read 4 write 2" as a dictionary, without what there was none of."""
    pairs = re.findall(r"(\w+) (\d+)", words)
    return {name: int(count) for name, count in pairs if int(count) > 0}


def lines_of(file: Path, pid: int) -> list[Event]:
    """Those of a file that is written to its end: the summary is the last line."""

    def whole() -> list[bytes]:
        lines = file.read_bytes().splitlines(keepends=True) if file.exists() else []
        has_ended = lines and b'"type":"summary"' in lines[-1] and lines[-1].endswith(b"\n")
        return lines if has_ended else []

    raw = wait_until(f"a summary in {file}", whole)
    lines: list[Event] = [json.loads(line) for line in raw]
    for text, line in [*zip(raw[:CHECKED], lines, strict=False), (raw[-1], lines[-1])]:
        check_line(text.decode(), line)
    assert {event["pid"] for event in of_type(lines, "summary")} == {pid}
    return lines


def assert_told(file: Path, pid: int, expected: dict[str, int], loops: int) -> None:
    lines = lines_of(file, pid)
    (summary,) = of_type(lines, "summary")
    assert {row["call"]: row["count"] for row in summary["by_call"]} == expected
    assert summary["blocks"] == sum(expected.values())
    assert summary["loops"] == loops
    told = blocks(lines)
    assert len(told) + summary["dropped"] == summary["blocks"], describe(told[-5:])
    assert {event["call"] for event in told} <= set(expected)
    assert len({event["id"] for event in told}) == len(told)


@pytest.mark.alone
def test_stress_of_eight_threads_is_counted_exactly(tmp_path: Path) -> None:
    """100,000 calls each, among signals, forks, cancellations; each child counts its own, too."""
    environment = preload_environment(
        # Strict mode alone says what is a block, not a busy machine.
        OUTPUT=f"{tmp_path}/%p.jsonl",
        STRICT="on",
        PLACES="each",
        RATE="off",
        THRESHOLD="3600s",
        STALL="off",
    )
    with started([PROGRAMS / "stress"], environment, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    *children, last = out.splitlines()
    head = re.match(r"threads (\d+) forks (\d+) ", last)
    assert head and len(children) == int(head[2]) == 32
    own = tmp_path / f"{process.pid}.jsonl"
    assert_told(own, process.pid, tsc_of(last[head.end() :]), int(head[1]))
    for line in children:
        match = re.match(r"child (\d+) ", line)
        assert match
        file = tmp_path / f"{match[1]}.jsonl"
        assert_told(file, int(match[1]), tsc_of(line[match.end() :]), 1)
    assert len(list(tmp_path.iterdir())) == 1 + len(children), "each process told its own once"
