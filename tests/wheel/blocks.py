# SPDX-License-Identifier: Apache-2.0
"""Four ways to block a loop, for the Python of any system: scripts/distros --wheel.

blocks.py               blocks four times
blocks.py HITS.JSONL    how many of them are in this file with the right line: N of 4
"""

import asyncio
import json
import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

BLOCK_S = 0.4


def later(action):
    threading.Timer(BLOCK_S, action).start()


def sleep():
    time.sleep(BLOCK_S)  # block


def receive():
    ours, theirs = socket.socketpair()
    later(lambda: theirs.send(b"x"))
    ours.recv(1)  # block


def open_fifo():
    path = Path(tempfile.mkdtemp(), "fifo")
    os.mkfifo(path)
    later(lambda: os.close(os.open(path, os.O_WRONLY)))
    os.close(os.open(path, os.O_RDONLY))  # block


def take_lock():
    lock = threading.Lock()
    lock.acquire()
    later(lock.release)
    lock.acquire()  # block


async def main():
    for step in (sleep, receive, open_fifo, take_lock):
        step()
        await asyncio.sleep(0)


def lines_of_blocks(path):
    """The innermost line of this file in each block."""
    for text in Path(path).read_text(encoding="utf-8").splitlines():
        event = json.loads(text)
        if event["type"] == "block":
            here = [f["line"] for f in event["stack"] if f["file"] == str(Path(__file__).resolve())]
            yield here[0] if here else None


if len(sys.argv) > 1:
    source = enumerate(Path(__file__).read_text(encoding="utf-8").splitlines(), 1)
    meant = {number for number, line in source if line.endswith("  # block")}
    print(len(meant & set(lines_of_blocks(sys.argv[1]))), "of", len(meant))
else:
    asyncio.run(main())
