# SPDX-License-Identifier: Apache-2.0
"""The classic mistakes in a coroutine: each blocks the loop for 0.3 s, once.

    classic.py sleep|receive|acquire|run on|first|off

`on`: in a coroutine; `first`: in the very first step of the first coroutine; `off`: in
asyncio.to_thread, which is the right form. Prints how long the C function that waited truly took,
in ms, and the line it was called from.
"""

import asyncio
import inspect
import socket
import subprocess
import sys
import threading
import time

SECONDS = 0.3
ours, theirs = socket.socketpair()
lock = threading.Lock()
ready = threading.Event()
go = threading.Event()


def sleep():
    time.sleep(SECONDS)  # blocks


def receive():
    go.set()
    ours.recv(1)  # blocks


def acquire():
    go.set()
    lock.acquire()  # blocks


def run():
    subprocess.run(["sleep", str(SECONDS)], check=True)  # blocks


def helper(name):
    """Ends the wait of the functions that wait for somebody."""
    if name == "acquire":
        lock.acquire()
    ready.set()
    go.wait()
    time.sleep(SECONDS)
    if name == "receive":
        theirs.send(b"x")
    if name == "acquire":
        lock.release()


class Longest:
    """The longest call of a C function: a profile function sees its begin and its end."""

    def __init__(self):
        self.begin = 0.0
        self.ms = 0.0

    def __call__(self, frame, event, argument):
        if event == "c_call":
            self.begin = time.perf_counter()
        elif event == "c_return":
            self.ms = max(self.ms, (time.perf_counter() - self.begin) * 1000)


def timed(function):
    longest = Longest()
    sys.setprofile(longest)
    function()
    sys.setprofile(None)
    return longest.ms


async def main(function, where):
    if where == "first":
        return timed(function)
    await asyncio.sleep(0)
    if where == "off":
        return await asyncio.to_thread(timed, function)
    return timed(function)


if __name__ == "__main__":
    chosen = globals()[sys.argv[1]]
    threading.Thread(target=helper, args=(sys.argv[1],), daemon=True).start()
    ready.wait()
    true_ms = asyncio.run(main(chosen, sys.argv[2]))
    lines, first = inspect.getsourcelines(chosen)
    offset = next(number for number, line in enumerate(lines) if "# blocks" in line)
    print(true_ms, first + offset)
