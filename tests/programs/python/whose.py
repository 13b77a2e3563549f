# SPDX-License-Identifier: Apache-2.0
"""Blocks in tasks and in callbacks of asyncio, one after the other: whose.py asyncio|uvloop."""
# ruff: noqa: ASYNC251, D101, D102, D103

import asyncio
import sys
import time


def at_once():
    time.sleep(0.11)


class Later:
    def tick(self):
        time.sleep(0.12)


def from_a_thread():
    time.sleep(0.13)


class Reader(asyncio.Protocol):
    def data_received(self, data):
        time.sleep(0.14)


async def inner():
    time.sleep(0.15)


async def handler():
    await inner()


async def main():
    loop = asyncio.get_running_loop()
    await asyncio.create_task(handler(), name="a request")
    loop.call_soon(at_once)
    await asyncio.sleep(0)
    loop.call_later(0.001, Later().tick)
    await asyncio.sleep(0.2)
    await loop.run_in_executor(None, loop.call_soon_threadsafe, from_a_thread)
    loop.call_later(0.001, time.sleep, 0.16)  # no function of Python's
    await asyncio.sleep(0.2)
    server = await loop.create_server(Reader, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"x")
    await asyncio.sleep(0.3)


if sys.argv[1] == "uvloop":
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
asyncio.run(main())
