"""Redis: its own loop (ae), one thread for all clients; the disk is a FIFO that is not read yet."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import PATIENCE_S, wait_until
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


def test_load_and_a_snapshot_by_a_child_are_silent(hits: Path, tmp_path: Path) -> None:
    with redis(hits, tmp_path, CLEAN_THRESHOLD) as (process, client):
        client.sendall(b"".join(b"SET key:%d value\r\n" % number for number in range(LOAD)))
        answers = client.makefile("rb")
        assert all(answers.readline() == b"+OK\r\n" for _ in range(LOAD))
        assert ask(client, "BGSAVE").startswith("+Background saving started")
        wait_until("the snapshot", lambda: (tmp_path / "dump.rdb").exists())
        send(client, "SHUTDOWN NOSAVE")
        assert_nothing_reported(finish(process, hits))
