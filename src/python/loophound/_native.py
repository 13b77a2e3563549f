# SPDX-License-Identifier: Apache-2.0
"""The functions of the preloaded library, by ctypes. Imported only where that may be there.

Nothing here loads it: a library that was not in the process from its start has not seen its
loops begin. What is preloaded is found in the program's own symbols.
"""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Sequence

_PROTOTYPES = {
    "loop_enter": (ctypes.c_int, []),
    "loop_leave": (ctypes.c_int, []),
    "allow_begin": (ctypes.c_int, []),
    "allow_end": (ctypes.c_int, []),
    "mark": (ctypes.c_int, [ctypes.c_char_p]),
    "noise": (ctypes.c_int, [ctypes.c_char_p]),
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
    noise: Callable[[bytes | None], int]
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
