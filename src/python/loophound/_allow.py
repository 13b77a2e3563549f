# SPDX-License-Identifier: Apache-2.0
"""Scopes in which blocking is allowed: of a thread where no task runs, else of that task alone.

The library has scopes of a thread. While a task waits within one, others run on its thread, which
are not to profit. So within a task each scope has a number, which is a label of the thread: an
event is allowed where its labels have the number and its task is that of the scope.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import os
import sys
import threading
from types import FrameType
from typing import Any, Callable, NamedTuple, TypeVar, cast

from loophound._events import Event
from loophound._hub import hub
from loophound._library import library
from loophound._message import ALLOW_LABEL
from loophound._steps import Steps

F = TypeVar("F", bound=Callable[..., Any])
_VALUE_BYTES = 127
_SCOPES_KEPT = 4096  # events of older ones have been read long ago


class _Scope(NamedTuple):
    reason: str
    call: str | None
    task: str | None
    """name of the asyncio task; None: not known, then its function must be on the stack"""
    code: str


_scopes: dict[str, _Scope] = {}
_numbers = itertools.count(1)
_open = threading.local()


def _asyncio_task() -> str | None:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return None
    return None if task is None else cast(str, task.get_name())


def _in_trio_task() -> bool:
    trio = sys.modules.get("trio")
    if trio is None:
        return False
    try:
        trio.lowlevel.current_task()
    except (AttributeError, RuntimeError):
        return False
    return True


def _relabel(numbers: list[str]) -> None:
    if library is None:
        return
    text = ""
    for number in reversed(numbers):  # the innermost ones, where not all have room
        if len(text) + len(number) + 1 > _VALUE_BYTES:
            break
        text += f" {number}"
    library.label(ALLOW_LABEL.encode(), text.strip().encode() if text else None)


def _open_numbers() -> list[str]:
    numbers: list[str] | None = getattr(_open, "numbers", None)
    if numbers is None:
        numbers = _open.numbers = []
    return numbers


def _push(number: str) -> None:
    numbers = _open_numbers()
    numbers.append(number)
    _relabel(numbers)
    hub.begin_scope()  # strict mode tells a place once: what was told outside is told inside, too


def _pop(number: str) -> None:
    numbers = _open_numbers()
    if number in numbers:
        numbers.remove(number)
    _relabel(numbers)
    hub.begin_scope()


def _new_scope(reason: str, call: str | None, task: str | None, code: str) -> str:
    number = str(next(_numbers))
    while len(_scopes) >= _SCOPES_KEPT:
        _scopes.pop(next(iter(_scopes)), None)
    _scopes[number] = _Scope(reason, call, task, code)
    return number


def why_allowed(event: Event) -> str | None:
    """The reason of the scope that it happened in; None: it was not allowed."""
    if event.id[0] != os.getpid():
        return "its own process allowed it" if ALLOW_LABEL in event.labels else None
    for number in event.labels.get(ALLOW_LABEL, "").split():
        scope = _scopes.get(number)
        if scope is None or (scope.call is not None and scope.call != event.call):
            continue
        if scope.task is not None and event.task is not None:
            if scope.task == event.task:
                return scope.reason
        elif any(f"{frame.file}:{frame.function}" == scope.code for frame in event.stack):
            return scope.reason
    return None


def _code_name(frame: FrameType | None) -> str:
    if frame is None:
        return ""
    code = frame.f_code
    return f"{code.co_filename}:{getattr(code, 'co_qualname', code.co_name)}"


class allow(contextlib.ContextDecorator):  # it reads as a statement
    """Within it blocking is allowed: `with loophound.allow("reads its file once"):`, or
    `@loophound.allow("…")` of a function or coroutine function.

    `call`: this call alone, by libc's name (`loophound calls` has them). In a task it holds for
    that task, also while it waits; elsewhere for the thread. What is allowed is not reported at
    all outside of tasks and in decorated functions; within a task the library still writes it,
    with the label `loophound.allow`, and this package leaves it out.
    """

    def __init__(self, reason: str, *, call: str | None = None) -> None:
        if not isinstance(reason, str) or not reason.strip():
            raise TypeError(
                "loophound.allow() wants the reason, a text: allow('reads its file once')"
            )
        self.reason = reason
        self.call = call
        self._entered: list[str | None] = []

    def _recreate_cm(self) -> allow:
        return allow(self.reason, call=self.call)

    def __enter__(self) -> allow:
        if library is None:
            return self
        task = _asyncio_task()
        if self.call is None and task is None and not _in_trio_task():
            library.allow_begin()
            self._entered.append(None)
            return self
        number = _new_scope(self.reason, self.call, task, _code_name(sys._getframe(1)))
        _push(number)
        self._entered.append(number)
        return self

    def __exit__(self, *_: object) -> None:
        if library is None:
            return
        number = self._entered.pop()
        if number is None:
            library.allow_end()
        else:
            _pop(number)

    def __call__(self, function: F) -> F:
        if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
            raise TypeError("a generator stops within: use `with loophound.allow()` inside of it")
        if inspect.iscoroutinefunction(function):
            return cast(F, self._around_steps(function))
        if self.call is None:
            return cast(F, self._around(function))
        return super().__call__(function)

    def _around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Of a plain function: nothing else runs on its thread meanwhile."""

        @functools.wraps(function)
        def allowed(*arguments: Any, **named: Any) -> Any:
            if library is None:
                return function(*arguments, **named)
            library.allow_begin()
            try:
                return function(*arguments, **named)
            finally:
                library.allow_end()

        return allowed

    def _around_steps(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def allowed(*arguments: Any, **named: Any) -> Any:
            if library is None:
                return await function(*arguments, **named)
            if self.call is None:
                steps = Steps(function(*arguments, **named), library.allow_begin, library.allow_end)
                return await steps
            code = f"{function.__code__.co_filename}:{function.__qualname__}"
            number = _new_scope(self.reason, self.call, _asyncio_task(), code)
            before = functools.partial(_push, number)
            after = functools.partial(_pop, number)
            return await Steps(function(*arguments, **named), before, after)

        return allowed
