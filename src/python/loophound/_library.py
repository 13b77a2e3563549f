# SPDX-License-Identifier: Apache-2.0
"""The preloaded library: there or not, and if not, why."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from loophound import _files

if TYPE_CHECKING:
    from loophound._native import Library


def _may_be_there() -> bool:
    """Looking costs a tenth of what importing ctypes does."""
    if not sys.platform.startswith("linux"):
        return False
    if "LD_PRELOAD" in os.environ:
        return True
    try:
        with open("/proc/self/maps", "rb") as maps:
            return b"loophound" in maps.read()
    except OSError:
        return True


def _find() -> Library | None:
    if not _may_be_there():
        return None
    from loophound._native import Library

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
