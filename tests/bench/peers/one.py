# SPDX-License-Identifier: Apache-2.0
"""Runs one scenario under one tool, which says what it finds on standard output: `one.py TOOL
NAME`, for ../peers.py."""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
import traceback
from typing import Any

import scenarios
import tools

said: queue.SimpleQueue[str | None] = queue.SimpleQueue()


def write_all() -> None:
    """In a thread of its own: what a tool says must not be a call that it finds."""
    while (text := said.get()) is not None:
        os.write(1, f"{text}\n".encode())


def say_raised(error: BaseException) -> None:
    """What blockbuster raises; anything else is a fault of the scenario."""
    text = "".join(traceback.format_exception(error))
    if "BlockingError" not in text:
        raise error
    said.put(text)


def raised_in_callback(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if "exception" in context:
        say_raised(context["exception"])


async def main(tool: str, name: str) -> None:
    scenario = {**scenarios.BLOCKING, **scenarios.CLEAN, **scenarios.HANGS}[name]
    async with tools.TOOLS[tool](said.put):
        asyncio.get_running_loop().set_exception_handler(raised_in_callback)
        await asyncio.sleep(0.01)  # it has begun
        try:
            await scenario()
        except Exception as error:
            say_raised(error)
        await asyncio.sleep(0.06)  # so that one that looks from a thread has looked


writer = threading.Thread(target=write_all, daemon=True)
writer.start()
asyncio.run(main(sys.argv[1], sys.argv[2]))
said.put(None)
writer.join()
