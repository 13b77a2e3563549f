# SPDX-License-Identifier: Apache-2.0
"""Servers as their users run them: started, asked once, ended. Nothing is said about them, and
`--fail` leaves their exit status as it is.

When it ends, each tidies up for longer than the threshold (python/servers.py, node/server.js): the
end of its loop has to be seen, however it comes.
"""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from harness import (
    BUILD,
    Event,
    describe,
    of_type,
    read_events,
    wait_until,
)
from watched import CLEAN_THRESHOLD, HERE, LIMIT_S, watched

BIN = BUILD / "runtimes-venv" / "bin"
APPS = str(HERE / "python" / "servers.py")
SANIC = "--single-process --no-motd --no-access-logs".split()
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

TIDY_UP_S = 0.7
FAILED = 99  # the status of --fail where something was told

# How it is started, to listen on a socket where it runs, and the signal that its users end it by.
SERVERS = {
    "uvicorn-asyncio": (["uvicorn", "--loop", "asyncio", "--uds", "socket", "servers:asgi"], "INT"),
    "uvicorn-uvloop": (["uvicorn", "--loop", "uvloop", "--uds", "socket", "servers:asgi"], "INT"),
    "gunicorn": (["gunicorn", "-b", "unix:socket", "servers:wsgi"], "TERM"),
    "hypercorn": (["hypercorn", "-b", "unix:socket", "servers:asgi"], "TERM"),
    "aiohttp": (["python", APPS, "aiohttp", "socket"], "TERM"),
    "tornado": (["python", APPS, "tornado", "socket"], "INT"),
    "twisted": (["python", APPS, "twisted", "socket"], "INT"),
    "gevent": (["python", APPS, "gevent", "socket"], "TERM"),
    "sanic": (["sanic", "--unix", "socket", *SANIC, "--factory", "servers:make_sanic"], "TERM"),
    "quart": (["hypercorn", "-k", "uvloop", "-b", "unix:socket", "servers:make_quart()"], "TERM"),
    "django-uvicorn": (["uvicorn", "--uds", "socket", "--factory", "servers:make_django"], "INT"),
    "node": (["node", str(HERE / "node" / "server.js"), "socket"], "TERM"),
}


AGAIN_S = 5  # what comes while a server starts may be lost, as sanic does bare too: one in ten


def ask(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(AGAIN_S)
        client.connect(str(path))
        client.sendall(REQUEST)
        return b"".join(iter(lambda: client.recv(65536), b""))


def ask_until_answered(path: Path) -> bytes:
    for _ in range(LIMIT_S // AGAIN_S):
        with suppress(TimeoutError):
            return ask(path)
    pytest.fail("it does not answer")


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def own_ms(stall: Event) -> float:
    return float(stall["oncpu_ms"] + stall["blocked_ms"] + stall["gil_ms"])


def is_told_truly(event: Event) -> bool:
    """Not a stall in which a busy machine had no processor for the thread."""
    threshold_ms = int(CLEAN_THRESHOLD.removesuffix("ms"))
    return event["type"] == "block" or own_ms(event) >= threshold_ms or not event["runqueue_ms"]


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A directory to run in whose path is short: sanic adds 44 characters to that of its socket,
    and unix(7) takes 107."""
    with TemporaryDirectory() as directory:
        monkeypatch.chdir(directory)
        yield monkeypatch
        monkeypatch.undo()


def end_by(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """`run` passes it on."""
    for _ in range(LIMIT_S // AGAIN_S):
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=AGAIN_S)[1]
    pytest.fail("it does not end")


def check_silent(name: str, hits: Path, tidy_up_s: float, room: pytest.MonkeyPatch) -> None:
    words, end = SERVERS[name]
    argv = list(words)
    if (BIN / argv[0]).exists():
        argv[0] = str(BIN / argv[0])
    room.setenv("PYTHONPATH", str(HERE / "python"))
    room.setenv("TIDY_UP_S", str(tidy_up_s))
    path = Path("socket")
    with watched(hits, argv, CLEAN_THRESHOLD, ["--fail"]) as process:
        wait_until(f"{name} to listen", lambda: process.poll() is not None or listens(path))
        answer = ask_until_answered(path) if process.poll() is None else b""
        errors = end_by(process, signal.Signals[f"SIG{end}"])
    assert answer.startswith(b"HTTP/1.1 200"), errors
    events = read_events(hits)
    told = [event for event in events if event["type"] in ("block", "stall")]
    assert [event for event in told if is_told_truly(event)] == [], describe(told)
    assert process.returncode == 0 or (told and process.returncode == FAILED), errors
    assert of_type(events, "loop"), errors


@pytest.mark.parametrize("tidy_up_s", [0, TIDY_UP_S], ids=["ends-at-once", "tidies-up"])
@pytest.mark.parametrize("name", SERVERS)
def test_server_that_is_asked_once_and_ended_is_silent(
    name: str, tidy_up_s: float, hits: Path, room: pytest.MonkeyPatch
) -> None:
    check_silent(name, hits, tidy_up_s, room)
