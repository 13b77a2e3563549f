# SPDX-License-Identifier: Apache-2.0
"""Waits for rings of io_uring: parks of loops, answers to clients, blocks beside an epoll set."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from harness import PROGRAMS, blocks, describe, functions, of_type, read_events, run_command

RINGS = PROGRAMS / "uring"
NOT_ALLOWED = 77


def run(what: str, hits: Path) -> tuple[list, list]:
    """Its loops, and its blocks."""
    bare = subprocess.run([RINGS, what], capture_output=True, text=True, check=False)
    if bare.returncode == NOT_ALLOWED:
        pytest.skip(f"io_uring is not allowed here: {bare.stderr.strip()}")
    done = run_command("run", "-t", "50ms", "-o", hits, "--", RINGS, what)
    assert bare.returncode == done.returncode == 0, (bare, done)
    events = read_events(hits)
    return of_type(events, "loop"), blocks(events)


def test_loop_that_accepts_by_its_ring_parks_there(hits: Path) -> None:
    (loop,), found = run("loop", hits)
    assert loop["how"] == "io_uring_enter" and loop["fd"] is not None
    (block,) = found
    assert block["call"] == "nanosleep"
    assert "sleep_in_handler" in functions(block)


def test_clients_that_wait_for_their_answers_are_no_loop(hits: Path) -> None:
    assert run("clients", hits) == ([], [])


def test_wait_for_a_ring_beside_an_epoll_set_is_a_block(hits: Path) -> None:
    (loop,), found = run("beside", hits)
    assert loop["how"] == "epoll_wait"
    assert [block["call"] for block in found] == ["io_uring_enter"], describe(found)
