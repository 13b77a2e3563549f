#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Servers that block nowhere, each under full load for a minute: is anything reported?

Starts uvicorn with the demo's FastAPI application, Node's http, nginx and Redis under loophound
with its default threshold, one after another, and loads each as hard as one client process can.
What is reported then is a scheduling delay, a stall that waited for a processor more than for
anything else, or it is wrong: that is printed whole, and is a failure, as a lost report is.
"""

import argparse
import contextlib
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "scripts" / "demo"
sys.path.insert(0, str(DEMO))

from demo import free_port, install  # noqa: E402  # scripts/demo is no package

START_S = 30.0
STOP_S = 15.0
CONNECTIONS = 32
ANSWER = "a short answer"
PARTS = ("oncpu_ms", "blocked_ms", "runqueue_ms", "gil_ms")

NODE = "require('http').createServer((_, answer) => answer.end('%s')).listen(%d, '127.0.0.1')"
NGINX = """
daemon off;
worker_processes 1;
user %(user)s;
pid %(directory)s/nginx.pid;
error_log stderr;
events { }
http {
    access_log off;
    %(temporary)s
    server {
        listen 127.0.0.1:%(port)d;
        location / { return 200 "%(answer)s"; }
    }
}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

Event = dict[str, object]


@dataclass
class Server:
    name: str
    command: Callable[[Path, int], list[str]]  # working directory, port
    load: Callable[[int, float], float]  # port, seconds; returns requests per second


@dataclass
class Result:
    name: str
    rate: float
    reports: list[Event]
    dropped: int

    @property
    def wrong(self) -> list[Event]:
        return [event for event in self.reports if not is_scheduling_delay(event)]


def is_scheduling_delay(event: Event) -> bool:
    """Did it wait for a processor, its cgroup's limit included, more than for anything else?"""
    parts = {part: float(str(event.get(part) or 0)) for part in PARTS}
    return event["type"] == "stall" and max(parts, key=lambda part: parts[part]) == "runqueue_ms"


def uvicorn(directory: Path, port: int) -> list[str]:
    python = directory.parent / "demo" / "venv"
    if not install(python):
        raise SystemExit("soak: PyPI cannot be reached, so there is no FastAPI here")
    options = ["--app-dir", str(DEMO), "--loop", "asyncio", "--no-access-log"]
    return [f"{python}/bin/python", "-m", "uvicorn", *options, "--port", str(port), "app:app"]


def node(directory: Path, port: int) -> list[str]:
    return ["node", "-e", NODE % (ANSWER, port)]


def nginx(directory: Path, port: int) -> list[str]:
    configuration = directory / "nginx.conf"
    values = {
        "user": pwd.getpwuid(os.getuid()).pw_name,
        "directory": directory,
        "port": port,
        "answer": ANSWER,
        "temporary": "".join(f"{name}_temp_path {directory}/{name};" for name in TEMPORARY),
    }
    configuration.write_text(NGINX % values)
    return ["nginx", "-e", "stderr", "-c", str(configuration)]


def redis(directory: Path, port: int) -> list[str]:
    return ["redis-server", "--port", str(port), "--save", "", "--dir", str(directory)]


def output_of(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def load_http(port: int, seconds: float) -> float:
    url = f"http://127.0.0.1:{port}/ready"
    text = output_of(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", url])
    failures = re.search(r"Socket errors.*|Non-2xx.*", text)
    if failures:
        raise SystemExit(f"soak: {url}: {failures.group()}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert found, text
    return float(found.group(1))


def load_redis(port: int, seconds: float) -> float:
    """SET and GET in turns, until the time is over."""
    rates = []
    command = f"redis-benchmark -p {port} -c {CONNECTIONS} -n 100000 -t set,get --csv"
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = output_of(command.split())
        rates += [float(rate) for rate in re.findall(r'^"[SG]ET","([\d.]+)"', text, re.MULTILINE)]
    return sum(rates) / len(rates)


SERVERS = (
    Server("uvicorn, FastAPI", uvicorn, load_http),
    Server("Node, http", node, load_http),
    Server("nginx", nginx, load_http),
    Server("Redis", redis, load_redis),
)


def wait_until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    with contextlib.suppress(OSError):
        while process.poll() is None and time.monotonic() < end:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
    raise SystemExit("soak: the server did not start")


@contextlib.contextmanager
def serving(command: list[str], port: int) -> Iterator[None]:
    """The server, in a session of its own; whatever happens all of it is gone at the end."""
    unused = "/dev/null"  # what only the demo's other endpoints look at
    environment = dict(
        os.environ, DEMO_SLOW_SERVICE=unused, DEMO_SLOW_FILES=unused, DEMO_DATABASE=unused
    )
    process = subprocess.Popen(
        command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        wait_until_it_listens(port, process)
        yield
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_S)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def soak(server: Server, build: Path, seconds: float) -> Result:
    directory = build / "soak"
    directory.mkdir(parents=True, exist_ok=True)
    hits = directory / f"{server.name.split(',')[0]}.jsonl"
    hits.unlink(missing_ok=True)
    port = free_port()
    run = [str(build / "loophound"), "run", "-o", str(hits), "--"]
    with serving([*run, *server.command(directory, port)], port):
        rate = server.load(port, seconds)
    events: list[Event] = [json.loads(line) for line in hits.read_text().splitlines()]
    if not any(event["type"] == "loop" for event in events):
        raise SystemExit(f"soak: {server.name}: no loop thread was seen")
    reports = [event for event in events if event["type"] in ("block", "stall")]
    dropped = sum(int(str(event["dropped"])) for event in events if event["type"] == "summary")
    return Result(server.name, rate, reports, dropped)


def print_table(results: list[Result]) -> None:
    rows: list[tuple[str, ...]] = [
        ("server", "requests/s", "reports", "scheduling delays", "others")
    ]
    for result in results:
        wrong = len(result.wrong)
        counts = (len(result.reports), len(result.reports) - wrong, wrong)
        rows.append((result.name, f"{result.rate:.0f}", *map(str, counts)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *rest = (f"{text:{'<' if i == 0 else '>'}{widths[i]}}" for i, text in enumerate(row))
        print(first, *rest, sep="  ")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--seconds", type=float, default=60, help="for each server")
    parser.add_argument("--only", help="the server whose name begins so")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    results = []
    for server in SERVERS:
        if server.name.lower().startswith((arguments.only or "").lower()):
            print(f"soak: {server.name}, {arguments.seconds:.0f} s", flush=True)
            results.append(soak(server, build, arguments.seconds))
    print_table(results)
    for result in results:
        for event in result.wrong:
            print(f"soak: FAILED: {result.name}: {json.dumps(event)}")
        if result.dropped > 0:
            print(f"soak: FAILED: {result.name}: {result.dropped} reports lost")
    return 1 if any(result.wrong or result.dropped for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
