# SPDX-License-Identifier: Apache-2.0
"""Which threads are loop threads, and until when; what is reported at which threshold."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import (
    PROGRAMS,
    blocks,
    functions,
    native_speed,
    of_type,
    read_events,
    run_command,
    run_preloaded,
)

LOOPS = PROGRAMS / "loops"


def sleepers(events: list) -> list[str]:
    return sorted(functions(block)[1] for block in blocks(events))


def test_thread_is_a_loop_from_its_first_park_until_its_epoll_set_is_closed(hits: Path) -> None:
    done, events = run_preloaded([LOOPS, "epoll"], hits, THRESHOLD="20ms")
    assert done.returncode == 0
    assert sleepers(events) == ["on_loop", "on_second_loop"]
    assert len(of_type(events, "loop")) == 2


@pytest.mark.parametrize(
    "way", ["number", "range", "range-by-number", "duplicate", "duplicate-by-number", "from"]
)
def test_loop_ends_when_its_epoll_set_is_closed_whatever_the_way(way: str, hits: Path) -> None:
    """What closes other descriptors, or none, ends nothing."""
    done, events = run_preloaded([LOOPS, way], hits, THRESHOLD="20ms")
    assert done.returncode == 0
    assert sleepers(events) == ["on_loop"]


def test_vfork_child_that_closes_the_epoll_set_does_not_end_the_loop(hits: Path) -> None:
    _, events = run_preloaded([LOOPS, "vfork"], hits, THRESHOLD="20ms")
    assert sleepers(events) == ["on_loop"]


def test_loop_that_parks_by_number_is_a_loop_like_any_other(hits: Path) -> None:
    _, events = run_preloaded([LOOPS, "syscall"], hits, THRESHOLD="20ms")
    assert sleepers(events) == ["on_loop"]
    (loop,) = of_type(events, "loop")
    assert loop["how"] == "epoll_pwait" and loop["fd"] is not None


def test_every_thread_that_parks_is_a_loop_thread(hits: Path) -> None:
    _, events = run_preloaded([LOOPS, "threads"], hits, THRESHOLD="20ms")
    assert sleepers(events) == ["on_io_1", "on_other"]
    assert {event["thread"] for event in blocks(events)} == {"io-1", "other"}
    assert {event["thread"] for event in of_type(events, "loop")} == {"io-1", "other"}


def test_globs_choose_loop_threads_by_name(hits: Path) -> None:
    _, events = run_preloaded([LOOPS, "threads"], hits, THRESHOLD="20ms", LOOP="net*,io-?")
    assert sleepers(events) == ["on_io_1"]


def test_globs_name_threads_that_never_park(hits: Path) -> None:
    """By a name that they take, or that they have from the thread that starts them."""
    _, events = run_preloaded(
        [LOOPS, "named"], hits, THRESHOLD="20ms", LOOP="net*,io-?", CALLS="sleep"
    )
    assert sleepers(events) == ["on_io_1", "on_other"]
    assert {event["thread"] for event in of_type(events, "loop")} == {"io-1"}


@pytest.mark.parametrize(("flags", "commands"), [((), 1), (("--follow", "on"), 2)])
@pytest.mark.parametrize("loop", ["main", "sh,dash,sleep"])
def test_main_and_globs_are_about_the_command_unless_follow_says_more(
    loop: str, flags: tuple[str, ...], commands: int, hits: Path
) -> None:
    command = ("sh", "-c", "sleep 0.2; true")
    run_command("run", "--loop", loop, *flags, "-o", hits, "--", *command)
    assert len(of_type(read_events(hits), "loop")) == commands


def test_main_watches_the_main_thread_though_it_never_parks(hits: Path) -> None:
    run_command("run", "--loop", "main", "-t", "20ms", "-o", hits, "--", LOOPS, "poll")
    assert sleepers(read_events(hits)) == ["in_main"]


def test_main_does_not_watch_other_threads(hits: Path) -> None:
    run_command("run", "--loop", "main", "-t", "20ms", "-o", hits, "--", LOOPS, "threads")
    assert not {"on_io_1", "on_other"} & set(sleepers(read_events(hits)))


def test_none_finds_no_loop_by_itself(hits: Path) -> None:
    done = run_command("run", "--loop", "none", "-t", "20ms", "-o", hits, "--", LOOPS, "epoll")
    assert done.returncode == 0
    assert blocks(read_events(hits)) == []
    assert "0 loop threads, 0 blocks" in done.stderr


@native_speed
def test_five_hundred_loops_that_block_at_the_same_moment_are_all_told_or_counted(
    hits: Path,
) -> None:
    _, events = run_preloaded([LOOPS, "crowd"], hits, THRESHOLD="20ms", CALLS="sleep")
    (summary,) = of_type(events, "summary")
    assert (summary["loops"], summary["blocks"]) == (500, 500)
    assert len(blocks(events)) + summary["dropped"] >= 500


def test_loop_that_waits_past_libc_is_said_at_the_end(hits: Path) -> None:
    done = run_command("run", "-o", hits, "--", LOOPS, "inline")
    assert done.returncode == 0
    said = " ".join(done.stderr.split())
    assert "no loop thread was seen: thread loops waited in epoll_pwait, but called" in said


def test_thread_that_leaves_its_loop_to_another_one_is_not_blocked(hits: Path) -> None:
    _, events = run_preloaded(
        [LOOPS, "shared"], hits, THRESHOLD="20ms", CALLS="pthread_cond_timedwait"
    )
    alone, in_a_handler = blocks(events)
    assert functions(alone)[:2] == ["condition_for_200_ms", "shared"]
    assert functions(in_a_handler)[:2] == ["condition_for_200_ms", "in_a_handler"]


@native_speed
@pytest.mark.parametrize("way", ["handed", "joined"])
def test_thread_that_has_given_its_place_to_one_that_it_started_is_in_no_loop(
    way: str, hits: Path
) -> None:
    """Until it parks again; and not where the other thread is somebody else's."""
    _, events = run_preloaded([LOOPS, way], hits, THRESHOLD="20ms", CALLS="sleep")
    assert sleepers(events) == ["on_loop"]
    assert of_type(events, "stall") == []


@pytest.mark.parametrize(
    ("threshold", "expected"), [("20ms", 2), ("150000us", 2), ("10s", 0), ("2000", 0)]
)
def test_what_is_below_the_threshold_is_not_reported(
    threshold: str, expected: int, hits: Path
) -> None:
    _, events = run_preloaded([LOOPS, "epoll"], hits, THRESHOLD=threshold)
    assert len(blocks(events)) == expected


@pytest.mark.parametrize(
    ("calls", "expected"),
    [("all,-sleep", 0), ("-nanosleep", 0), ("network", 0), ("network,+nanosleep", 2), ("sleep", 2)],
)
def test_calls_chooses_what_is_reported(calls: str, expected: int, hits: Path) -> None:
    _, events = run_preloaded([LOOPS, "epoll"], hits, THRESHOLD="20ms", CALLS=calls)
    assert len(blocks(events)) == expected


@pytest.mark.parametrize(("frames", "expected"), [("0", 0), ("1", 1), ("2", 2)])
def test_stack_has_at_most_as_many_frames_as_asked_for(
    frames: str, expected: int, hits: Path
) -> None:
    _, events = run_preloaded([LOOPS, "epoll"], hits, THRESHOLD="20ms", STACK=frames)
    found = blocks(events)
    assert [len(block["stack"] or []) for block in found] == [expected] * 2


def test_reports_above_the_rate_are_counted(hits: Path) -> None:
    _, events = run_preloaded([LOOPS, "thrice"], hits, THRESHOLD="20ms", RATE="1/h")
    assert len(blocks(events)) == 1
    (summary,) = of_type(events, "summary")
    assert (summary["blocks"], summary["dropped"]) == (3, 2)
