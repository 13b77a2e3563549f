"""Rust: tokio's runtimes, whose threads park in epoll_wait, in their own words of std and libc."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import of_type
from watched import (
    BUILT,
    CLEAN_THRESHOLD,
    HERE,
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
# From 1.68 on cargo reads the index of crates.io file by file; before it has to be asked to.
SPARSE_SINCE = (1, 68)


def cargo_environment() -> tuple[list[str], dict[str, str]]:
    said = subprocess.run(["cargo", "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(int(part) for part in said.split()[1].split(".")[:2])
    environment = dict(os.environ, CARGO_TARGET_DIR=str(BUILT / "tokio"))
    if version >= SPARSE_SINCE:
        return [], environment
    return ["-Z", "sparse-registry"], dict(environment, RUSTC_BOOTSTRAP="1")


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Fifo]:
    with Fifo(tmp_path / "fifo") as made:
        yield made


@pytest.fixture
def slow_server() -> Iterator[SlowServer]:
    with SlowServer() as server:
        yield server


@pytest.fixture(scope="session")
def loops() -> Path:
    """The program, built with the crates of Cargo.lock."""
    flags, environment = cargo_environment()
    command = ["cargo", "-q", *flags, "build", "--locked"]
    subprocess.run(command, cwd=HERE / "tokio", env=environment, check=True, timeout=300)
    return BUILT / "tokio" / "debug" / "tokio-loops"


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
    assert block["resource"]["kind"] == "lock"
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


def test_mutex_is_a_block_also_while_another_worker_waits_for_events(
    loops: Path, hits: Path, fifo: Fifo, slow_server: SlowServer
) -> None:
    with watched(hits, argv(loops, "multi", "shared", fifo, slow_server)) as process:
        wait_until_blocked(hits)
        say(process)
        block = the_block(finish(process, hits))
    assert block["call"] == "futex"
    assert has_function(block, "blocking_mutex")
