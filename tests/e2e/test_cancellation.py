# SPDX-License-Identifier: Apache-2.0
"""Threads that are cancelled in the middle of calls and parks."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from calls import Row, all_rows
from harness import (
    EMULATED,
    PROGRAMS,
    blocks,
    describe,
    functions,
    met_again,
    of_type,
    run_preloaded,
)
from manners import same_both_ways

CANCELLATION = PROGRAMS / "cancellation"

# pthreads(7): those that POSIX requires, but for what Linux does not have (getmsg and its like).
REQUIRED = set(
    "accept aio_suspend clock_nanosleep close connect creat fcntl fdatasync fsync lockf mq_receive "
    "mq_send mq_timedreceive mq_timedsend msgrcv msgsnd msync nanosleep open openat pause poll "
    "pread pselect pthread_cond_timedwait pthread_cond_wait pthread_join pwrite read readv recv "
    "recvfrom recvmsg select sem_timedwait sem_wait send sendmsg sendto sigpause sigsuspend "
    "sigtimedwait sigwait sigwaitinfo sleep system tcdrain usleep wait waitid waitpid write "
    "writev".split()
)
# Emulation is slow: there only these.
ROWS = [row for row in all_rows() if not EMULATED or row.symbol in REQUIRED]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.symbol)
def test_call_with_a_pending_cancellation_is_left_or_not_as_without_the_library(
    row: Row, hits: Path
) -> None:
    """What is left is not told, and does not hide what the cleanup handler waits for."""
    # Long enough for the call to begin before what it waits for comes.
    argv = [str(row.program), "cancel", row.symbol, "50"]
    with TemporaryDirectory(dir=PROGRAMS) as files:  # on a disk
        bare = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=files)
        done, events = run_preloaded(
            argv, hits, cwd=Path(files), STRICT="on", NOISE="-lock-handoff", THRESHOLD="10s"
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in ("cancelled\n", "returned\n")
    if row.symbol != "mkdtemp":  # asks the kernel for random bits, a cancellation point, at times
        assert done.stdout == bare.stdout
    told = ["usleep"] if done.stdout == "cancelled\n" else [row.canonical]
    if row.is_time_only and done.stdout == "returned\n":
        told = []
    assert [block["call"] for block in blocks(events)] == told, describe(events)
    if row.symbol in REQUIRED:
        assert done.stdout == "cancelled\n"


def test_required_cancellation_points_are_rows() -> None:
    assert sorted(REQUIRED - {row.symbol for row in ROWS}) == []


@pytest.mark.parametrize("strict", ["off", "on"])
def test_every_cancellation_point_is_one_still(strict: str, hits: Path) -> None:
    """In each of them a thread is cancelled four times, twice of these on a loop."""
    out, events = same_both_ways([CANCELLATION, "all"], hits, STRICT=strict, RATE="off")
    lines = out.splitlines()
    assert len(lines) == 4 * 54
    assert all(line.endswith(": cleaned up 1, mutex held") for line in lines), out
    # Three of the calls make a loop thread of one elsewhere.
    (summary,) = of_type(events, "summary")
    assert summary["loops"] == len(lines) // 2 + 3 * 2


def test_block_after_a_cancelled_call_or_park_is_told_and_a_short_call_is_not(hits: Path) -> None:
    """In the cleanup handler, which runs further in on the stack than the call did."""
    _, events = same_both_ways([CANCELLATION, "cleanup"], hits, THRESHOLD="140ms")
    found = blocks(events)
    assert [block["call"] for block in found] == ["nanosleep"] * 2, describe(events)
    assert all("block_in_cleanup" in functions(block) for block in found), describe(found)
    assert all(140 < block["duration_ms"] < 5000 for block in found), describe(found)
    assert all("block_in_cleanup" in functions(event) for event in of_type(events, "inflight"))


def test_asynchronous_cancellation_in_the_middle_of_reports_loses_none(hits: Path) -> None:
    _, events = same_both_ways([CANCELLATION, "storm"], hits, STRICT="on", RATE="off")
    (summary,) = of_type(events, "summary")
    assert summary["loops"] == 200
    assert summary["blocks"] == len(blocks(events)) + met_again(events) + summary["dropped"]
    assert len({event["id"] for event in blocks(events)}) == len(blocks(events))
