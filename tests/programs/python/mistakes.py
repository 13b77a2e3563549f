# SPDX-License-Identifier: Apache-2.0
"""Mistakes by name: runs those that its arguments name, a turn of the event loop each."""

import asyncio
import os
import socket
import sys
import time


def load_models():
    time.sleep(0.5)


def fetch():
    time.sleep(0.5)


def compute():
    end = time.perf_counter() + 0.5
    while time.perf_counter() < end:
        pass


def receive():
    """From a peer that sends in half a second."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        if os.fork() == 0:
            time.sleep(0.5)
            theirs.send(b"x")
            os._exit(0)
        ours.recv(1)


async def main():
    for name in sys.argv[1:]:
        globals()[name]()
        await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(main())
