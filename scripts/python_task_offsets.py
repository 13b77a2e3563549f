#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the columns of src/preload/python/offsets.def that no header of CPython tells.

Run it under the interpreter in question: where C's asyncio.Task keeps its coroutine, and a
coroutine its name, is found by looking for them in the objects' memory.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from typing import Any

WORD = ctypes.sizeof(ctypes.c_size_t)
HEADER = object.__basicsize__
COUNT = 5


def places(whole: object, part: object) -> set[int]:
    """Where in the memory of `whole` `part` is referred to; the lowest bits may be a tag."""
    words = (ctypes.c_size_t * (whole.__sizeof__() // WORD)).from_address(id(whole))
    return {i * WORD for i, word in enumerate(words) if word & ~3 == id(part)}


def offset_of(pairs: list[tuple[Any, Any]]) -> int:
    """The one place that all pairs of objects agree on, from the end of the object's header."""
    common = set.intersection(*(places(whole, part) for whole, part in pairs))
    (place,) = common
    return place - HEADER


async def wait() -> None:
    await asyncio.sleep(0)


async def main() -> None:
    coroutines = [wait() for _ in range(COUNT)]
    for i, coroutine in enumerate(coroutines):
        coroutine.__qualname__ = f"coroutine number {i}"
        coroutine.__name__ = f"name number {i}"
    loop = asyncio.get_event_loop()
    tasks = [asyncio.Task(c, loop=loop) for c in coroutines]
    columns: dict[str, list[tuple[Any, Any]]] = {
        "task_coroutine": list(zip(tasks, coroutines)),  # noqa: B905, strict= is new in 3.10
        "coroutine_qualname": [(coroutine, coroutine.__qualname__) for coroutine in coroutines],
    }
    for name, pairs in columns.items():
        sys.stdout.write(f"       .{name} = {offset_of(pairs)},\n")
    await asyncio.gather(*tasks)


asyncio.run(main())
