# SPDX-License-Identifier: Apache-2.0
"""Sleeps, other threads, and signals. See planted.py."""

import asyncio
import concurrent.futures
import contextlib
import os
import queue
import signal
import threading
import time

from planted_cases import fault

BRIEFLY_S = 0.01
LONG_S = 0.5  # for a lock, which counts where it is waited for that long or in vain


@fault()
def sleep(at):
    time.sleep(0.001)


@sleep.cleanly
async def _(at):
    await asyncio.sleep(0.001)


def thread(at):
    """Runs until the end of the case."""
    end = threading.Event()
    made = threading.Thread(target=end.wait)
    made.start()
    at.callback(made.join)
    at.callback(end.set)
    return made


@fault(thread)
def join_thread(at):
    at.made.join(BRIEFLY_S)


@join_thread.cleanly
async def _(at):
    await asyncio.to_thread(at.made.join, BRIEFLY_S)


@fault(lambda at: threading.Event())
def wait_for_event(at):
    at.made.wait(BRIEFLY_S)


@wait_for_event.cleanly
async def _(at):
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(target=loop.call_soon_threadsafe, args=(event.set,)).start()
    await event.wait()


@fault(lambda at: threading.Condition())
def wait_for_condition(at):
    with at.made:
        at.made.wait(BRIEFLY_S)


@wait_for_condition.cleanly
async def _(at):
    condition = asyncio.Condition()
    async with condition:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(condition.wait(), BRIEFLY_S)


@fault(lambda at: threading.Semaphore(0))
def acquire_semaphore(at):
    at.made.acquire(timeout=BRIEFLY_S)


@acquire_semaphore.cleanly
async def _(at):
    semaphore = asyncio.Semaphore(0)
    asyncio.get_running_loop().call_later(BRIEFLY_S, semaphore.release)
    await semaphore.acquire()


@fault(lambda at: threading.Barrier(2))
def meet_at_barrier(at):
    with contextlib.suppress(threading.BrokenBarrierError):
        at.made.wait(BRIEFLY_S)


@meet_at_barrier.cleanly
async def _(at):
    with contextlib.suppress(threading.BrokenBarrierError):
        await asyncio.to_thread(at.made.wait, BRIEFLY_S)


@fault(lambda at: queue.Queue())
def take_of_queue(at):
    with contextlib.suppress(queue.Empty):  # it asks the clock before it waits: not briefly
        at.made.get(timeout=LONG_S)


@take_of_queue.cleanly
async def _(at):
    items = asyncio.Queue()
    asyncio.get_running_loop().call_later(BRIEFLY_S, items.put_nowait, 1)
    await items.get()


@fault(lambda at: queue.SimpleQueue())
def take_of_simple_queue(at):
    with contextlib.suppress(queue.Empty):
        at.made.get(timeout=BRIEFLY_S)


@take_of_simple_queue.cleanly
async def _(at):
    with contextlib.suppress(queue.Empty):
        await asyncio.to_thread(at.made.get, timeout=BRIEFLY_S)


def pool_and_future(at):
    """The future of a job that takes its time: none has it."""
    pool = at.enter_context(concurrent.futures.ThreadPoolExecutor(1))
    return pool, concurrent.futures.Future()


@fault(pool_and_future)
def take_result(at):
    with contextlib.suppress(concurrent.futures.TimeoutError):
        at.made[1].result(BRIEFLY_S)


@take_result.cleanly
async def _(at):
    await asyncio.wrap_future(at.made[0].submit(time.sleep, BRIEFLY_S))


@fault(pool_and_future)
def wait_for_futures(at):
    concurrent.futures.wait([at.made[1]], BRIEFLY_S)


@wait_for_futures.cleanly
async def _(at):
    await asyncio.wait([asyncio.wrap_future(at.made[0].submit(time.sleep, BRIEFLY_S))])


def held_lock(at):
    lock = threading.Lock()
    lock.acquire()
    return lock


@fault(held_lock)
def acquire_held_lock(at):
    at.made.acquire(timeout=LONG_S)


@acquire_held_lock.cleanly
async def _(at):
    await asyncio.to_thread(at.made.acquire, timeout=LONG_S)


def blocked_signal(at):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    at.callback(signal.pthread_sigmask, signal.SIG_SETMASK, before)
    return {signal.SIGUSR2}


@fault(blocked_signal)
def wait_for_signal(at):
    signal.sigtimedwait(at.made, BRIEFLY_S)


@wait_for_signal.cleanly
async def _(at):
    came = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, came.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, at.made)
    os.kill(os.getpid(), signal.SIGUSR2)
    await came.wait()
    asyncio.get_running_loop().remove_signal_handler(signal.SIGUSR2)
