# SPDX-License-Identifier: Apache-2.0
"""loophound finds what blocks an event loop: the interface for Python programs and their tests.

The work is done by libloophound.so, which is preloaded: `loophound run -- python app.py`, or
`pytest --loophound`. Without it every function here does nothing: is_active() is False, and
why_inactive() says why. Times are in milliseconds where a name does not say otherwise.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from loophound._library import is_active, why_inactive
from loophound._library import library as _native

if TYPE_CHECKING:
    from loophound._allow import allow
    from loophound._callbacks import Subscription, on_event
    from loophound._detect import detect
    from loophound._events import Event, Frame
    from loophound._report import BlockingError, BlockingWarning, Report
    from loophound._rules import RuleError

__all__ = [
    "BlockingError",
    "BlockingWarning",
    "Event",
    "Frame",
    "Report",
    "RuleError",
    "Subscription",
    "allow",
    "detect",
    "flush",
    "is_active",
    "label",
    "loop_enter",
    "loop_leave",
    "mark",
    "on_event",
    "why_inactive",
]

# Imported when they are asked for: a program that is not watched, and pytest before it is started
# again, have no use for them.
_MODULES = {
    "BlockingError": "_report",
    "BlockingWarning": "_report",
    "Event": "_events",
    "Frame": "_events",
    "Report": "_report",
    "RuleError": "_rules",
    "Subscription": "_callbacks",
    "allow": "_allow",
    "detect": "_detect",
    "on_event": "_callbacks",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


def loop_enter() -> None:
    """This thread runs a loop that loophound cannot know by itself, from now on until
    loop_leave() or its end. MemoryError: there is no memory to watch it."""
    if _native is not None and _native.loop_enter() != 0:
        raise MemoryError("loophound has no memory for the reports of this thread")


def loop_leave() -> None:
    """This thread runs no loop any more."""
    if _native is not None:
        _native.loop_leave()


def mark(test: str | None) -> None:
    """Reports that begin from now on have `test` as their member, in the whole process; None: no
    test runs. At most 255 bytes."""
    from loophound._hub import hub

    hub.mark(None if test is None else test.encode(errors="replace"))


def label(key: str, value: str | None) -> None:
    """Reports of this thread that begin from now on have this label; None takes it away. In
    coroutines it is the thread's too: set and take it back without an `await` between.
    ValueError: more than 8 labels, a key of more than 64 bytes, a value of more than 128."""
    if _native is None:
        return
    encoded = None if value is None else value.encode(errors="replace")
    if _native.label(key.encode(errors="replace"), encoded) != 0:
        raise ValueError(f"label {key!r}: at most 8, keys of 64 bytes and values of 128")


def flush(timeout: float = 5.0) -> bool:
    """Waits until all reports of this process are written, `timeout` seconds at most. False: they
    are not. True also where nothing is watched."""
    if _native is None:
        return True
    import errno

    return _native.flush_wait(max(0, int(timeout * 1000))) in (0, -errno.ENOTCONN)
