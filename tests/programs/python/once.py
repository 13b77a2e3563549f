# SPDX-License-Identifier: Apache-2.0
"""Looks at a file again and again at one place, in two tests, and once at another one."""

import asyncio
import ctypes
import os


def mark(name: bytes | None) -> None:
    getattr(ctypes.CDLL(None), "loophound_mark", lambda _: 0)(name)


def look() -> None:
    os.stat("/")  # noqa: PTH116


async def first() -> None:
    for _ in range(5):
        look()


async def second() -> None:
    for _ in range(3):
        look()
    os.stat("/usr")  # noqa: PTH116


async def main() -> None:
    mark(b"test_first")
    await first()
    mark(b"test_second")
    await second()
    mark(None)
    await second()


asyncio.run(main())
