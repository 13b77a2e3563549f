# SPDX-License-Identifier: Apache-2.0
"""One iteration of an asyncio loop that takes 300 ms or more, in one of several ways.

    stalls.py loop|regex|json|hash|reads|gil|hang|score|clean

Prints the line of the user's own that is to blame, and the CPU time it took in ms; of `gil` and
`score` the time for which the loop waited for the GIL: the least that it can have been, and the
most.
"""

import asyncio
import ctypes
import hashlib
import inspect
import json
import os
import pathlib
import re
import sys
import threading
import time

MS = 0.001
line = 0
least_ms = most_ms = 0.0


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
        for _ in range(150):
            time.sleep(6 * MS)
            os.write(theirs, b"x")

    feeder = threading.Thread(target=feed)
    feeder.start()
    here(below=2)
    for _ in range(150):
        os.read(ours, 1)
    feeder.join()


def clean():
    sum(range(1000))


def run_delay_ms():
    """How long this thread has waited for a processor: sched-stats of Linux."""
    return int(pathlib.Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e6


def was_kept_waiting(due, held, went_on, delay_ms):
    """The loop was due to go on while another thread kept the GIL: since when, and how long at
    least. It waited for a processor too, maybe before it could ask for the GIL. False: on a busy
    machine it may have gone on before the other thread had begun, or have come after that."""
    global least_ms, most_ms
    since, held_s = held
    least_ms = (since + held_s - due) / MS - delay_ms
    most_ms = (went_on - due) / MS
    return went_on >= since + 0.9 * held_s and since + held_s - due > 150 * MS


def keep_the_gil(started):
    """One long C call without releasing the GIL, once the loop runs on."""
    libc = ctypes.PyDLL(None)
    time.sleep(10 * MS)
    started.set()
    since = time.monotonic()
    here(below=1)
    libc.usleep(800_000)
    return since, 800 * MS


def keep_it_for_ever(started):
    libc = ctypes.PyDLL(None)
    here(below=3)
    print(line, flush=True)
    started.set()
    libc.pause()


async def hang():
    """For ever, as far as anybody waits."""
    started = threading.Event()
    threading.Thread(target=keep_it_for_ever, args=(started,), name="scorer", daemon=True).start()
    while not started.is_set():
        await asyncio.sleep(1 * MS)
    await asyncio.sleep(1 * MS)


async def wait_for_the_gil():
    kept = []
    started = threading.Event()
    thread = threading.Thread(target=lambda: kept.append(keep_the_gil(started)), name="scorer")
    delay_ms = run_delay_ms()
    thread.start()
    while True:
        due = time.monotonic() + 1 * MS
        await asyncio.sleep(1 * MS)
        went_on = time.monotonic()
        if started.is_set():
            break
    delay_ms = run_delay_ms() - delay_ms
    await asyncio.to_thread(thread.join)
    return was_kept_waiting(due, kept[0], went_on, delay_ms)


def score():
    """One long C call that keeps the GIL, once the loop waits."""
    time.sleep(10 * MS)
    since = time.monotonic()
    cpu_s = time.thread_time()
    here(below=1)
    re.match(r"(a+)+$", "a" * 23 + "b")
    return since, time.thread_time() - cpu_s


async def wait_for_a_score():
    """The loop wakes up while the score is computed, and cannot run until that is done."""
    loop = asyncio.get_running_loop()
    woken = loop.create_future()
    await loop.run_in_executor(None, int)  # starts the thread
    scored = loop.run_in_executor(None, score)
    delay_ms = run_delay_ms()
    due = loop.time() + 30 * MS
    loop.call_at(due, woken.set_result, None)
    await woken
    went_on = time.monotonic()
    delay_ms = run_delay_ms() - delay_ms
    return was_kept_waiting(due, await scored, went_on, delay_ms)


WAYS = {
    "loop": loop,
    "regex": regex,
    "json": parse,
    "hash": hash,
    "reads": reads,
    "clean": clean,
}
WAITS = {"gil": wait_for_the_gil, "hang": hang, "score": wait_for_a_score}


async def main():
    global least_ms, most_ms
    await asyncio.sleep(40 * MS)
    if sys.argv[1] in WAITS:
        while not await WAITS[sys.argv[1]]():
            pass
    else:
        start = time.thread_time()
        WAYS[sys.argv[1]]()
        least_ms = most_ms = (time.thread_time() - start) / MS
    await asyncio.sleep(10 * MS)


asyncio.run(main())
print(line, least_ms, most_ms)
