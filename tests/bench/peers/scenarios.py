# SPDX-License-Identifier: Apache-2.0
"""What a coroutine should not do, fifty times, and ten times what it may. For ../peers.py.

Each BLOCKING scenario keeps the loop for a quarter of a second at the line that ends in `# here`.
It needs nothing but this machine: what it waits for comes from a thread or process of its own.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import ctypes
import fcntl
import hashlib
import http.client
import inspect
import multiprocessing
import os
import queue
import re
import sched
import select
import selectors
import shutil
import signal
import smtplib
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psycopg2
import requests

D = 0.25
Scenario = Callable[[], Coroutine[Any, Any, object]]
BLOCKING: dict[str, Scenario] = {}
CLEAN: dict[str, Scenario] = {}
HANGS: dict[str, Scenario] = {}


def blocking(function: Scenario) -> Scenario:
    BLOCKING[function.__name__] = function
    return function


def clean(function: Scenario) -> Scenario:
    CLEAN[function.__name__] = function
    return function


def line_of(function: Scenario) -> int:
    """The one to name."""
    lines, first = inspect.getsourcelines(function)
    return first + next(i for i, line in enumerate(lines) if line.rstrip().endswith("# here"))


def later(act: Callable[[], object]) -> None:
    threading.Timer(D, act).start()


def held_by_a_thread(lock: Any) -> None:
    taken = threading.Event()

    def hold() -> None:
        with lock:
            taken.set()
            time.sleep(D)

    threading.Thread(target=hold).start()
    taken.wait()


def slow_server(answer: bytes = b"", greeting: bytes = b"") -> int:
    """Answers the first connection after D, whatever it says, and closes it. Its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        time.sleep(D)
        connection.sendall(greeting)
        if answer:
            connection.recv(65536)
            connection.sendall(answer)
        connection.close()

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


OK = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"


def in_a_child(*words: str) -> list[str]:
    return [sys.executable, "-c", *words]


def sleep_then(value: object) -> object:
    time.sleep(D)
    return value


# Sleeps.


@blocking
async def sleep() -> None:
    time.sleep(D)  # here


@blocking
async def many_short_sleeps() -> None:
    for _ in range(25):
        time.sleep(0.01)  # here


@blocking
async def sleep_in_a_callback() -> None:
    def callback() -> None:
        time.sleep(D)  # here

    asyncio.get_running_loop().call_soon(callback)
    await asyncio.sleep(0)


@blocking
async def scheduler() -> None:
    timers = sched.scheduler()
    timers.enter(D, 1, print, ("",))
    timers.run()  # here


@blocking
async def sleep_past_python() -> None:
    ctypes.CDLL(None).usleep(int(D * 1e6))  # here


# Locks and what is made of them.


@blocking
async def lock() -> None:
    one = threading.Lock()
    held_by_a_thread(one)
    one.acquire()  # here


@blocking
async def lock_in_with() -> None:
    one = threading.RLock()
    held_by_a_thread(one)
    with one:  # here
        pass


@blocking
async def event() -> None:
    one = threading.Event()
    later(one.set)
    one.wait()  # here


@blocking
async def condition() -> None:
    one = threading.Condition()
    with one:
        one.wait(D)  # here


@blocking
async def semaphore() -> None:
    threading.Semaphore(0).acquire(timeout=D)  # here


@blocking
async def barrier() -> None:
    one = threading.Barrier(2)
    later(one.wait)
    one.wait()  # here


@blocking
async def queue_get() -> None:
    one: queue.Queue[int] = queue.Queue()
    later(lambda: one.put(1))
    one.get()  # here


@blocking
async def queue_put() -> None:
    one: queue.Queue[int] = queue.Queue(1)
    one.put(1)
    later(one.get)
    one.put(2)  # here


@blocking
async def simple_queue() -> None:
    one: queue.SimpleQueue[int] = queue.SimpleQueue()
    later(lambda: one.put(1))
    one.get()  # here


@blocking
async def thread_join() -> None:
    thread = threading.Thread(target=time.sleep, args=(D,))
    thread.start()
    thread.join()  # here


@blocking
async def future() -> None:
    pool = concurrent.futures.ThreadPoolExecutor()
    pool.submit(sleep_then, 1).result()  # here


@blocking
async def executor_shutdown() -> None:
    pool = concurrent.futures.ThreadPoolExecutor()
    pool.submit(sleep_then, 1)
    pool.shutdown()  # here


@blocking
async def future_of_the_own_loop() -> None:
    waits = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), asyncio.get_running_loop())
    with contextlib.suppress(concurrent.futures.TimeoutError):
        waits.result(D)  # here


# Sockets.


@blocking
async def recv() -> None:
    client = socket.create_connection(("127.0.0.1", slow_server(greeting=b"x")))
    client.recv(1)  # here


@blocking
async def recv_with_a_timeout() -> None:
    one, _other = socket.socketpair()
    one.settimeout(D)
    with contextlib.suppress(TimeoutError):
        one.recv(1)  # here


@blocking
async def recvfrom() -> None:
    one = socket.socket(type=socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    later(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", one.getsockname()))
    one.recvfrom(1)  # here


@blocking
async def accept() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    later(lambda: socket.create_connection(listener.getsockname()))
    listener.accept()  # here


@blocking
async def sendall() -> None:
    one, other = socket.socketpair()
    later(lambda: [other.recv(1 << 20) for _ in range(100)])
    one.sendall(bytes(1 << 22))  # here


@blocking
async def makefile() -> None:
    client = socket.create_connection(("127.0.0.1", slow_server(greeting=b"x\n")))
    client.makefile().readline()  # here


@blocking
async def tls_handshake() -> None:
    client = socket.create_connection(("127.0.0.1", slow_server()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with contextlib.suppress(OSError):
        context.wrap_socket(client, server_hostname="x")  # here


@blocking
async def http_client() -> None:
    client = http.client.HTTPConnection("127.0.0.1", slow_server(OK))
    client.request("GET", "/")
    client.getresponse()  # here


@blocking
async def urlopen() -> None:
    urllib.request.urlopen(f"http://127.0.0.1:{slow_server(OK)}/")  # here


@blocking
async def requests_get() -> None:
    requests.get(f"http://127.0.0.1:{slow_server(OK)}/")  # here


@blocking
async def smtp() -> None:
    smtplib.SMTP("127.0.0.1", slow_server(greeting=b"220 x\r\n"))  # here


@blocking
async def postgres_driver() -> None:
    address = f"host=127.0.0.1 port={slow_server(b'N')} dbname=x user=x sslmode=disable"
    with contextlib.suppress(psycopg2.Error):
        psycopg2.connect(address)  # here


# Waits for descriptors.


@blocking
async def select_select() -> None:
    one, _other = socket.socketpair()
    select.select([one], [], [], D)  # here


@blocking
async def poll() -> None:
    select.poll().poll(D * 1000)  # here


@blocking
async def selector() -> None:
    selectors.DefaultSelector().select(D)  # here


@blocking
async def sigtimedwait() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    signal.sigtimedwait([signal.SIGUSR1], D)  # here


# Files and pipes.


@blocking
async def read_a_pipe() -> None:
    end, other = os.pipe()
    later(lambda: os.write(other, b"x"))
    os.read(end, 1)  # here


@blocking
async def write_a_full_pipe() -> None:
    end, other = os.pipe()
    later(lambda: os.read(end, 1 << 20))
    os.write(other, bytes(1 << 17))  # here


@blocking
async def read_a_file_object() -> None:
    end, other = os.pipe()
    later(lambda: os.close(other))
    with os.fdopen(end, "rb") as file:
        file.read()  # here


@blocking
async def open_a_fifo() -> None:
    fifo = Path(tempfile.mkdtemp()) / "fifo"
    os.mkfifo(fifo)
    later(lambda: fifo.write_text("x"))
    fifo.read_text()  # here


@blocking
async def copy_a_stream() -> None:
    end, other = os.pipe()
    later(lambda: os.close(other))
    with os.fdopen(end, "rb") as source, tempfile.TemporaryFile() as target:
        shutil.copyfileobj(source, target)  # here


@blocking
async def flock() -> None:
    path = Path(tempfile.mkstemp()[1])
    with path.open() as one, path.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        later(lambda: fcntl.flock(other, fcntl.LOCK_UN))
        fcntl.flock(one, fcntl.LOCK_EX)  # here


@blocking
async def locked_database() -> None:
    path = tempfile.mkstemp()[1]
    other = sqlite3.connect(path)
    other.execute("begin exclusive")
    with contextlib.suppress(sqlite3.OperationalError):
        sqlite3.connect(path, timeout=D).execute("create table t (x)")  # here


# Processes.


@blocking
async def subprocess_run() -> None:
    subprocess.run(["sleep", str(D)])  # here


@blocking
async def popen_wait() -> None:
    process = subprocess.Popen(["sleep", str(D)])
    process.wait()  # here


@blocking
async def os_system() -> None:
    os.system(f"sleep {D}")  # here


@blocking
async def waitpid() -> None:
    pid = os.posix_spawnp("sleep", ["sleep", str(D)], dict(os.environ))
    os.waitpid(pid, 0)  # here


@blocking
async def multiprocessing_pipe() -> None:
    one, other = multiprocessing.Pipe()
    later(lambda: other.send(1))
    one.recv()  # here


# Computing.


@blocking
async def busy_loop() -> None:
    end = time.monotonic() + D
    while time.monotonic() < end:  # here
        pass


@blocking
async def computing_in_c() -> None:
    hashlib.pbkdf2_hmac("sha256", b"x", b"y", 400_000)  # here


@blocking
async def compressing() -> None:
    zlib.compress(os.urandom(1 << 23), 9)  # here


@blocking
async def slow_expression() -> None:
    re.match(r"(a+)+$", "a" * 22 + "b")  # here


# What is as it should be.


@clean
async def asyncio_sleep() -> None:
    await asyncio.sleep(D)


@clean
async def sleep_in_a_thread() -> None:
    await asyncio.to_thread(time.sleep, D)


@clean
async def asyncio_subprocess() -> None:
    process = await asyncio.create_subprocess_exec("sleep", str(D))
    await process.wait()


@clean
async def asyncio_streams() -> None:
    reader, _ = await asyncio.open_connection("127.0.0.1", slow_server(greeting=b"x"))
    await reader.read(1)


@clean
async def asyncio_lock() -> None:
    one = asyncio.Lock()
    await one.acquire()
    asyncio.get_running_loop().call_later(D, one.release)
    async with one:
        pass


@clean
async def asyncio_queue() -> None:
    one: asyncio.Queue[int] = asyncio.Queue()
    asyncio.get_running_loop().call_later(D, one.put_nowait, 1)
    await one.get()


@clean
async def request_in_an_executor() -> None:
    url = f"http://127.0.0.1:{slow_server(OK)}/"
    await asyncio.get_running_loop().run_in_executor(None, urllib.request.urlopen, url)


@clean
async def sock_recv() -> None:
    one, other = socket.socketpair()
    one.setblocking(False)
    later(lambda: other.send(b"x"))
    await asyncio.get_running_loop().sock_recv(one, 1)


@clean
async def free_lock() -> None:
    one = threading.Lock()
    for _ in range(1000):
        with one:
            pass


@clean
async def short_computing() -> None:
    for _ in range(50):
        sum(range(10_000))
        await asyncio.sleep(0)


async def lock_for_ever() -> None:
    one = threading.Lock()
    one.acquire()
    one.acquire()  # here


HANGS["lock_for_ever"] = lock_for_ever
