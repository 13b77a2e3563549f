# SPDX-License-Identifier: Apache-2.0
"""waits.py CASE: a coroutine that waits 150 ms for descriptors on which nothing happens."""

import asyncio
import contextlib
import os
import select
import socket
import sys
import tempfile
from pathlib import Path

WAIT_MS = 150

listener = socket.create_server(("127.0.0.1", 0))
near = socket.create_connection(listener.getsockname())
far, _ = listener.accept()
fifo_path = Path(tempfile.mkdtemp(), "fifo")
os.mkfifo(fifo_path)
fifo = os.open(fifo_path, os.O_RDONLY | os.O_NONBLOCK)
writer = os.open(fifo_path, os.O_WRONLY)
pipes = [os.pipe()[0] for _ in range(2)]


def poll(*fds):
    waiting = select.poll()
    for fd in fds:
        waiting.register(fd, select.POLLIN)
    waiting.poll(WAIT_MS)


def select_(*fds):
    select.select(fds, [], [], WAIT_MS / 1000)


def epoll(*fds):
    waiting = select.epoll()
    for fd in fds:
        waiting.register(fd, select.EPOLLIN)
    waiting.poll(WAIT_MS / 1000)


def receive():
    near.settimeout(WAIT_MS / 1000)
    with contextlib.suppress(TimeoutError):
        near.recv(1)


def set_of_set():
    inner = select.epoll()
    epoll(inner.fileno())


SEVERAL = (near.fileno(), fifo, pipes[0], pipes[1])
CASES = {
    "receive": receive,
    "poll_one": lambda: poll(near.fileno()),
    "select_one": lambda: select_(near.fileno()),
    "epoll_one": lambda: epoll(near.fileno()),
    "poll_fifo": lambda: poll(fifo),
    "select_fifo": lambda: select_(fifo),
    "poll_several": lambda: poll(*SEVERAL),
    "select_several": lambda: select_(*SEVERAL),
    "epoll_several": lambda: epoll(*SEVERAL),
    "poll_none": lambda: poll(),
    "select_none": lambda: select_(),
    "set_of_set": set_of_set,
}


async def main():
    await asyncio.sleep(0.01)
    CASES[sys.argv[1]]()


print(*listener.getsockname(), fifo_path, flush=True)
asyncio.run(main())
fifo_path.unlink()
fifo_path.parent.rmdir()
