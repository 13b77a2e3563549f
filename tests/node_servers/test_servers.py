# SPDX-License-Identifier: Apache-2.0
"""Servers in TypeScript, built by their usual tools, under load: what blocks them is named by the
line that a person wrote, and what does not is silent."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from frameworks import Server, free_port, get, load, serving, wrk
from harness import COMMAND, Event, describe, of_type, read_events, run_command, stalls_of

WAYS = ("file", "command", "hash", "parse", "match")
CONNECTIONS = 4
LOADED_S = 3.0
CLEAN_THRESHOLD = "400ms"  # of a machine that does other things meanwhile

Place = tuple[str, int]


def line_with(path: Path, mark: str, after: str = "") -> int:
    """The first line that ends so, behind one that begins so."""
    lines = path.read_text(encoding="utf-8").splitlines()
    begin = next(i for i, line in enumerate(lines) if line.strip().startswith(after))
    return next(i + 1 for i in range(begin, len(lines)) if lines[i].endswith(mark))


def slow_place(server: Server, way: str) -> Place:
    path = server.project / server.slow
    return str(path), line_with(path, "// here", f"{way}(): number {{")


def handler_place(server: Server) -> Place:
    path = server.project / server.handler
    return str(path), line_with(path, "// handler")


def parts_of(event: Event) -> list[Event]:
    return [event] if event["type"] == "block" else event["samples"]


def users_place(event: Event) -> Place | None:
    """Where most of the time went, by the frames that are marked as the user's."""
    places: Counter[Place] = Counter()
    for part in parts_of(event):
        for frame in part["stack"]:
            if frame.get("user"):
                places[frame["file"], frame["line"]] += part.get("ms", 1)
    return places.most_common(1)[0][0] if places else None


def lines_of(event: Event) -> set[Place]:
    return {(f["file"], f["line"]) for part in parts_of(event) for f in part["stack"]}


def give(fifo: Path) -> None:
    """Somebody who is slow to write."""
    with fifo.open("wb") as file:
        threading.Event().wait(0.4)  # what the test is about
        file.write(b"late")


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def watch(hits: Path, *options: str) -> list[str | Path]:
    return [COMMAND, "run", *options, "--stacks", "inline", "-o", hits, "--"]


def since(begin: datetime, events: list[Event]) -> list[Event]:
    """The reports of what began then or later."""
    return [
        event
        for event in of_type(events, "block") + of_type(events, "stall")
        if datetime.fromisoformat(event["start"].replace("Z", "+00:00")) >= begin
    ]


def ask_each_way(port: int, fifo: Path) -> None:
    """While others ask for what is quick."""
    with subprocess.Popen(wrk(port, "clean", CONNECTIONS, 600), stdout=subprocess.DEVNULL) as quick:
        try:
            for way in WAYS:
                if way == "file":
                    threading.Thread(target=give, args=(fifo,), daemon=True).start()
                assert "answer" in get(port, f"slow/{way}")
        finally:
            quick.terminate()


def test_what_blocks_is_named_by_the_line_that_was_written(
    server: Server, node: Path, hits: Path, fifo: Path
) -> None:
    port = free_port()
    with serving(server, node, port, watch(hits), SLOW_FILE=str(fifo)):
        load(port, "clean", CONNECTIONS, 1)  # the first requests load what answers them
        begin = datetime.now(UTC)
        ask_each_way(port, fifo)
    reports = since(begin, read_events(hits))
    for way in WAYS:
        told = [event for event in reports if users_place(event) == slow_place(server, way)]
        assert told, f"{way}: {[users_place(event) for event in reports]}"
        assert handler_place(server) in lines_of(told[0]), describe(told)
    lines = "".join(f"{json.dumps(report)}\n" for report in reports)
    table = run_command("report", "-", stdin=lines).stdout.splitlines()
    rows = [f"{server.slow}:{slow_place(server, way)[1]} {way} " for way in WAYS]
    assert all(any(row in line for line in table) for row in rows), table
    assert any(row in table[1] for row in rows), table


def test_what_does_not_block_makes_no_report_under_load(
    server: Server, node: Path, hits: Path
) -> None:
    port = free_port()
    with serving(server, node, port, watch(hits, "-t", CLEAN_THRESHOLD)):
        load(port, "clean", CONNECTIONS, 1)
        begin = datetime.now(UTC)
        assert load(port, "clean", CONNECTIONS, LOADED_S).requests > 0
    events = read_events(hits)
    assert of_type(events, "loop"), describe(events)
    told = since(begin, of_type(events, "block") + stalls_of(events))
    assert not told, describe(told)
