# SPDX-License-Identifier: Apache-2.0
"""haproxy: its own loop, and Lua that runs in it. It takes SIGURG for itself."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import PATIENCE_S, wait_until
from watched import (
    CLEAN_THRESHOLD,
    HERE,
    Fifo,
    assert_nothing_reported,
    finish,
    has_function,
    the_block,
    wait_until_blocked,
    watched,
)

CONFIGURATION = """
global
    lua-load {lua}
    nbthread 1
defaults
    mode http
    timeout connect 60s
    timeout client 60s
    timeout server 60s
frontend front
    bind unix@{directory}/front
    http-request use-service lua.wrong if {{ path /wrong }}
    http-request use-service lua.right
"""


@contextmanager
def haproxy(
    hits: Path, directory: Path, threshold: str = "100ms"
) -> Iterator[subprocess.Popen[str]]:
    """A watched haproxy of one thread, that listens on directory/front."""
    configuration = directory / "haproxy.cfg"
    lua = HERE / "other" / "haproxy.lua"
    configuration.write_text(CONFIGURATION.format(lua=lua, directory=directory))
    with watched(hits, ["haproxy", "-db", "-f", configuration], threshold) as process:
        wait_until(
            "haproxy to listen", lambda: process.poll() is not None or can_connect(directory)
        )
        yield process


def can_connect(directory: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(directory / "front")) == 0


@contextmanager
def request(directory: Path, path: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(str(directory / "front"))
        client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        yield client


def end(process: subprocess.Popen[str]) -> None:
    """When all is answered; `run` passes it on."""
    process.send_signal(signal.SIGUSR1)


def answer(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def test_file_that_lua_reads_is_named(
    hits: Path, tmp_path: Path, fifo: Fifo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIFO", str(fifo.path))
    with haproxy(hits, tmp_path) as process:
        with request(tmp_path, "/wrong") as client:
            stuck = wait_until_blocked(hits)
            fifo.give()
            assert answer(client).endswith(b"read")
        end(process)
        block = the_block(finish(process, hits))
    assert block["group"] == "file"
    assert (stuck["id"], stuck["resource"]["path"]) == (block["id"], str(fifo.path))
    assert has_function(block, "lua_")


def test_lua_that_waits_as_haproxy_means_it_is_silent(hits: Path, tmp_path: Path) -> None:
    with haproxy(hits, tmp_path, CLEAN_THRESHOLD) as process:
        with request(tmp_path, "/right") as client:
            assert answer(client).endswith(b"slept")
        end(process)
        assert_nothing_reported(finish(process, hits))
