# SPDX-License-Identifier: Apache-2.0
"""Programs at the limits of their resources: they run as without the library, which says what it
cannot do."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import (
    COMMAND,
    PROGRAMS,
    blocks,
    clean_environment,
    describe,
    functions,
    preload_environment,
    read_events,
    wait_for_event,
)
from manners import outcome, same_both_ways

LIMITS = PROGRAMS / "limits"

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def limit(number: int, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(number, (value, value))


LOCKABLE = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
locks = pytest.mark.skipif(0 <= LOCKABLE < 16 << 20, reason="too little memory may be locked")


@pytest.mark.parametrize("way", ["edge", pytest.param("memory", marks=locks), "little-memory"])
def test_block_within_the_limits_is_told(way: str, hits: Path) -> None:
    _, events = same_both_ways([LIMITS, way], hits)
    assert [block["call"] for block in blocks(events)] == ["nanosleep"], describe(events)


@pytest.mark.parametrize(
    ("way", "missing"),
    [
        ("descriptors", "room"),
        ("files", "ring"),
        pytest.param("user", "watchdog", marks=only_root),
    ],
)
def test_program_that_leaves_us_no_room_is_told_so_once(way: str, missing: str, hits: Path) -> None:
    """The size of our shared memory, above all, raises no signal in the program."""
    _, plain = outcome([LIMITS, way], clean_environment(), cwd=hits.parent)
    environment = preload_environment(OUTPUT=str(hits))
    _, under = outcome([LIMITS, way], environment, cwd=hits.parent)
    assert under[:2] == plain[:2] and plain[0] == 0
    line = {
        "room": "there is no room for its descriptors: RLIMIT_NOFILE (ulimit -n) has to be",
        "ring": "cannot make its ring",
        "watchdog": "cannot start its watchdog thread",
    }[missing]
    assert under[2].startswith(f"loophound: {line}"), under
    assert under[2].count("\n") == 1 and "not watched" in under[2]
    assert read_events(hits) == []


def least_descriptors(hits: Path) -> int:
    """What the line says is needed, where there is room for next to none."""
    argv = [str(LIMITS), "none"]
    done = subprocess.run(
        argv,
        env=preload_environment(OUTPUT=str(hits)),
        preexec_fn=limit(resource.RLIMIT_NOFILE, 4),
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.fullmatch(r"loophound: .* has to be at least (\d+); .* not watched\n", done.stderr)
    assert found, done.stderr
    return int(found[1])


def test_few_descriptors_are_said_to_be_too_few_or_do(hits: Path) -> None:
    """The collector that `run` is has a limit of its own."""
    least = least_descriptors(hits)
    code = f"""
import os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({least}, {least}))
os.execv({str(LIMITS)!r}, ["limits", "none"])
"""
    options = ["-t", "50ms", "-o", str(hits)]
    argv = [str(COMMAND), "run", *options, "--", sys.executable, "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == "blocked\n"
    events = read_events(hits)
    assert "nanosleep" in [block["call"] for block in blocks(events)], describe(events)


@pytest.mark.parametrize("strict", ["off", "on"])
def test_threads_of_least_stack_make_reports(strict: str, hits: Path) -> None:
    _, events = same_both_ways([LIMITS, "stacks"], hits, STRICT=strict)
    found = [block for block in blocks(events) if block["call"] == "nanosleep"]
    assert len(found) == 3, describe(events)
    assert all("block_in_turns" in functions(block) for block in found)


def test_full_address_space_leaves_raw_lines(hits: Path) -> None:
    """The loop is found; there is no room to start a collector in.

    Without stalls: one of the machine's, before the limit, would start a collector in time.
    """
    _, plain = outcome([LIMITS, "address"], clean_environment())
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="50ms", STALL="off")
    pid, under = outcome([LIMITS, "address"], environment)
    assert under[:2] == plain[:2] and plain[0] == 0
    assert "no collector can be started" in under[2]
    wait_for_event(hits, "summary", pid)
    assert [block["call"] for block in blocks(read_events(hits))] == ["nanosleep"]


@pytest.mark.parametrize("most", [64 * 1024, resource.RLIM_INFINITY], ids=["for good", "for now"])
@pytest.mark.parametrize("options", [{}, {"STRICT": "on"}], ids=["threshold", "strict"])
def test_small_stack_of_the_main_thread_is_enough(
    options: dict[str, str], most: int, hits: Path
) -> None:
    """For us, and for the collector, which inherits the limit."""

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_STACK, (64 * 1024, most))

    _, plain = outcome([LIMITS, "none"], clean_environment(), preexec_fn=few)
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="50ms", **options)
    pid, under = outcome([LIMITS, "none"], environment, preexec_fn=few)
    assert under[:2] == plain[:2] and plain[0] == 0, under
    summary = wait_for_event(hits, "summary", pid)
    assert (summary["blocks"], summary["dropped"]) == (1, 0)
    (block,) = blocks(read_events(hits))
    assert "block_in_turns" in functions(block), "the collector's work, and no raw line"


@pytest.mark.parametrize("under_run", [False, True])
def test_output_at_the_limit_of_file_size_ends_nobody(under_run: bool, hits: Path) -> None:
    """The collector shares the limit; what it loses is said, and the signal is not passed on."""
    hits.write_bytes(b"\n" * (16 << 20))
    argv: list[str | Path] = [LIMITS, "none"]
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="50ms")
    if under_run:
        argv = [COMMAND, "run", "-t", "50ms", "-o", hits, "--", *argv]
        environment = clean_environment()
    done = subprocess.run(
        argv,
        env=environment,
        preexec_fn=limit(resource.RLIMIT_FSIZE, 16 << 20),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "blocked\n"), done.stderr
    assert done.stderr.count("File too large; reports are lost, and counted as dropped") == 1
    assert hits.stat().st_size == 16 << 20
