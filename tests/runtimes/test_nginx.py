# SPDX-License-Identifier: Apache-2.0
"""nginx: a worker with its own loop; the slow disk is an access log that nobody reads."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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

REQUESTS = 200  # of the clean run
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

CONFIGURATION = """
daemon off;
user {user};
worker_processes 1;
error_log stderr;
pid {directory}/pid;
events {{}}
http {{
    access_log {log};
    {temporary}
    server {{
        listen unix:{directory}/front;
        location / {{ proxy_pass http://unix:{directory}/back; }}
        location /file {{ root {directory}; access_log off; }}
    }}
    server {{
        listen unix:{directory}/back;
        access_log off;
        return 200 "from behind";
    }}
}}
"""


@contextmanager
def nginx(
    hits: Path, directory: Path, log: Path, threshold: str = "100ms"
) -> Iterator[subprocess.Popen[str]]:
    """A watched nginx, master and one worker, that listens on directory/front."""
    text = CONFIGURATION.format(
        user=pwd.getpwuid(os.getuid()).pw_name,
        directory=directory,
        log=log,
        temporary="\n".join(f"{name}_temp_path {directory}/{name};" for name in TEMPORARY),
    )
    configuration = directory / "nginx.conf"
    configuration.write_text(text)
    argv: list[str | Path] = ["nginx", "-e", "stderr", "-c", configuration]
    with watched(hits, argv, threshold) as process:
        wait_until("nginx to listen", lambda: can_connect(directory / "front"))
        yield process


def can_connect(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


@contextmanager
def request(directory: Path, path: str = "/") -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(str(directory / "front"))
        client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        yield client


def answer(client: socket.socket) -> bytes:
    """All of it: nginx closes the connection when it has written its log."""
    return b"".join(iter(lambda: client.recv(65536), b""))


def get(directory: Path, path: str = "/") -> bytes:
    with request(directory, path) as client:
        return answer(client)


def stop(process: subprocess.Popen[str], directory: Path) -> None:
    """By SIGTERM to the master, nginx(8)."""
    os.kill(int((directory / "pid").read_text()), 15)


def fill(fifo: int) -> None:
    os.set_blocking(fifo, False)
    with suppress(BlockingIOError):
        while True:
            os.write(fifo, b"x" * 4096)


def drain(fifo: int) -> None:
    with suppress(BlockingIOError):
        while True:
            os.read(fifo, 65536)


def test_access_log_that_takes_no_more_is_named(hits: Path, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    os.mkfifo(log)
    fifo = os.open(log, os.O_RDWR)  # fifo(7): does not wait for the other end
    try:
        with nginx(hits, tmp_path, log) as process:
            fill(fifo)
            with request(tmp_path) as client:
                wait_until_blocked(hits)
                drain(fifo)
                assert b"from behind" in answer(client)
            stop(process, tmp_path)
            block = the_block(finish(process, hits))
    finally:
        os.close(fifo)
    assert (block["call"], block["group"]) == ("write", "file")
    assert block["resource"]["path"] == str(log)
    # It logs, by functions without names in a stripped nginx, when it frees the request.
    assert has_function(block, "ngx_http_free_request")
    assert has_function(block, "ngx_process_events_and_timers")


def test_proxied_requests_and_files_are_silent(hits: Path, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    (tmp_path / "file").write_text("a file")
    with nginx(hits, tmp_path, log, CLEAN_THRESHOLD) as process:
        for _ in range(REQUESTS):
            assert b"from behind" in get(tmp_path)
            assert b"a file" in get(tmp_path, "/file")
        stop(process, tmp_path)
        assert_nothing_reported(finish(process, hits))
    assert len(log.read_text().splitlines()) == REQUESTS
