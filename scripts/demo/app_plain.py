# SPDX-License-Identifier: Apache-2.0
"""The same endpoints on the standard library alone, for where PyPI is out of reach.

app_plain.py PORT
"""

import asyncio
import os
import signal
import sqlite3
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

SLOW_SERVICE = os.environ["DEMO_SLOW_SERVICE"]  # answers after 0.1 s
SLOW_FILES = os.environ["DEMO_SLOW_FILES"]  # named pipes whose content comes 0.1 s late
DATABASE = os.environ["DEMO_DATABASE"]  # another process holds its lock for a while

pool = ThreadPoolExecutor(max_workers=10)


async def in_thread(function: Callable[..., str], *arguments: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(pool, function, *arguments)


async def ready(_: str) -> str:
    return "yes"


# Wrong: each of these stops the whole server while it waits.


async def wrong_sleep(_: str) -> str:
    time.sleep(0.1)
    return "slept"


async def wrong_http(_: str) -> str:
    with urllib.request.urlopen(SLOW_SERVICE, timeout=10) as answer:
        return str(answer.read())


async def wrong_file(number: str) -> str:
    return open(f"{SLOW_FILES}/{number}").read()  # noqa: SIM115, PTH123


async def wrong_database(_: str) -> str:
    with sqlite3.connect(DATABASE) as connection:
        return str(connection.execute("select count(*) from visits").fetchone()[0])


# Right: the same work, and the server goes on serving.


async def right_sleep(_: str) -> str:
    await asyncio.sleep(0.1)
    return "slept"


def sleep() -> str:
    time.sleep(0.1)
    return "slept"


async def right_thread(_: str) -> str:
    return await in_thread(sleep)


async def right_http(_: str) -> str:
    address = urlsplit(SLOW_SERVICE)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return str(answer)


def read_file(number: str) -> str:
    with open(f"{SLOW_FILES}/{number}") as file:  # noqa: PTH123
        return file.read()


async def right_file(number: str) -> str:
    return await in_thread(read_file, number)


def read_database() -> str:
    with sqlite3.connect(DATABASE) as connection:
        return str(connection.execute("select count(*) from visits").fetchone()[0])


async def right_database(_: str) -> str:
    return await in_thread(read_database)


ENDPOINTS: dict[str, Callable[[str], Awaitable[str]]] = {
    "/ready": ready,
    "/wrong/sleep": wrong_sleep,
    "/wrong/http": wrong_http,
    "/wrong/file": wrong_file,
    "/wrong/database": wrong_database,
    "/right/sleep": right_sleep,
    "/right/thread": right_thread,
    "/right/http": right_http,
    "/right/file": right_file,
    "/right/database": right_database,
}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = await reader.readuntil(b"\r\n\r\n")
    path = request.split()[1].decode()
    name, _, number = path.rpartition("/")
    endpoint = ENDPOINTS.get(path) or ENDPOINTS[name]
    body = (await endpoint(number)).encode()
    writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    await writer.drain()
    writer.close()


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=100)
    async with server:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
