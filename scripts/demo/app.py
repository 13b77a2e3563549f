# SPDX-License-Identifier: Apache-2.0
"""A FastAPI application with the classic mistakes, and their right forms. Run by demo.py."""

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import httpx
import requests
from fastapi import FastAPI, Request

SLOW_SERVICE = os.environ["DEMO_SLOW_SERVICE"]  # answers after 0.1 s
SLOW_FILES = os.environ["DEMO_SLOW_FILES"]  # named pipes whose content comes 0.1 s late
DATABASE = os.environ["DEMO_DATABASE"]  # another process holds its lock for a while

pool = ThreadPoolExecutor(max_workers=10)


@asynccontextmanager
async def lifespan(application: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient() as client:
        application.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/ready")
async def ready() -> str:
    return "yes"


# Wrong: each of these stops the whole server while it waits.


@app.get("/wrong/sleep")
async def wrong_sleep() -> str:
    time.sleep(0.1)
    return "slept"


@app.get("/wrong/http")
async def wrong_http() -> str:
    return requests.get(SLOW_SERVICE, timeout=10).text


@app.get("/wrong/file/{number}")
async def wrong_file(number: int) -> str:
    return open(f"{SLOW_FILES}/{number}").read()  # noqa: SIM115, PTH123


@app.get("/wrong/database")
async def wrong_database() -> int:
    with sqlite3.connect(DATABASE) as connection:
        return int(connection.execute("select count(*) from visits").fetchone()[0])


# Right: the same work, and the server goes on serving.


@app.get("/right/sleep")
async def right_sleep() -> str:
    await asyncio.sleep(0.1)
    return "slept"


@app.get("/right/thread")
def right_thread() -> str:
    time.sleep(0.1)
    return "slept"


@app.get("/right/http")
async def right_http(request: Request) -> str:
    client: httpx.AsyncClient = request.app.state.client
    return (await client.get(SLOW_SERVICE)).text


def read_file(number: int) -> str:
    with open(f"{SLOW_FILES}/{number}") as file:  # noqa: PTH123
        return file.read()


@app.get("/right/file/{number}")
async def right_file(number: int) -> str:
    return await asyncio.get_running_loop().run_in_executor(pool, read_file, number)


@app.get("/right/database")
def right_database() -> int:
    with sqlite3.connect(DATABASE) as connection:
        return int(connection.execute("select count(*) from visits").fetchone()[0])
