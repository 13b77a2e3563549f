#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job on a real server: who blocks its event loop?

Starts a FastAPI application under uvicorn, under loophound, sends 10 requests at once to each of
its endpoints, wrong and right, prints what was found, and checks that it is what is known to be
there.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import slow

HERE = Path(__file__).resolve().parent
REQUESTS = 10
THRESHOLD = "50ms"
LOCK_S = 0.3  # sqlite waits in steps of 1, 2, 5, 10 ... 50, 50, 100 ms (sqliteDefaultBusyCallback)
START_S = 30.0
STOP_S = 10.0


@dataclass
class Endpoint:
    """An endpoint, and what is known about it."""

    path: str
    what: str
    wall_s: tuple[float, float]  # least and most that 10 requests at once may take
    line: str  # what the offending line says; "" where nothing may block
    blocks: tuple[int, int] = (0, 0)
    numbered: bool = False  # each request has its own named pipe
    prepare: Callable[[Path], None] = lambda _: None
    begin: float = 0.0
    wall: float = 0.0
    found: list[dict[str, object]] = field(default_factory=list)


def new_files(directory: Path) -> None:
    slow.make_files(directory / "files", REQUESTS)


def new_lock(directory: Path) -> None:
    slow.hold_lock(directory / "visits.db", LOCK_S)


ONE_BY_ONE = (0.95, 2.5)
AT_ONCE = (0.09, 0.5)
LOCKED = (LOCK_S - 0.05, 1.5)

ENDPOINTS = [
    Endpoint("/wrong/sleep", "async def, time.sleep(0.1)", ONE_BY_ONE, "time.sleep", (10, 10)),
    Endpoint("/wrong/http", "async def, HTTP in the old way", ONE_BY_ONE, "SLOW_SERVICE", (10, 20)),
    Endpoint(
        "/wrong/file", "async def, open().read()", ONE_BY_ONE, "open(", (10, 20), True, new_files
    ),
    Endpoint(
        "/wrong/database", "async def, sqlite3, locked", LOCKED, "execute", (1, 20), False, new_lock
    ),
    Endpoint("/right/sleep", "await asyncio.sleep(0.1)", AT_ONCE, ""),
    Endpoint("/right/thread", "def, in the thread pool", AT_ONCE, ""),
    Endpoint("/right/http", "await an asynchronous client", AT_ONCE, ""),
    Endpoint("/right/file", "run_in_executor", AT_ONCE, "", (0, 0), True, new_files),
    Endpoint("/right/database", "def, sqlite3, locked", LOCKED, "", (0, 0), False, new_lock),
]


def install(venv: Path) -> bool:
    """A virtual environment with what PyPI has for us. False: PyPI could not be reached."""
    wanted = (HERE / "requirements.txt").read_text()
    done = venv / "installed"
    if done.exists() and done.read_text() == wanted:
        return True
    print(f"demo: installing into {venv}: {', '.join(wanted.split())}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
    pip = [str(venv / "bin/python"), "-m", "pip", "-q", "--disable-pip-version-check", "install"]
    options = ["--retries", "1", "--timeout", "15", "-r", str(HERE / "requirements.txt")]
    if subprocess.run(pip + options, check=False).returncode != 0:
        return False
    done.write_text(wanted)
    return True


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def get(url: str) -> None:
    with urllib.request.urlopen(url, timeout=30) as answer:
        answer.read()


def wait_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while True:
        try:
            get(f"{url}/ready")
            return
        except OSError:
            if server.poll() is not None or time.monotonic() > end:
                raise SystemExit("demo: the server did not start") from None
            time.sleep(0.02)


@contextlib.contextmanager
def serving(command: list[str], environment: dict[str, str], url: str) -> Iterator[None]:
    """The server, in a session of its own; whatever happens all of it is gone at the end."""
    server = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        wait_ready(url, server)
        yield
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(STOP_S)
        except subprocess.TimeoutExpired:
            raise SystemExit(f"demo: the server did not end within {STOP_S} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
            if server.poll() is not None:
                raise SystemExit("demo: a process of the server was left behind")
        server.wait()


def fire(url: str, endpoint: Endpoint) -> None:
    """Ten requests at once; notes when, and how long until all are answered."""
    barrier = threading.Barrier(REQUESTS + 1)
    problems: list[str] = []

    def request(number: int) -> None:
        target = f"{url}{endpoint.path}" + (f"/{number}" if endpoint.numbered else "")
        barrier.wait()
        try:
            get(target)
        except (OSError, urllib.error.HTTPError) as problem:
            problems.append(f"{target}: {problem}")

    threads = [threading.Thread(target=request, args=(n,)) for n in range(REQUESTS)]
    for thread in threads:
        thread.start()
    endpoint.begin = time.time()
    begin = time.perf_counter()
    barrier.wait()
    for thread in threads:
        thread.join()
    endpoint.wall = time.perf_counter() - begin
    if problems:
        raise SystemExit(f"demo: {problems[0]}")


def read_blocks(build: Path, path: Path) -> list[dict[str, object]]:
    """With their stacks, which stand in lines of their own in the file."""
    command = [str(build / "loophound"), "report", "--format", "json", str(path)]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    events = [json.loads(line) for line in lines.splitlines()]
    return [event for event in events if event["type"] == "block"]


def write_page(build: Path, hits: Path) -> Path:
    """What was found, as a page for a browser."""
    page = hits.with_suffix(".html")
    command = [str(build / "loophound"), "export", "-f", "html", "-o", str(page), str(hits)]
    subprocess.run(command, check=True)
    return page


def assign(blocks: list[dict[str, object]]) -> None:
    """Gives each block to the endpoint that was being asked when it ended."""
    for block in blocks:
        at = datetime.fromisoformat(str(block["time"])).timestamp()
        for endpoint in ENDPOINTS:
            if endpoint.begin <= at <= endpoint.begin + endpoint.wall + 0.02:
                endpoint.found.append(block)


def offending_line(block: dict[str, object], app: Path) -> str:
    """The innermost line of the application itself: "app.py:35 time.sleep(0.1)"."""
    stack = block["stack"]
    for frame in stack if isinstance(stack, list) else []:
        if frame["file"] and Path(frame["file"]).name == app.name and frame["line"]:
            text = app.read_text().splitlines()[frame["line"] - 1]
            return f"{app.name}:{frame['line']} {text.split('  #')[0].strip()}"
    return "?"


def print_table(app: Path) -> None:
    rows = [("endpoint", "wall time for 10", "blocks found", "first offending line")]
    for endpoint in ENDPOINTS:
        first = offending_line(endpoint.found[0], app) if endpoint.found else ""
        name = f"{endpoint.path}  ({endpoint.what})"
        rows.append((name, f"{endpoint.wall:.2f} s", str(len(endpoint.found)), first))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    print()
    for name, wall, count, line in rows:
        columns = f"{name:{widths[0]}}  {wall:>{widths[1]}}  {count:>{widths[2]}}  {line}"
        print(columns.rstrip())
    print()


def problems_of(endpoint: Endpoint, app: Path) -> list[str]:
    """What is not as it is known to be."""
    problems = []
    least, most = endpoint.wall_s
    if not least <= endpoint.wall <= most:
        problems.append(f"took {endpoint.wall:.2f} s, not {least} to {most} s")
    fewest, largest = endpoint.blocks
    if not fewest <= len(endpoint.found) <= largest:
        problems.append(f"{len(endpoint.found)} blocks found, not {fewest} to {largest}")
    lines = {offending_line(block, app) for block in endpoint.found}
    problems += [f"blamed {line}" for line in lines if endpoint.line not in line]
    return [f"{endpoint.path}: {problem}" for problem in problems]


def command_of(build: Path, plain: bool, port: int, hits: Path) -> list[str]:
    run = [str(build / "loophound"), "run", "-t", THRESHOLD, "-o", str(hits), "--rate", "off", "--"]
    if plain:
        return [*run, sys.executable, str(HERE / "app_plain.py"), str(port)]
    uvicorn = [
        "-m",
        "uvicorn",
        "--app-dir",
        str(HERE),
        "--log-level",
        "warning",
        "--loop",
        "asyncio",
    ]
    return [*run, str(build / "demo/venv/bin/python"), *uvicorn, "--port", str(port), "app:app"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--plain", action="store_true", help="the standard library alone, no PyPI")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    directory = build / "demo"
    (directory / "files").mkdir(parents=True, exist_ok=True)
    hits = directory / "hits.jsonl"
    hits.unlink(missing_ok=True)

    plain = arguments.plain or not install(directory / "venv")
    if plain:
        print("demo: without PyPI: a server on Python's standard library alone instead of FastAPI")
    app = HERE / ("app_plain.py" if plain else "app.py")

    slow.make_database(directory / "visits.db")
    service, service_url = slow.start_service()
    environment = dict(
        os.environ,
        DEMO_SLOW_SERVICE=service_url,
        DEMO_SLOW_FILES=str(directory / "files"),
        DEMO_DATABASE=str(directory / "visits.db"),
    )
    port = free_port()
    command = command_of(build, plain, port, hits)
    print("demo:", " ".join(command), flush=True)
    with serving(command, environment, f"http://127.0.0.1:{port}"):
        for endpoint in ENDPOINTS:
            endpoint.prepare(directory)
            fire(f"http://127.0.0.1:{port}", endpoint)
    service.shutdown()

    assign(read_blocks(build, hits))
    print_table(app)
    problems = [problem for endpoint in ENDPOINTS for problem in problems_of(endpoint, app)]
    for problem in problems:
        print(f"demo: FAILED: {problem}")
    if not problems:
        print(f"demo: as expected: blocks on the wrong forms only; every event is in {hits}")
    print(f"demo: as a page, for your browser: {write_page(build, hits)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
