# SPDX-License-Identifier: Apache-2.0
"""Redis: its own loop (ae), one thread for all clients; the disk is a FIFO that is not read yet."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import PATIENCE_S, Event, describe, functions, of_type, wait_until
from watched import (
    CLEAN_THRESHOLD,
    assert_nothing_reported,
    finish,
    has_function,
    the_block,
    wait_until_blocked,
    watched,
)

LOAD = 5000  # requests of the clean run


@contextmanager
def redis(
    hits: Path, directory: Path, threshold: str = "100ms"
) -> Iterator[tuple[subprocess.Popen[str], socket.socket]]:
    """A watched redis-server in this directory, and a connection to it."""
    path = directory / "redis.sock"
    argv = ["redis-server", "--port", "0", "--unixsocket", str(path), "--dir", str(directory)]
    argv += ["--save", "", "--enable-debug-command", "yes"]
    with watched(hits, argv, threshold) as process, socket.socket(socket.AF_UNIX) as client:
        wait_until("redis to listen", lambda: client.connect_ex(str(path)) == 0)
        client.settimeout(PATIENCE_S)
        yield process, client


def send(client: socket.socket, command: str) -> None:
    client.sendall(command.encode() + b"\r\n")


def ask(client: socket.socket, command: str) -> str:
    """Sends an inline command; the answer is one line, or short."""
    send(client, command)
    return client.recv(65536).decode()


def ask_pid(client: socket.socket) -> int:
    for line in ask(client, "INFO server").splitlines():
        if line.startswith("process_id:"):
            return int(line.split(":")[1])
    raise AssertionError("no process_id in INFO")


def test_save_to_a_disk_that_hangs_is_named(hits: Path, tmp_path: Path) -> None:
    with redis(hits, tmp_path) as (process, client):
        # rdb.c: the snapshot is written under this name, and renamed at the end.
        snapshot = tmp_path / f"temp-{ask_pid(client)}.rdb"
        os.mkfifo(snapshot)
        send(client, "SAVE")
        wait_until_blocked(hits)
        with snapshot.open("rb") as reader:
            reader.read()
        assert client.recv(4096).startswith(b"-ERR"), "a FIFO cannot be brought to a disk"
        send(client, "SHUTDOWN NOSAVE")
        block = the_block(finish(process, hits))
    assert (block["call"], block["group"]) == ("fopen", "file")
    assert block["resource"]["path"] == snapshot.name
    assert has_function(block, "saveCommand")
    assert has_function(block, "aeMain")


def test_debug_sleep_is_named(hits: Path, tmp_path: Path) -> None:
    with redis(hits, tmp_path) as (process, client):
        assert ask(client, "DEBUG SLEEP 0.3") == "+OK\r\n"
        send(client, "SHUTDOWN NOSAVE")
        block = the_block(finish(process, hits))
    assert (block["call"], block["group"]) == ("nanosleep", "sleep")
    assert block["resource"] == {"kind": "duration", "ms": 300}
    assert has_function(block, "debugCommand")


def thread_cpu_ms(pid: int) -> float:
    """What its main thread has computed so far: sched-stats.rst, the first number, in ns."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e6


def the_stall_in(function: str, events: Sequence[Event]) -> Event:
    """The one in which that function was seen most: filling the keys in may take long, too."""
    stalls = of_type(events, "stall")
    found = [stall for stall in stalls if function in functions(stall["samples"][0])]
    assert len(found) == 1, describe(stalls) + "".join(
        f"\n{functions(stall['samples'][0])}" for stall in stalls
    )
    return found[0]


@pytest.mark.parametrize(
    ("prepare", "command", "function"),
    [
        ("DEBUG POPULATE 1000000", "KEYS *no*such*key*", "keysCommand"),
        ("DEBUG POPULATE 1", 'EVAL "for i=1,5e7 do end" 0', "evalGenericCommand"),
    ],
    ids=["keys", "lua"],
)
def test_long_command_is_a_stall_with_its_function(
    prepare: str, command: str, function: str, hits: Path, tmp_path: Path
) -> None:
    with redis(hits, tmp_path, "50ms") as (process, client):
        pid = ask_pid(client)
        assert ask(client, prepare) == "+OK\r\n"
        before_ms = thread_cpu_ms(pid)
        ask(client, command)
        truth_ms = thread_cpu_ms(pid) - before_ms
        send(client, "SHUTDOWN NOSAVE")
        stall = the_stall_in(function, finish(process, hits))
    assert truth_ms > 60, "too quick to be a stall"
    assert stall["oncpu_ms"] == pytest.approx(truth_ms, rel=0.1, abs=5)
    assert "aeMain" in functions(stall["samples"][0])


def test_load_and_a_snapshot_by_a_child_are_silent(hits: Path, tmp_path: Path) -> None:
    with redis(hits, tmp_path, CLEAN_THRESHOLD) as (process, client):
        client.sendall(b"".join(b"SET key:%d value\r\n" % number for number in range(LOAD)))
        answers = client.makefile("rb")
        assert all(answers.readline() == b"+OK\r\n" for _ in range(LOAD))
        assert ask(client, "BGSAVE").startswith("+Background saving started")
        wait_until("the snapshot", lambda: (tmp_path / "dump.rdb").exists())
        send(client, "SHUTDOWN NOSAVE")
        assert_nothing_reported(finish(process, hits))
