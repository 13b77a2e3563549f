# SPDX-License-Identifier: Apache-2.0
"""A coroutine that is run with something done around each of its steps.

A thread's state (labels, allowed scopes) is right for one task only while that runs: what is set
before a step and taken back after it is never seen by another task of the same thread.
"""

from __future__ import annotations

from typing import Any, Callable, Coroutine, Generator, TypeVar

T = TypeVar("T")


class Steps:
    """Awaitable once. `before` and `after` are quick and do not fail."""

    __slots__ = ("_after", "_before", "_coroutine")

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, T],
        before: Callable[[], object],
        after: Callable[[], object],
    ) -> None:
        self._coroutine = coroutine
        self._before = before
        self._after = after

    def __await__(self) -> Generator[Any, Any, Any]:
        coroutine, before, after = self._coroutine, self._before, self._after
        step: Callable[[Any], Any] = coroutine.send
        value: Any = None
        while True:
            before()
            try:
                waits_for = step(value)
            except StopIteration as stop:
                return stop.value
            finally:
                after()
            try:
                value = yield waits_for
                step = coroutine.send
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as error:
                value = error
                step = coroutine.throw
