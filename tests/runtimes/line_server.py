# SPDX-License-Identifier: Apache-2.0
"""What the tests of one loop after another share: every program in python/ and c/ is a server.

It prints the port it listens on, and then takes lines from any number of connections at once:

    ping          is answered `pong`
    work KIND     waits for something, blocking its loop or in the runtime's proper way; then `done`
    stop          ends the program

What it waits for is given by the test, when the block has been reported in flight.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from harness import PATIENCE_S, Event, blocks, describe, of_type, wait_until
from watched import (
    CLEAN_THRESHOLD,
    SlowServer,
    assert_nothing_reported,
    finish,
    say,
    wait_until_blocked,
    watched,
)

SLEEP_MS = {"wrong": 300, "right": 700}
# A clean run waits for longer than its threshold: the loop turns all the while.
CLEAN_WAIT_S = 0.6


@dataclass
class Kind:
    """One thing to wait for, and what has to be said about the call that waits for it."""

    calls: tuple[str, ...]
    group: str
    resource: Callable[[Stage], dict[str, Any]]
    # A short wait that strict mode knows of; else it lasts until it is given.
    strict: bool = False
    # SQLite asks again and again, with sleeps of up to 100 ms between.
    repeated: bool = False

    def flags(self) -> list[str]:
        return ["--strict", "--places", "each", "--calls", self.group] if self.strict else []

    def threshold(self) -> str:
        return "50ms" if self.repeated else "100ms"


def file_at(name: str) -> Callable[[Stage], dict[str, Any]]:
    return lambda stage: {"kind": "file", "path": str(stage.directory / name)}


KINDS = {
    "sleep": Kind(
        ("clock_nanosleep", "nanosleep"),
        "sleep",
        # CPython asks for a deadline; what is left until then is at most what was asked for.
        lambda _: {"kind": "duration", "ms": pytest.approx(150, abs=150)},
    ),
    "receive": Kind(
        ("recv",),
        "network",
        lambda stage: {
            "kind": "socket",
            "peer": f"127.0.0.1:{stage.server.port}",
            "nonblocking": False,
        },
    ),
    "look_up": Kind(
        ("getaddrinfo",), "dns", lambda _: {"kind": "name", "host": "localhost"}, strict=True
    ),
    "acquire": Kind(("sem_wait", "pthread_mutex_lock"), "lock", lambda _: {"kind": "lock"}),
    "run": Kind(("waitpid",), "process", lambda _: {"kind": "pid"}),
    "open_fifo": Kind(("open", "openat"), "file", file_at("fifo")),
    "lock_file": Kind(("flock",), "lock", file_at("file")),
    "database": Kind(
        ("usleep", "nanosleep"), "sleep", lambda _: {"kind": "duration"}, repeated=True
    ),
}


class SlowPage(SlowServer):
    """The same for HTTP: who asks for the page waits for it."""

    def give(self) -> None:
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rb") as question:
            while question.readline().strip():
                pass
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")


class Stage:
    """Everything that a program may wait for; nothing of it is given yet."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.directory = directory
        self.server: SlowPage = SlowPage()
        stack.enter_context(self.server)
        self.file = stack.enter_context((directory / "file").open("w"))
        fcntl.flock(self.file, fcntl.LOCK_EX)
        # autocommit: the transaction is ours to begin and to end
        self.database = sqlite3.connect(directory / "database", isolation_level=None)
        stack.callback(self.database.close)
        self.database.execute("begin exclusive")
        for name in ("fifo", "fifo_of_child"):
            os.mkfifo(directory / name)

    def give(self, kind: str, process: subprocess.Popen[str]) -> None:
        """Ends that wait. A sleep and a look-up end by themselves."""
        if kind == "receive":
            self.server.give()
        elif kind == "acquire":
            say(process)
        elif kind == "run":
            give_to_reader(self.directory / "fifo_of_child")
        elif kind == "open_fifo":
            give_to_reader(self.directory / "fifo")
        elif kind == "lock_file":
            fcntl.flock(self.file, fcntl.LOCK_UN)
        elif kind == "database":
            self.database.execute("rollback")


def give_to_reader(path: Path) -> None:
    """Opens a FIFO as its writer as soon as there is a reader, fifo(7), and closes it again."""

    def opened() -> int | None:
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return None
            raise

    os.close(wait_until(f"a reader of {path}", opened))


class Client:
    """A connection to the program."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._lines = self._socket.makefile("r")

    def send(self, line: str) -> None:
        self._socket.sendall(line.encode() + b"\n")

    def expect(self, line: str) -> None:
        assert self._lines.readline() == line + "\n"

    def ask(self, line: str, answer: str) -> None:
        self.send(line)
        self.expect(answer)

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


@contextmanager
def serving(
    argv: Sequence[str | Path],
    how: str,
    directory: Path,
    hits: Path,
    threshold: str,
    flags: Sequence[str],
) -> Iterator[tuple[subprocess.Popen[str], Stage, Callable[[], Client]]]:
    """The watched program, what it may wait for, and a way to connect to it."""
    with ExitStack() as stack:
        stage = Stage(directory, stack)
        command = [*argv, how, directory, str(stage.server.port), str(SLEEP_MS[how])]
        process = stack.enter_context(watched(hits, command, threshold, flags))
        assert process.stdout
        port = int(process.stdout.readline() or "0")
        assert port, process.communicate(timeout=PATIENCE_S)

        def connect() -> Client:
            client = Client(port)
            stack.callback(client.close)
            for _ in range(4):
                client.ask("ping", "pong")
            return client

        yield process, stage, connect


def run_wrong(
    argv: Sequence[str | Path], name: str, directory: Path, hits: Path
) -> tuple[list[Event], Stage]:
    """One work on the loop itself, which stops it. What was reported."""
    kind = KINDS[name]
    server = serving(argv, "wrong", directory, hits, kind.threshold(), kind.flags())
    with server as (process, stage, connect):
        worker, other = connect(), connect()
        worker.send(f"work {name}")
        if not kind.strict:
            wait_until_blocked(hits)
        stage.give(name, process)
        worker.expect("done")
        other.ask("ping", "pong")
        other.send("stop")
        return finish(process, hits), stage


def assert_named(events: Sequence[Event], name: str, stage: Stage) -> list[Event]:
    """One loop, and this one block of it, with the right words. The block, or its repetitions."""
    kind = KINDS[name]
    found = blocks(events)
    assert len(of_type(events, "loop")) == 1, describe(events)
    assert len(found) == 1 or (found and kind.repeated), describe(found)
    for block in found:
        assert block["call"] in kind.calls, describe(found)
        assert block["group"] == kind.group
        assert block["reason"] == ("strict" if kind.strict else "threshold")
        expected = kind.resource(stage)
        said = block["resource"] or {}
        assert {key: said.get(key) for key in expected} == expected
    return found


def check_clean(
    argv: Sequence[str | Path],
    kinds: Sequence[str],
    directory: Path,
    hits: Path,
    flags: Sequence[str] = (),
) -> None:
    """All these works at once, each as the runtime means it: the loop turns, nothing is said."""
    server = serving(argv, "right", directory, hits, CLEAN_THRESHOLD, flags)
    with server as (process, stage, connect):
        workers, other = [connect() for _ in kinds], connect()
        for worker, name in zip(workers, kinds, strict=True):
            worker.send(f"work {name}")
        end = time.monotonic() + CLEAN_WAIT_S
        while time.monotonic() < end:
            other.ask("ping", "pong")
        for name in kinds:
            stage.give(name, process)
        for worker in workers:
            worker.expect("done")
        other.send("stop")
        assert_nothing_reported(finish(process, hits))
