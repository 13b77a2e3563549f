# SPDX-License-Identifier: Apache-2.0
"""A loop of RUNTIME runs, works once inside, and returns, its epoll set open or not; then work.

ends.py RUNTIME
"""

import asyncio
import queue
import sys
import time

WORK_S = 0.16


def work_inside():
    time.sleep(WORK_S)  # inside


def work_outside():
    time.sleep(WORK_S)
    end = time.monotonic() + WORK_S
    while time.monotonic() < end:
        pass


async def turn():
    await asyncio.sleep(0.01)
    work_inside()
    await asyncio.sleep(0.01)


def run_uvloop():
    import uvloop

    uvloop.run(turn())


def run_tornado():
    from tornado.ioloop import IOLoop

    IOLoop.current().run_sync(turn)


def run_twisted():
    from twisted.internet import reactor

    reactor.callLater(0.01, work_inside)
    reactor.callLater(0.2, reactor.stop)
    reactor.run()


def run_gevent():
    import gevent

    gevent.spawn_later(0.01, work_inside)
    gevent.sleep(0.05)


def run_greenlet():
    """As SQLAlchemy calls a driver: the handler works on a stack of its own."""
    from greenlet import greenlet

    async def on_its_own_stack():
        await asyncio.sleep(0.01)
        greenlet(work_inside).switch()
        await asyncio.sleep(0.01)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(on_its_own_stack())


async def trio_turn():
    import trio

    await trio.sleep(0.01)
    work_inside()
    await trio.to_thread.run_sync(work_outside)
    await trio.sleep(0.01)


def run_trio():
    import trio

    trio.run(trio_turn)


def run_trio_guest():
    """The host's loop is a queue; what waits for events is a thread of trio's."""
    import trio

    calls = queue.Queue()
    done = []
    trio.lowlevel.start_guest_run(
        trio_turn, run_sync_soon_threadsafe=calls.put, done_callback=done.append
    )
    while not done:
        calls.get()()
    done[0].unwrap()


globals()["run_" + sys.argv[1]]()
work_outside()
