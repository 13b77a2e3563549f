# SPDX-License-Identifier: Apache-2.0
"""How each tool that works inside the process is switched on, with its best settings: a threshold
of 100 ms where it has one. What it finds goes to `say`. For one.py and app.py."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

THRESHOLD_S = 0.1
Say = Callable[[str], None]


class Saying(logging.Handler):
    def __init__(self, say: Say):
        super().__init__()
        self.say = say

    def emit(self, record: logging.LogRecord) -> None:
        self.say(record.getMessage())


@contextlib.asynccontextmanager
async def blockbuster(say: Say) -> AsyncIterator[None]:
    """It raises where the call is made: whoever catches that says it."""
    from blockbuster import blockbuster_ctx

    with blockbuster_ctx():
        yield


@contextlib.asynccontextmanager
async def aiocop(say: Say) -> AsyncIterator[None]:
    import aiocop

    def found(event: Any) -> None:
        if event.exceeded_threshold:
            say(f"{event.reason}: {event.blocking_events} {event.cpu_stack_samples}")

    aiocop.patch_audit_functions()
    aiocop.start_blocking_io_detection(trace_depth=20)
    aiocop.detect_slow_tasks(threshold_ms=THRESHOLD_S * 1000, on_slow_task=found)
    aiocop.activate()
    yield


@contextlib.asynccontextmanager
async def pyleak(say: Say) -> AsyncIterator[None]:
    from pyleak import no_event_loop_blocking

    logger = logging.getLogger("pyleak.bench")
    logger.addHandler(Saying(say))
    logger.propagate = False
    context = no_event_loop_blocking(
        action="log", logger=logger, threshold=THRESHOLD_S, check_interval=0.02
    )
    async with context:
        yield


@contextlib.asynccontextmanager
async def aiodebug(say: Say) -> AsyncIterator[None]:
    """Slow callbacks, and the stacks of all threads while the loop hangs, which are files."""
    from aiodebug import hang_inspection, log_slow_callbacks

    hang_inspection.start(os.environ.get("BENCH_DIRECTORY", "."), interval=THRESHOLD_S)
    log_slow_callbacks.enable(THRESHOLD_S, lambda name, seconds: say(f"{name} {seconds}"))
    yield


@contextlib.asynccontextmanager
async def debug(say: Say) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = THRESHOLD_S
    logger = logging.getLogger("asyncio")
    logger.addHandler(Saying(say))
    logger.propagate = False
    yield


@contextlib.asynccontextmanager
async def none(say: Say) -> AsyncIterator[None]:
    yield


TOOLS = {
    "none": none,
    "blockbuster": blockbuster,
    "aiocop": aiocop,
    "pyleak": pyleak,
    "aiodebug": aiodebug,
    "debug": debug,
}
