# SPDX-License-Identifier: Apache-2.0
"""The application that all are compared on: a small FastAPI service that blocks nowhere. The tool
in BENCH_TOOL is switched on as it starts. For ../peers.py."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator

import tools
from fastapi import FastAPI


def say(text: str) -> None:
    os.write(2, f"{text}\n".encode())


@contextlib.asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    async with tools.TOOLS[os.environ.get("BENCH_TOOL", "none")](say):
        yield


application = FastAPI(lifespan=lifespan)
ITEMS = {str(number): {"name": f"item {number}", "price": number * 3} for number in range(1000)}


@application.get("/")
async def item(number: str = "42") -> dict[str, object]:
    return {"number": number, **ITEMS[number]}
