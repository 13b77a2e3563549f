# SPDX-License-Identifier: Apache-2.0
"""The slow things that the demo's server waits for. They live in the demo's own process."""

import os
import sqlite3
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DELAY_S = 0.1


class SlowHandler(BaseHTTPRequestHandler):
    """Answers every request after DELAY_S."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        time.sleep(DELAY_S)
        body = b"slow answer\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class SlowServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def start_service() -> tuple[SlowServer, str]:
    """A slow HTTP server on the loopback, and its URL."""
    server = SlowServer(("127.0.0.1", 0), SlowHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/"


def feed(path: Path) -> None:
    """Waits for a reader of the named pipe; its content comes DELAY_S later."""
    with path.open("wb") as pipe:
        time.sleep(DELAY_S)
        pipe.write(b"late content\n")


def make_files(directory: Path, count: int) -> None:
    """Named pipes 0, 1, ...: each can be read once."""
    for number in range(count):
        path = directory / str(number)
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        threading.Thread(target=feed, args=(path,), daemon=True).start()


def make_database(path: Path) -> None:
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("create table visits (at text)")
    connection.close()


def hold_lock(path: Path, seconds: float) -> threading.Thread:
    """Locks the database as a long write does; returns once it is locked."""
    locked = threading.Event()

    def hold() -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("begin exclusive")
        connection.execute("insert into visits values (datetime())")
        locked.set()
        time.sleep(seconds)
        connection.execute("commit")
        connection.close()

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    locked.wait()
    return thread
