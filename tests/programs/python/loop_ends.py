# SPDX-License-Identifier: Apache-2.0
"""What is in an event loop and what is not: waits and computes in functions that say which.

loop_ends.py open         a loop whose epoll set stays open; then work, also at the end
loop_ends.py between      two runs of one loop, and work between them
loop_ends.py thread       the first in a thread of its own
loop_ends.py pool         a job of a pool waits for an epoll set; other jobs then work
loop_ends.py pool-loop    a job of a pool of threads runs an event loop
"""

import asyncio
import atexit
import concurrent.futures
import select
import sys
import threading
import time

WORK_S = 0.16


def work_inside():
    time.sleep(WORK_S)  # inside


def work_outside():
    time.sleep(WORK_S)
    end = time.monotonic() + WORK_S
    while time.monotonic() < end:
        pass


async def turn(work):
    await asyncio.sleep(0.01)
    work()
    await asyncio.sleep(0.01)


def open_loop():
    loop = asyncio.new_event_loop()
    work_outside()
    loop.run_until_complete(turn(work_inside))
    work_outside()
    return loop


def main_open():
    atexit.register(work_outside)
    return open_loop()


def main_between():
    loop = open_loop()
    loop.run_until_complete(turn(work_inside))
    work_outside()
    loop.close()
    work_outside()


def main_thread():
    thread = threading.Thread(target=open_loop)
    thread.start()
    thread.join()


def wait_for_events():
    with select.epoll() as epoll:
        epoll.poll(0.01)
        time.sleep(WORK_S)


def main_pool():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(wait_for_events).result()
        pool.submit(work_outside).result()


def main_pool_loop():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(open_loop).result()
        pool.submit(work_outside).result()


KEPT = globals()["main_" + sys.argv[1].replace("-", "_")]()
