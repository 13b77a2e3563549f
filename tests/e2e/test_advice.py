# SPDX-License-Identifier: Apache-2.0
"""What can be done about it: the advice of real programs, in events, text and reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness import PYTHON, Event, blocks, run_command, run_preloaded, stalls_of

APP = """
import asyncio, concurrent.futures, os, pathlib, queue, socket, sqlite3, subprocess, sys, tempfile
import threading, time, urllib.request

os.chdir(tempfile.mkdtemp())
os.mkfifo("fifo")

def soon(act):
    threading.Timer(0.3, act).start()

def write_fifo():
    soon(lambda: os.close(os.open("fifo", os.O_WRONLY)))

def answer_late(answer, to=0):
    server = socket.create_server(("127.0.0.1", 0))
    def serve():
        peer, _ = server.accept()
        peer.recv(to)
        time.sleep(0.3)
        peer.sendall(answer)
        peer.close()
    threading.Thread(target=serve).start()
    return server.getsockname()

def sleep():
    time.sleep(0.3)

def run():
    subprocess.run(["sleep", "0.3"], check=True)

def popen():
    subprocess.Popen(["sleep", "0.3"]).wait()

def system():
    os.system("sleep 0.3")

def opened():
    write_fifo()
    open("fifo").close()

def path():
    write_fifo()
    pathlib.Path("fifo").read_text()

def typed():
    read, write = os.pipe()
    os.dup2(read, 0)
    soon(lambda: os.write(write, b"x\\n"))
    input()

def looked_up():
    try:
        socket.getaddrinfo("x.invalid", 1)
    except OSError:
        pass

def received():
    with socket.create_connection(answer_late(b"x")) as client:
        client.recv(1)

def fetched():
    host, port = answer_late(b"HTTP/1.0 200 OK\\r\\n\\r\\n", to=65536)
    urllib.request.urlopen(f"http://{host}:{port}/").read()

def event():
    waited = threading.Event()
    soon(waited.set)
    waited.wait()

def joined():
    thread = threading.Thread(target=time.sleep, args=(0.3,))
    thread.start()
    thread.join()

def got():
    items = queue.Queue()
    soon(lambda: items.put(1))
    items.get()

def locked():
    lock = threading.Lock()
    lock.acquire()
    soon(lock.release)
    with lock:
        pass

def result():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        pool.submit(time.sleep, 0.3).result()

def own_result():
    future = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), asyncio.get_running_loop())
    try:
        future.result(0.3)
    except concurrent.futures.TimeoutError:
        pass

def database():
    other = sqlite3.connect("db", check_same_thread=False, isolation_level=None)
    other.execute("create table t (a)")
    other.execute("begin immediate")
    soon(other.commit)
    sqlite3.connect("db").execute("insert into t values (1)")

def computed():
    end = time.thread_time() + 0.3
    while time.thread_time() < end:
        sum(range(1000))

def imported():
    pathlib.Path("slow.py").write_text("import time\\ntime.sleep(0.3)\\n")
    sys.path.insert(0, os.getcwd())
    import slow

async def main():
    globals()[sys.argv[1]]()
    await asyncio.sleep(0)

asyncio.run(main())
"""

THREAD = "await asyncio.to_thread()"
RUN = "use await asyncio.create_subprocess_exec()"
SHELL = "use await asyncio.create_subprocess_shell()"
STANDARD: dict[str, tuple[str, str | None]] = {
    "sleep": ("use await asyncio.sleep()", "ASYNC251"),
    "run": (RUN, "ASYNC221"),
    "popen": (RUN, None),
    "system": (SHELL, "ASYNC221"),
    "opened": (f"use aiofiles, or {THREAD}", "ASYNC230"),
    "path": (f"use anyio.Path, or {THREAD}", "ASYNC240"),
    "typed": ("use it in a thread: await asyncio.to_thread(input)", "ASYNC250"),
    "received": ("use await asyncio.open_connection(), or a thread", None),
    "fetched": ("use httpx.AsyncClient, or asyncio.to_thread()", "ASYNC210"),
    "event": (f"use asyncio.Event, or {THREAD} to wait", None),
    "joined": (f"use {THREAD} instead of a thread to join", None),
    "got": (f"use asyncio.Queue, or {THREAD} to get", None),
    "locked": ("use asyncio.Lock between tasks; never keep a Lock across await", None),
    "result": ("use await asyncio.wrap_future(), or loop.run_in_executor()", None),
    "own_result": ("await the coroutine itself: only this loop can run it", None),
}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app.py"
    path.write_text(APP)
    return path


def run_app(app: Path, mistake: str, output: Path, **options: Any) -> list[Event]:
    done, events = run_preloaded([PYTHON, app, mistake], output, **{"THRESHOLD": "50ms", **options})
    assert done.returncode == 0, done.stderr
    return events


def said(event: Event) -> tuple[str, str | None] | None:
    advice = event["advice"]
    return (advice["text"], advice["rule"]) if advice else None


def longest(events: list[Event]) -> Event:
    return max(events, key=lambda event: float(event["duration_ms"]))


@pytest.mark.parametrize("mistake", STANDARD)
def test_mistake_has_its_advice(mistake: str, app: Path, hits: Path) -> None:
    block = longest(blocks(run_app(app, mistake, hits)))
    assert said(block) == STANDARD[mistake], block


def test_wait_in_flight_has_the_advice_of_its_block(app: Path, hits: Path) -> None:
    events = run_app(app, "event", hits)
    assert {said(event) for event in events if event["type"] in ("inflight", "block")} == {
        STANDARD["event"]
    }


def test_name_that_is_looked_up_is_to_be_awaited(app: Path, hits: Path) -> None:
    """Strict: however fast the answer is."""
    events = run_app(app, "looked_up", hits, STRICT="on")
    (block,) = (block for block in blocks(events) if block["group"] == "dns")
    assert said(block) == ("use await asyncio.get_running_loop().getaddrinfo()", None)


def test_database_that_is_locked_is_to_be_used_in_a_thread(app: Path, hits: Path) -> None:
    """It sleeps in between: some of these are blocks, and the rest is a stall."""
    events = run_app(app, "database", hits)
    found = [event for event in blocks(events) + stalls_of(events) if event["advice"]]
    assert found
    assert {said(event) for event in found} == {
        ("use aiosqlite, or open and use it in one thread of its own", None)
    }


def test_computing_is_for_a_process(app: Path, hits: Path) -> None:
    events = run_app(app, "computed", hits)
    expected = ("use a process: loop.run_in_executor() of a ProcessPoolExecutor", None)
    assert said(longest(stalls_of(events))) == expected


def test_module_that_blocks_while_it_is_imported_has_no_advice(app: Path, hits: Path) -> None:
    """Nothing can be awaited there."""
    assert said(longest(blocks(run_app(app, "imported", hits)))) is None


def test_text_has_the_advice_once_below_the_stack(app: Path) -> None:
    done = run_command("run", "-t", "50ms", "--no-stall", "--", PYTHON, app, "sleep")
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    at = lines.index("  advice: use await asyncio.sleep()  [ruff ASYNC251]")
    assert lines[at - 1].startswith("  app.py:") or "<module>" in lines[at - 1], done.stderr
    assert sum("advice:" in line for line in lines) == 1


def report(*arguments: str | Path) -> list[str]:
    done = run_command("report", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_report_puts_it_below_the_row_where_it_is_asked_for(app: Path, hits: Path) -> None:
    run_app(app, "sleep", hits, STALL="off")
    table = report(hits)
    advised = report("--advice", hits)
    assert [line for line in advised if line in table] == table
    (line,) = (line for line in advised if line not in table)
    assert line.strip() == "advice: use await asyncio.sleep()  [ruff ASYNC251]"
    assert advised.index(line) == 2
    by_call = report("--advice", "--by", "call", hits)
    assert not any("advice" in line for line in by_call)


def test_report_takes_the_advice_from_the_events_only(hits: Path) -> None:
    event = {
        "v": 1, "type": "block", "time": "2026-11-29T08:00:00.000000Z", "pid": 1, "tid": 1,
        "thread": "Main", "id": 1, "call": "recv", "duration_ms": 100, "stack": [],
        "fingerprint": "0" * 15 + "1",
    }  # fmt: skip
    hits.write_text(json.dumps(event) + "\n")
    assert not any("advice" in line for line in report("--advice", hits))
    event["advice"] = {"rule": None, "text": "do it \x1b[31motherwise"}
    hits.write_text(json.dumps(event) + "\n")
    assert report("--advice", hits)[2].strip() == "advice: do it ?[31motherwise"
