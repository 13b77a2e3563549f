# SPDX-License-Identifier: Apache-2.0
"""The servers that macro.py and light.py load: how each is started, and what it is asked.

What is missing on this machine is a line that says so, and no more.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).resolve().parents[2]
START_S = 30.0
STOP_S = 10.0
ANSWER = "x" * 1024
GET = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"

NODE = """
const text = 'x'.repeat(1024);
require('http').createServer((_, answer) => answer.end(text)).listen(%d, '127.0.0.1');
"""
# One process, so that it is the one that is measured.
NGINX = """
daemon off;
master_process off;
user %(user)s;
pid %(directory)s/nginx.pid;
error_log stderr;
events { worker_connections 512; }
http {
    access_log off;
    keepalive_requests 1000000000;
    %(temporary)s
    server {
        listen 127.0.0.1:%(port)d;
        location / { return 200 "%(answer)s"; }
    }
}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
HAPROXY = """
global
    nbthread 1
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 5s
frontend front
    bind 127.0.0.1:%(port)d
    default_backend back
backend back
    server one 127.0.0.1:%(behind)d
"""
ASGI = """
BODY = b"x" * 1024
START = {"type": "http.response.start", "status": 200,
         "headers": [(b"content-length", b"1024"), (b"content-type", b"text/plain")]}

async def application(scope, receive, send):
    await send(START)
    await send({"type": "http.response.body", "body": BODY})
"""


class Missing(Exception):
    """A server that is not on this machine, or does not start: says which, and why."""


@dataclass(frozen=True)
class Server:
    name: str
    command: Callable[[Place], list[str]]
    request: bytes = GET
    depth: int = 1  # requests that are sent at once
    connections: int = 32
    prepare: bytes = b""  # sent once, before
    behind: str = ""  # another server, to which it passes requests on


@dataclass(frozen=True)
class Place:
    """Where one server runs."""

    build: Path
    directory: Path
    port: int
    behind: int = 0  # the port of the server behind it


@dataclass
class Running:
    server: Server
    pid: int
    port: int
    answer_bytes: int


def need(program: str) -> str:
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Missing(f"there is no {program} here")
    return found


def nginx(place: Place) -> list[str]:
    configuration = place.directory / "nginx.conf"
    paths = "".join(f"{name}_temp_path {place.directory}/{name};" for name in TEMPORARY)
    values = {
        "user": pwd.getpwuid(os.getuid()).pw_name,
        "directory": place.directory,
        "port": place.port,
        "answer": ANSWER,
        "temporary": paths,
    }
    configuration.write_text(NGINX % values)
    return [need("nginx"), "-e", "stderr", "-c", str(configuration)]


def redis(place: Place) -> list[str]:
    return [
        need("redis-server"),
        "--port",
        str(place.port),
        "--save",
        "",
        "--dir",
        str(place.directory),
    ]


def node(place: Place) -> list[str]:
    return [need("node"), "-e", NODE % place.port]


def haproxy(place: Place) -> list[str]:
    configuration = place.directory / "haproxy.cfg"
    configuration.write_text(HAPROXY % {"port": place.port, "behind": place.behind})
    return [need("haproxy"), "-db", "-f", str(configuration)]


def uvicorn(loop: str, application: str = "") -> Callable[[Place], list[str]]:
    """`application`: a file that has one; by default the smallest."""

    def command(place: Place) -> list[str]:
        python = place.build / "bench-venv" / "bin" / "python"
        if not python.exists():
            raise Missing("there is no build/bench-venv: make bench-macro makes it")
        file = Path(application or place.directory / "bench_asgi.py")
        if not application:
            file.write_text(ASGI)
        options = ["--loop", loop, "--http", "httptools", "--no-access-log", "--log-level", "error"]
        options += ["--port", str(place.port), "--app-dir", str(file.parent)]
        return [str(python), "-m", "uvicorn", *options, f"{file.stem}:application"]

    return command


def libuv(place: Place) -> list[str]:
    program = place.build / "bench" / "uv_server"
    if not program.exists():
        raise Missing("there is no build/bench/uv_server: make bench-macro makes it")
    return [str(program), str(place.port)]


def tokio(place: Place) -> list[str]:
    need("cargo")
    target = place.build / "bench" / "tokio"
    environment = dict(os.environ, CARGO_TARGET_DIR=str(target))
    source = ROOT / "tests" / "runtimes" / "tokio"
    build = ["cargo", "-q", "build", "--release", "--locked"]
    done = subprocess.run(build, cwd=source, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise Missing(f"tokio's server cannot be built: {done.stderr.strip().splitlines()[-1:]}")
    return [str(target / "release" / "tokio-loops"), "current", "serve", "-", str(place.port)]


def redis_set() -> bytes:
    return b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1024\r\n" + ANSWER.encode() + b"\r\n"


GET_KEY = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
PING = b"ping\n"
SERVERS = (
    Server("nginx", nginx),
    Server("redis GET", redis, GET_KEY, prepare=redis_set()),
    Server("redis GET -P 16", redis, GET_KEY, depth=16, prepare=redis_set()),
    Server("Node http", node),
    Server("haproxy", haproxy, behind="nginx"),
    Server("uvicorn asyncio", uvicorn("asyncio")),
    Server("uvicorn uvloop", uvicorn("uvloop")),
    Server("libuv", libuv, PING),
    Server("tokio", tokio, PING),
)
BY_NAME = {server.name: server for server in SERVERS}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def first_answer(port: int, server: Server) -> int:
    """Its length; all further ones have the same."""
    with socket.create_connection(("127.0.0.1", port), timeout=START_S) as client:
        if server.prepare:
            client.sendall(server.prepare)
            client.recv(65536)
        client.sendall(server.request)
        answer = client.recv(65536)
        if server.request != GET:
            return len(answer)
        while b"\r\n\r\n" not in answer:
            answer += client.recv(65536) or b"\r\n\r\n"
        head, _, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if b" 200 " not in head.partition(b"\r\n")[0] or length is None:
            raise Missing(f"{server.name} does not answer as it should: {head[:60]!r}")
        del body
        return len(head) + 4 + int(length.group(1))


def wait_until_it_listens(port: int, process: subprocess.Popen[bytes], name: str) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            raise Missing(f"{name} ended with status {process.returncode} before it listened")
        time.sleep(0.02)
    raise Missing(f"{name} does not listen on port {port}")


@contextlib.contextmanager
def start(
    server: Server,
    build: Path,
    directory: Path,
    watched: bool,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Running]:
    """Runs it, with the library or without; one that passes on has the other one beside it.
    `variables`: of its environment, beside."""
    with contextlib.ExitStack() as stack:
        behind = 0
        if server.behind:
            other = directory / "behind"
            other.mkdir(exist_ok=True)
            behind = stack.enter_context(
                start(BY_NAME[server.behind], build, other, watched=False)
            ).port
        place = Place(build, directory, free_port(), behind)
        ours = ("LOOPHOUND_", "LD_PRELOAD", "BENCH_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        if watched:
            environment["LD_PRELOAD"] = str(build / "libloophound.so")
            environment["LOOPHOUND_OUTPUT"] = str(directory / "reports.%p.jsonl")
        environment.update(variables)
        errors = stack.enter_context((directory / "errors").open("wb"))
        process = subprocess.Popen(
            server.command(place),
            env=environment,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            wait_until_it_listens(place.port, process, server.name)
            answer_bytes = first_answer(place.port, server)
            yield Running(server, process.pid, place.port, answer_bytes)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(STOP_S)
