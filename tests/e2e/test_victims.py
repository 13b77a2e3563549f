# SPDX-License-Identifier: Apache-2.0
"""How many descriptors waited for the loop while it was held, told with what held it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness import (
    PROGRAMS,
    Event,
    blocks,
    describe,
    of_type,
    preload_environment,
    read_events,
    run_preloaded,
    started,
    wait_for_event,
    wait_until,
)

VICTIMS = PROGRAMS / "victims"
READY = 5


def run(way: str, output: Path, **options: Any) -> tuple[int, list[Event]]:
    """How many descriptors the program itself found, and the blocks and stalls."""
    done, events = run_preloaded([VICTIMS, way], output, **options)
    assert (done.returncode, done.stderr) == (0, "")
    return int(done.stdout), blocks(events) + of_type(events, "stall")


def the_victims(reports: list[Event]) -> Event | None:
    assert len(reports) == 1, describe(reports)
    victims: Event | None = reports[0]["victims"]
    return victims


@pytest.mark.parametrize("way", ["block", "edge", "raw", "poll", "select"])
def test_what_became_ready_during_a_block_is_counted_and_still_there(way: str, hits: Path) -> None:
    found, reports = run(way, hits)
    assert found == READY
    waited_ms = reports[0]["duration_ms"]
    assert the_victims(reports) == {"ready": READY, "at_least": False, "waited_ms": waited_ms}


@pytest.mark.alone
def test_victims_of_a_stall_are_counted_too(hits: Path) -> None:
    found, reports = run("stall", hits)
    assert found == READY
    waited_ms = reports[0]["duration_ms"]
    assert the_victims(reports) == {"ready": READY, "at_least": False, "waited_ms": waited_ms}


def test_loop_that_asks_for_few_has_at_least_these(hits: Path) -> None:
    found, reports = run("few", hits)
    assert found == READY
    victims = the_victims(reports)
    assert victims and (victims["ready"], victims["at_least"]) == (2, True)


@pytest.mark.parametrize(("way", "found"), [("nobody", 0), ("late", 1)])
def test_what_is_ready_only_later_has_not_waited(way: str, found: int, hits: Path) -> None:
    count, reports = run(way, hits)
    assert count == found
    assert the_victims(reports) == {"ready": 0, "at_least": False, "waited_ms": 0}


@pytest.mark.alone
def test_two_blocks_of_one_iteration_have_the_same_victims(hits: Path) -> None:
    # Each call is timed, whether the watchdog comes or not.
    options = {"THRESHOLD": "3ms", "CALLS": "sleep", "STALL": "off"}
    for attempt in range(8):  # the first one is not kept for ever, and the machine may be busy
        _, reports = run("twice", hits.with_name(f"{attempt}.jsonl"), **options)
        assert len(reports) == 2
        if all(report["victims"] for report in reports):
            break
    assert [report["victims"]["ready"] for report in reports] == [READY, READY]
    for report in reports:
        assert report["victims"]["waited_ms"] == report["duration_ms"]


def test_nobody_knows_the_victims_of_a_loop_that_ends(hits: Path) -> None:
    _, reports = run("closed", hits)
    assert the_victims(reports) is None


def test_loop_that_never_parks_again_does_not_keep_its_report(hits: Path) -> None:
    with started([VICTIMS, "never"], preload_environment(OUTPUT=str(hits))):
        block = wait_for_event(hits, "block")
        stuck = wait_until("pause", lambda: of_type(read_events(hits), "inflight")[-1:])[0]
    assert block["call"] == "nanosleep"
    assert block["victims"] is None
    assert stuck["victims"] is None


def test_strict_mode_counts_what_waited_for_long_calls_only(hits: Path) -> None:
    _, reports = run("block", hits, STRICT="on")
    kinds = {(report["reason"], report["victims"] is None) for report in reports}
    assert kinds == {("threshold", False)}, describe(reports)
    _, reports = run("block", hits.with_name("short.jsonl"), STRICT="on", THRESHOLD="10s")
    assert [report["victims"] for report in reports] == [None]


def test_text_says_how_many_waited(hits: Path) -> None:
    with started([VICTIMS, "few"], preload_environment(), stderr=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=60)
    assert "  at least 2 descriptors were ready when it ended, after up to 1" in err
