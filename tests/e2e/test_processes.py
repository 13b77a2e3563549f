# SPDX-License-Identifier: Apache-2.0
"""Loops that start processes, become others, and close what they have."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import (
    PROGRAMS,
    blocks,
    clean_environment,
    describe,
    of_type,
    preload_environment,
    read_events,
    wait_for_event,
    wait_until,
)
from manners import outcome, same_both_ways

PROCESSES = PROGRAMS / "processes"


def calls(hits: Path) -> list[str]:
    return [block["call"] for block in blocks(read_events(hits))]


def test_forks_amid_reports_are_children_of_their_own(hits: Path) -> None:
    """Other threads are reported on while the main thread forks. The children end at once."""
    environment = preload_environment(OUTPUT=f"{hits.parent}/%p.jsonl", THRESHOLD="4ms", RATE="off")
    pid, under = outcome([PROCESSES, "fork"], environment)
    assert under == outcome([PROCESSES, "fork"], clean_environment())[1] == (0, "200 forks\n", "")

    def are_told() -> bool:
        files = list(hits.parent.glob("*.jsonl"))
        return len(files) == 201 and all(of_type(read_events(file), "summary") for file in files)

    wait_until("the summaries of 200 children", are_told)
    own = hits.parent / f"{pid}.jsonl"
    summary = wait_for_event(own, "summary", pid)
    events = read_events(own)
    assert {event["pid"] for event in events} == {pid}
    assert summary["loops"] == 4
    assert len(blocks(events)) >= 3, describe(events)
    assert len(blocks(events)) <= summary["blocks"] <= len(blocks(events)) + summary["dropped"]


def test_each_way_to_start_a_process_is_waited_for_as_ever(hits: Path) -> None:
    _, events = same_both_ways([PROCESSES, "spawn"], hits)
    ways = ["waitpid", "waitpid", "system", "fgets"]
    told = [block["call"] for block in blocks(events)]
    # On a busy machine, to start one may be a block, too.
    waited = [call for call in told if call not in ("popen", "posix_spawn")]
    assert waited == ways, describe(events)
    assert len({event["pid"] for event in of_type(events, "loop")}) == 1


def test_new_image_is_watched_and_has_no_descriptor_of_ours(hits: Path) -> None:
    """What it prints is what it has."""
    out, _ = same_both_ways([PROCESSES, "exec"], hits)
    assert out.startswith("descriptors 0 1 2")
    wait_until("both images' blocks", lambda: calls(hits) == ["nanosleep"] * 2)
    assert len(of_type(read_events(hits), "start")) == 2


def test_new_image_has_no_child_that_it_did_not_make(hits: Path) -> None:
    """Whichever form of exec it is that comes while the collector is being started."""
    out, _ = same_both_ways([PROGRAMS / "exec_again", "63"], hits)
    assert out == "done\n"


def test_new_image_of_an_empty_environment_is_not_watched(hits: Path) -> None:
    same_both_ways([PROCESSES, "exec-bare"], hits)
    assert calls(hits) == ["nanosleep"]
    assert len(of_type(read_events(hits), "start")) == 1


def test_daemon_is_watched_as_its_parent_was(hits: Path) -> None:
    same_both_ways([PROCESSES, "daemon"], hits)
    wait_until("both processes' blocks", lambda: calls(hits) == ["nanosleep"] * 2)
    assert len({event["pid"] for event in of_type(read_events(hits), "summary")}) == 2


@pytest.mark.parametrize("way", ["closefrom", "close_range", "dup2"])
def test_closing_every_descriptor_loses_nothing_of_either_side(way: str, hits: Path) -> None:
    _, events = same_both_ways([PROCESSES, way], hits)
    assert calls(hits) == ["nanosleep"] * 2, describe(events)
    (summary,) = of_type(events, "summary")
    assert (summary["blocks"], summary["dropped"]) == (2, 0)
