# SPDX-License-Identifier: Apache-2.0
"""The preloaded library, by ctypes: there or not, and if not, why.

Nothing here loads it: a library that was not in the process from its start has not seen its
loops begin. What is preloaded is found in the program's own symbols.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any, Callable, Sequence

from loophound import _files

_PROTOTYPES = {
    "loop_enter": (ctypes.c_int, []),
    "loop_leave": (ctypes.c_int, []),
    "allow_begin": (ctypes.c_int, []),
    "allow_end": (ctypes.c_int, []),
    "mark": (ctypes.c_int, [ctypes.c_char_p]),
    "label": (ctypes.c_int, [ctypes.c_char_p, ctypes.c_char_p]),
    "labels": (ctypes.c_int, [ctypes.c_char_p]),
    "count": (ctypes.c_uint64, []),
    "reports": (ctypes.c_uint64, []),
    "dropped": (ctypes.c_uint64, []),
    "version": (ctypes.c_char_p, []),
}


class Library:
    """The functions of include/loophound.h, without their prefix.

    They keep the GIL, for they take less than giving it away would; but for flush_wait(), which
    waits for the collector.
    """

    loop_enter: Callable[[], int]
    loop_leave: Callable[[], int]
    allow_begin: Callable[[], int]
    allow_end: Callable[[], int]
    mark: Callable[[bytes | None], int]
    label: Callable[[bytes, bytes | None], int]
    labels: Callable[[bytes | None], int]
    count: Callable[[], int]
    reports: Callable[[], int]
    dropped: Callable[[], int]
    version: Callable[[], bytes]
    flush_wait: Callable[[int], int]

    def __init__(self) -> None:
        """AttributeError: the library is not there, or older than this package."""
        holding = ctypes.PyDLL(None)
        for name, (result, arguments) in _PROTOTYPES.items():
            setattr(self, name, _function(holding, name, result, arguments))
        waiting = ctypes.CDLL(None)
        self.flush_wait = _function(waiting, "flush_wait", ctypes.c_int, [ctypes.c_int])


def _function(program: ctypes.CDLL, name: str, result: type, arguments: Sequence[Any]) -> Any:
    function = getattr(program, f"loophound_{name}")
    function.restype = result
    function.argtypes = arguments
    return function


def _find() -> Library | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        return Library()
    except (AttributeError, OSError):
        return None


# The environment as the library has found it: a program may change it later.
ENVIRONMENT = dict(os.environ)
library: Library | None = _find()


def option(name: str) -> str:
    """LOOPHOUND_<name> as the library has read it; "": it is not set."""
    return ENVIRONMENT.get(f"LOOPHOUND_{name}", "")


def why_unsupported() -> str | None:
    """Why nothing can be watched on this machine, in one sentence; None: it can."""
    reason = _files.why_unsupported()
    if reason is not None:
        return f"loophound is not for this interpreter: {reason}"
    if sys.implementation.name != "cpython":
        return f"loophound reads CPython's stacks only, and this is {sys.implementation.name}"
    return None


def is_active() -> bool:
    """Is libloophound.so in this process, so that loops are watched?"""
    return library is not None


def why_inactive() -> str | None:
    """Why nothing is watched in this process, in one sentence; None: it is watched."""
    if library is not None:
        return None
    reason = why_unsupported()
    if reason is None and "loophound" in os.environ.get("LD_PRELOAD", ""):
        return "libloophound.so is in LD_PRELOAD, but not in the process, or is an older one"
    return reason or "libloophound.so is not preloaded: `loophound run -- PROGRAM` does that"
