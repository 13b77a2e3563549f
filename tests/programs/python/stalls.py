"""One iteration of an asyncio loop that takes 300 ms or more, in one of several ways.

    stalls.py loop|regex|json|hash|reads|gil|score|clean

Prints the line of the user's own that is to blame, and the CPU time it took in ms; of `score` the
time for which the loop waited for the GIL.
"""

import asyncio
import ctypes
import hashlib
import inspect
import json
import os
import re
import sys
import threading
import time

MS = 0.001
line = 0
cpu_ms = 0.0


def here(below):
    """The line to blame is so many lines below the caller's."""
    global line
    line = inspect.currentframe().f_back.f_lineno + below


def loop():
    end = time.thread_time() + 300 * MS
    n = 0
    here(below=2)
    while time.thread_time() < end:
        n += sum(range(1000))


def regex():
    text = "a" * 24 + "b"
    here(below=2)
    for _ in range(3):
        re.match(r"(a+)+$", text)


def parse():
    text = json.dumps([{"key": i, "value": str(i)} for i in range(40000)])
    here(below=2)
    for _ in range(12):
        json.loads(text)


def hash():
    here(below=1)
    hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 600_000)


def reads():
    ours, theirs = os.pipe()

    def feed():
        for _ in range(60):
            time.sleep(6 * MS)
            os.write(theirs, b"x")

    feeder = threading.Thread(target=feed)
    feeder.start()
    here(below=2)
    for _ in range(60):
        os.read(ours, 1)
    feeder.join()


def clean():
    sum(range(1000))


def keep_the_gil(started):
    """One long C call without releasing the GIL."""
    libc = ctypes.PyDLL(None)
    started.set()
    here(below=1)
    libc.usleep(300_000)


async def wait_for_the_gil():
    started = threading.Event()
    thread = threading.Thread(target=keep_the_gil, args=(started,), name="scorer")
    thread.start()
    while not started.is_set():
        await asyncio.sleep(1 * MS)
    await asyncio.to_thread(thread.join)


def score():
    """One long C call that keeps the GIL, once the loop waits; returns when that was over."""
    time.sleep(10 * MS)
    here(below=1)
    re.match(r"(a+)+$", "a" * 23 + "b")
    return time.monotonic()


async def wait_for_a_score():
    """The loop wakes up while the score is computed, and cannot run until that is done."""
    global cpu_ms
    loop = asyncio.get_running_loop()
    woken = loop.create_future()
    await loop.run_in_executor(None, int)  # starts the thread
    scored = loop.run_in_executor(None, score)
    due = loop.time() + 30 * MS
    loop.call_at(due, woken.set_result, None)
    await woken
    cpu_ms = (await scored - due) / MS


WAYS = {
    "loop": loop,
    "regex": regex,
    "json": parse,
    "hash": hash,
    "reads": reads,
    "clean": clean,
}


async def main():
    global cpu_ms
    await asyncio.sleep(40 * MS)
    if sys.argv[1] == "gil":
        await wait_for_the_gil()
    elif sys.argv[1] == "score":
        await wait_for_a_score()
    else:
        start = time.thread_time()
        WAYS[sys.argv[1]]()
        cpu_ms = (time.thread_time() - start) / MS
    await asyncio.sleep(10 * MS)


asyncio.run(main())
print(line, cpu_ms)
