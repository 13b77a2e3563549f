# SPDX-License-Identifier: Apache-2.0
"""Rust: tokio's runtimes, whose threads park in epoll_wait, in their own words of std and libc."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from crates import build_crate
from harness import blocks, of_type, run_command
from watched import (
    CLEAN_THRESHOLD,
    Fifo,
    SlowServer,
    assert_nothing_reported,
    expect_line,
    finish,
    has_function,
    say,
    the_block,
    wait_until_blocked,
    watched,
)

KINDS = ("current", "multi")


@pytest.fixture
def slow_server() -> Iterator[SlowServer]:
    with SlowServer() as server:
        yield server


@pytest.fixture(scope="session")
def loops() -> Path:
    """The program, built with the crates of Cargo.lock."""
    return build_crate("tokio")


def argv(loops: Path, kind: str, case: str, fifo: Fifo, server: SlowServer) -> list[str | Path]:
    return [loops, kind, case, fifo.path, str(server.port)]


@pytest.mark.parametrize("kind", KINDS)
def test_thread_sleep_in_a_task_is_named(
    kind: str, loops: Path, hits: Path, fifo: Fifo, slow_server: SlowServer
) -> None:
    with watched(hits, argv(loops, kind, "sleep", fifo, slow_server)) as process:
        block = the_block(finish(process, hits))
    # Rust's std sleeps by the second one since 1.84.
    assert block["call"] in ("nanosleep", "clock_nanosleep")
    assert block["group"] == "sleep"
    assert block["resource"] == {"kind": "duration", "ms": 300}
    assert has_function(block, "blocking_sleep")


def without_lines(program: Path, where: Path) -> Path:
    """As a release build has it: functions have names, and nothing more is known of them."""
    subprocess.run(["objcopy", "--strip-debug", program, where], check=True)
    return where


@pytest.mark.parametrize("lines", [True, False])
def test_two_mistakes_are_two_rows_at_the_lines_of_the_program(
    lines: bool, loops: Path, hits: Path, tmp_path: Path, fifo: Fifo, slow_server: SlowServer
) -> None:
    program = loops if lines else without_lines(loops, tmp_path / "tokio-loops")
    with watched(hits, argv(program, "current", "sleep", fifo, slow_server)) as process:
        events = finish(process, hits)
    others = tmp_path / "others.jsonl"
    with watched(others, argv(program, "current", "fifo", fifo, slow_server)) as process:
        wait_until_blocked(others)
        fifo.give()
        events += finish(process, others)
    marked = [frame for block in blocks(events) for frame in block["stack"] if frame.get("user")]
    functions = [frame["function"].rpartition("::")[2] for frame in marked]
    assert functions == ["blocking_sleep", "blocking_file"]
    sources = [frame.get("source") for frame in marked]
    texts: list[str | None] = [
        "thread::sleep(SLEEP);",
        'let bytes = std::fs::read(fifo).expect("the FIFO");',
    ]
    assert sources == (texts if lines else [None, None])
    table = run_command("report", hits, others).stdout
    assert all(table.count(function) == 1 for function in functions)


@pytest.mark.parametrize("kind", KINDS)
def test_reading_a_file_in_a_task_is_named(
    kind: str, loops: Path, hits: Path, fifo: Fifo, slow_server: SlowServer
) -> None:
    with watched(hits, argv(loops, kind, "fifo", fifo, slow_server)) as process:
        stuck = wait_until_blocked(hits)
        fifo.give()
        block = the_block(finish(process, hits))
    assert (block["call"], block["group"]) == ("read", "file")
    assert (stuck["id"], stuck["resource"]["path"]) == (block["id"], str(fifo.path))
    assert has_function(block, "blocking_file")


@pytest.mark.parametrize("kind", KINDS)
def test_blocking_socket_in_a_task_names_its_peer(
    kind: str, loops: Path, hits: Path, fifo: Fifo, slow_server: SlowServer
) -> None:
    with watched(hits, argv(loops, kind, "socket", fifo, slow_server)) as process:
        wait_until_blocked(hits)
        slow_server.give()
        block = the_block(finish(process, hits))
    assert (block["call"], block["group"]) == ("recv", "network")
    assert block["resource"]["peer"] == f"127.0.0.1:{slow_server.port}"
    assert block["resource"]["nonblocking"] is False
    assert has_function(block, "blocking_socket")


@pytest.mark.parametrize("kind", KINDS)
def test_mutex_that_another_thread_holds_is_a_block(
    kind: str, loops: Path, hits: Path, fifo: Fifo, slow_server: SlowServer
) -> None:
    with watched(hits, argv(loops, kind, "mutex", fifo, slow_server)) as process:
        wait_until_blocked(hits)
        say(process)
        block = the_block(finish(process, hits))
    assert (block["call"], block["group"]) == ("futex", "lock")
    assert block["resource"]["kind"] == "futex"
    assert has_function(block, "blocking_mutex")


@pytest.mark.parametrize("kind", KINDS)
def test_waits_of_tokio_itself_are_silent(
    kind: str, loops: Path, hits: Path, fifo: Fifo, slow_server: SlowServer
) -> None:
    command = argv(loops, kind, "free", fifo, slow_server)
    with watched(hits, command, CLEAN_THRESHOLD) as process:
        expect_line(process, "free")
        fifo.give()
        slow_server.give()
        say(process)
        assert_nothing_reported(finish(process, hits))


def test_idle_worker_that_leaves_the_events_to_another_is_silent(
    loops: Path, hits: Path, fifo: Fifo, slow_server: SlowServer
) -> None:
    command = argv(loops, "multi", "idle", fifo, slow_server)
    with watched(hits, command, CLEAN_THRESHOLD) as process:
        events = finish(process, hits)
    assert_nothing_reported(events)
    assert len(of_type(events, "loop")) == 2


@pytest.mark.parametrize("case", ["shared", "job"])
def test_mutex_is_a_block_also_while_another_thread_could_take_the_place(
    case: str, loops: Path, hits: Path, fifo: Fifo, slow_server: SlowServer
) -> None:
    """One waits for events; or has none, and has been woken, but for other work."""
    with watched(hits, argv(loops, "multi", case, fifo, slow_server)) as process:
        wait_until_blocked(hits)
        say(process)
        block = the_block(finish(process, hits))
    assert block["call"] == "futex"
    assert has_function(block, "blocking_mutex")


@pytest.mark.parametrize("way", ["", "-beside", "-again"])
@pytest.mark.parametrize("case", ["in_place", "block_on"])
def test_worker_that_has_given_its_place_away_is_silent(
    case: str, way: str, loops: Path, hits: Path, fifo: Fifo, slow_server: SlowServer
) -> None:
    """To a new thread, or one that had it before, while another worker has the events or none."""
    command = argv(loops, "multi", case + way, fifo, slow_server)
    with watched(hits, command, CLEAN_THRESHOLD) as process:
        expect_line(process, "free")
        if case == "in_place":
            fifo.give()
        else:
            slow_server.give()
        assert_nothing_reported(finish(process, hits))
