# SPDX-License-Identifier: Apache-2.0
"""What never ends counts: the process dies inside a call or iteration that was told in flight."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from harness import (
    COMMAND,
    PATIENCE_S,
    PROGRAMS,
    Event,
    clean_environment,
    describe,
    of_type,
    preload_environment,
    read_events,
    run_command,
    started,
    wait_for_event,
)

UNENDED = PROGRAMS / "unended"
FAILED = 99

every_kind = pytest.mark.parametrize("what, kind", [("call", "block"), ("iteration", "stall")])


def run_until(what: str, how: str, hits: Path) -> tuple[int, str, list[Event]]:
    """Under `run --fail`: lets it be told in flight, then has it end; what `run` says of that."""
    argv: list[str | Path] = [
        COMMAND,
        "run",
        "--fail",
        "-o",
        hits,
        "--",
        "sh",
        "-c",
        '"$@"; exit 0',
        "sh",
    ]
    with started(
        [*argv, UNENDED, what, how],
        clean_environment(),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as run:
        told = wait_for_event(hits, "inflight")
        _, err = run.communicate("x", timeout=PATIENCE_S)
    events = [event for event in read_events(hits) if event["pid"] == told["pid"]]
    return run.returncode, err.splitlines()[-1], events


@every_kind
@pytest.mark.parametrize("how", ["kill", "_exit", "exit", "exec"])
def test_what_has_no_end_is_counted_once_and_fails(
    what: str, kind: str, how: str, hits: Path
) -> None:
    status, last_line, events = run_until(what, how, hits)
    (told,) = of_type(events, kind)
    latest = of_type(events, "inflight")[-1]
    assert told["ended"] is False and told["id"] == latest["id"]
    assert told["duration_ms"] == latest["duration_ms"]
    (summary,) = (event for event in of_type(events, "summary") if event["loops"] == 1)
    counts = {"block": (1, 0), "stall": (0, 1)}[kind]
    assert (summary["blocks"], summary["stalls"]) == counts, describe(events)
    assert f"{counts[0]} block" in last_line and f"{counts[1]} stall" in last_line
    assert status == FAILED
    if kind == "block":
        assert told["call"] == "read" and told["stack"] == latest["stack"]
        assert summary["by_call"][0]["call"] == "read"


@every_kind
def test_what_ended_is_counted_by_its_end(what: str, kind: str, hits: Path) -> None:
    _, last_line, events = run_until(what, "back", hits)
    (told,) = of_type(events, kind)
    assert told["ended"] is True
    assert "1 block" in last_line or "1 stall" in last_line


def test_text_says_in_one_line_that_it_never_ended() -> None:
    argv: list[str | Path] = [COMMAND, "run", "--", UNENDED, "call", "kill"]
    with started(argv, clean_environment(), stdin=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stderr is not None and run.stdin is not None
        first = run.stderr.readline()
        assert "still blocked" in first
        run.stdin.write("x")
        run.stdin.flush()
        lines = run.stderr.read().splitlines()
    (line,) = (line for line in lines if "never ended" in line)
    assert "blocked" in line and line.endswith(first.split()[-1])
    assert not [later for later in lines[lines.index(line) + 1 :] if later.startswith((" ", ">"))]


def test_report_counts_what_a_collector_told_and_what_nobody_could(hits: Path) -> None:
    run_until("call", "kill", hits)
    raw = hits.with_name("raw.jsonl")
    environment = preload_environment(OUTPUT=str(raw), COLLECTOR="none")
    with started([UNENDED, "call", "kill"], environment, stdin=subprocess.PIPE) as process:
        wait_for_event(raw, "inflight")
        process.communicate("x", timeout=PATIENCE_S)
    for path in (hits, raw):
        table = run_command("report", path).stdout.splitlines()
        assert "read (no end)" in table[1]
        assert "1 block, 0 stalls" in table[-1]


def test_raw_lines_count_it_in_the_summary_of_a_normal_exit(hits: Path) -> None:
    environment = preload_environment(OUTPUT=str(hits), COLLECTOR="none")
    with started([UNENDED, "call", "exit"], environment, stdin=subprocess.PIPE) as process:
        wait_for_event(hits, "inflight")
        process.communicate("x", timeout=PATIENCE_S)
    assert wait_for_event(hits, "summary")["blocks"] == 1
