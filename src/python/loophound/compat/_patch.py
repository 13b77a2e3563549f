# SPDX-License-Identifier: Apache-2.0
"""Attributes of types that are written in C: CPython lets them be set where a flag of the type says
so. It is changed for that moment, and type.__setattr__ does the rest, slots included.

For tests only. Where the flag is not where it is thought to be, nothing is touched.
"""

from __future__ import annotations

import ctypes
import sys

_HEAP, _IMMUTABLE = 1 << 9, 1 << 8
# Of struct _typeobject: behind PyVarObject stand 18 pointers, then tp_flags (cpython/object.h).
_FLAGS_OFFSET = (
    object.__basicsize__ + ctypes.sizeof(ctypes.c_ssize_t) + 18 * ctypes.sizeof(ctypes.c_void_p)
)


def _flags_of(kind: type) -> ctypes.c_ulong:
    """Where they are in memory. TypeError: not there."""
    flags = ctypes.c_ulong.from_address(id(kind) + _FLAGS_OFFSET)
    if sys.implementation.name != "cpython" or flags.value != kind.__flags__ & (2**64 - 1):
        raise TypeError(f"the attributes of {kind.__name__} cannot be set in this Python")
    return flags


def set_attribute(owner: object, name: str, value: object) -> None:
    """setattr(), also of such a type. TypeError: it cannot be done."""
    try:
        setattr(owner, name, value)
        return
    except TypeError:
        if not isinstance(owner, type):
            raise
    flags = _flags_of(owner)
    if sys.version_info >= (3, 10):
        flags.value &= ~_IMMUTABLE
    else:
        flags.value |= _HEAP
    try:
        setattr(owner, name, value)
    finally:  # this flag alone: that its attributes are cached has just become untrue
        if sys.version_info >= (3, 10):
            flags.value |= _IMMUTABLE
        else:
            flags.value &= ~_HEAP
