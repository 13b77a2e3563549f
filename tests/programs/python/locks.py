# SPDX-License-Identifier: Apache-2.0
"""A loop that waits for another thread, or for itself, in one of several ways, on 3.8 and later.

    locks.py WAY [SECONDS]

It waits so long; without SECONDS for ever, where that is the mistake. Prints the lines of the
other thread to look at and of the loop's own. A thread "bystander" has nothing to do with it.
"""

import asyncio
import concurrent.futures
import contextlib
import inspect
import queue
import sys
import threading
import time

HELD_S = 0.5
lines = {}
ready = threading.Event()
done = threading.Event()
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else None


def here(who):
    """The line to look at is the one below the caller's."""
    lines[who] = inspect.currentframe().f_back.f_lineno + 1


def start(function, *args, name="keeper"):
    thread = threading.Thread(target=function, args=args, name=name, daemon=True)
    thread.start()
    return thread


def stand_by():
    here("bystander")
    done.wait()


def keep(lock):
    with lock:
        ready.set()
        here("other")
        time.sleep(HELD_S)


def keep_by_hand(lock):
    lock.acquire()
    ready.set()
    here("other")
    time.sleep(HELD_S)
    lock.release()


def within(lock, keeper=keep):
    start(keeper, lock)
    ready.wait()
    here("loop")
    with lock:
        pass


async def rlock():
    within(threading.RLock())


async def rlock_twice():
    """Whose owner it is is not the innermost matter: the keeper has it twice."""
    lock = threading.RLock()

    def keep_twice():
        with lock:
            keep(lock)

    start(keep_twice)
    ready.wait()
    here("loop")
    lock.acquire()


async def lock():
    within(threading.Lock())


async def lock_by_hand():
    within(threading.Lock(), keep_by_hand)


async def freed_lock():
    """A thread that has left its `with` statement is not within it, whatever is left of it."""
    the_lock = threading.Lock()

    def leave():
        for _ in range(2):
            with the_lock:
                pass
        here("bystander")
        done.wait()

    start(leave, name="left")
    within(the_lock)


async def semaphore():
    within(threading.Semaphore())


async def join():
    thread = start(keep, threading.Lock(), name="worker")
    ready.wait()
    here("loop")
    thread.join()


async def pool():
    with concurrent.futures.ThreadPoolExecutor(2, "pool") as executor:
        future = executor.submit(keep, threading.Lock())
        executor.submit(time.sleep, 0.1)
        ready.wait()
        here("loop")
        future.result()


def produce(things, put, arguments):
    ready.set()
    here("other")
    time.sleep(HELD_S)
    getattr(things, put)(*arguments)


def wait_for(things, get, wanted, put, *arguments):
    start(produce, things, put, arguments)
    ready.wait()
    here("loop")
    getattr(things, get)(*wanted)


async def queue_get():
    wait_for(queue.Queue(), "get", (), "put", 1)


async def simple_queue():
    wait_for(queue.SimpleQueue(), "get", (), "put", 1)


async def event():
    wait_for(threading.Event(), "wait", (), "set")


async def timed():
    wait_for(threading.Event(), "wait", (100,), "set")


async def answer(value):
    await asyncio.sleep(HELD_S)
    return value


async def own_loop():
    loop = asyncio.get_running_loop()
    with contextlib.suppress(concurrent.futures.TimeoutError):
        here("loop")
        asyncio.run_coroutine_threadsafe(answer(1), loop).result(seconds)


async def own_loop_task():
    """The task has been made, and cannot go on."""
    future = asyncio.run_coroutine_threadsafe(answer(1), asyncio.get_running_loop())
    await asyncio.sleep(0.05)
    with contextlib.suppress(concurrent.futures.TimeoutError):
        here("loop")
        future.result(seconds)


async def other_loop():
    other = asyncio.new_event_loop()

    def run():
        here("other")
        other.run_forever()

    start(run, name="IO-Loop")
    here("loop")
    asyncio.run_coroutine_threadsafe(answer(1), other).result()


async def lock_again():
    the_lock = threading.Lock()

    def inner():
        here("loop")
        if the_lock.acquire(timeout=-1 if seconds is None else seconds):
            the_lock.release()

    with the_lock:
        inner()


async def keep_and_await(the_lock):
    with the_lock:
        here("other")
        await asyncio.sleep(HELD_S)


async def keep_and_yield(the_lock):
    with the_lock:
        here("other")
        await asyncio.sleep(HELD_S)
        yield 1


async def await_deeper(the_lock):
    await keep_and_await(the_lock)


async def await_generator(the_lock):
    async for _ in keep_and_yield(the_lock):
        pass


async def await_twice(the_lock):
    """It has left its first `with` statement; the second is of another lock."""
    with the_lock:
        await asyncio.sleep(0)
    with threading.Lock():
        await asyncio.sleep(HELD_S)


async def fail_within(the_lock):
    with the_lock:
        raise KeyError


async def lock_of_task(keeper=await_deeper):
    """Other tasks of the loop await with nothing in hand, or are over."""
    the_lock = threading.Lock()
    loop = asyncio.get_running_loop()
    others = [loop.create_task(asyncio.sleep(HELD_S)) for _ in range(50)]
    others.append(loop.create_task(fail_within(the_lock)))
    await asyncio.sleep(0)
    others.append(loop.create_task(await_twice(the_lock)))
    await asyncio.sleep(0.01)
    if keeper is not None:
        others.append(asyncio.create_task(keeper(the_lock), name="upload"))
        await asyncio.sleep(0)
    else:
        start(keep, the_lock)
        ready.wait()
    here("loop")
    if the_lock.acquire(timeout=-1 if seconds is None else seconds):
        the_lock.release()
    await asyncio.gather(*others, return_exceptions=True)


async def lock_of_generator():
    await lock_of_task(await_generator)


async def lock_that_tasks_had():
    await lock_of_task(None)


async def lock_before():
    """Had by this function before: that is over."""
    the_lock = threading.Lock()
    for _ in range(2):
        with the_lock:
            pass
    within(the_lock)


def need_the_loop(the_lock, loop):
    with the_lock:
        ready.set()
        with contextlib.suppress(concurrent.futures.TimeoutError):
            here("other")
            asyncio.run_coroutine_threadsafe(answer(2), loop).result(seconds)


async def cycle_of(the_lock):
    thread = start(need_the_loop, the_lock, asyncio.get_running_loop())
    ready.wait()
    time.sleep(0.02)
    here("loop")
    with the_lock:
        pass
    await asyncio.sleep(HELD_S + 0.1)
    thread.join()


async def cycle():
    await cycle_of(threading.Lock())


async def cycle_of_rlock():
    await cycle_of(threading.RLock())


async def cycle_of_pool():
    loop = asyncio.get_running_loop()

    def ask():
        ready.set()
        with contextlib.suppress(concurrent.futures.TimeoutError):
            here("other")
            asyncio.run_coroutine_threadsafe(answer(2), loop).result(seconds)

    executor = concurrent.futures.ThreadPoolExecutor(1, "pool")
    future = executor.submit(ask)
    ready.wait()
    here("loop")
    future.result()
    executor.shutdown(False)


async def cycle_of_join():
    """The loop has what the thread waits for that it joins."""
    the_lock = threading.Lock()

    def need():
        ready.set()
        here("other")
        if the_lock.acquire(timeout=-1 if seconds is None else seconds):
            the_lock.release()

    with the_lock:
        thread = start(need, name="worker")
        ready.wait()
        here("loop")
        thread.join()


async def sleep():
    here("loop")
    time.sleep(HELD_S)


async def main():
    start(stand_by, name="bystander")
    await asyncio.sleep(0.01)
    await globals()[sys.argv[1]]()
    await asyncio.sleep(0.01)
    done.set()


if __name__ == "__main__":
    asyncio.run(main())
    print(lines["loop"], lines.get("other", 0), lines.get("bystander", 0))
