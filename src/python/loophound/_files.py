# SPDX-License-Identifier: Apache-2.0
"""Where the package has its library and its command, or why it has none.

Reads the file system and the platform, at each call; imports nothing else of the package. Any
thread may call these. They raise nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["command_path", "library_path", "why_missing"]

# Both files are in one folder: each finds the other beside itself.
_LIBRARY = "libloophound.so"
_COMMAND = "loophound"

_MACHINES = ("x86_64", "aarch64")  # src/common/processor.h
_OLDEST_GLIBC = (2, 28)  # src/cli/locate.c has it too; a test compares them


def _folder() -> Path | None:
    """The folder that has both files: the package's, or `make`'s where this is a checkout."""
    package = Path(__file__).resolve().parent
    folders = [package / "native"]
    if package.parent.name == "python" and package.parent.parent.name == "src":
        folders.append(package.parents[2] / "build")
    for folder in folders:
        if os.access(folder / _LIBRARY, os.R_OK) and os.access(folder / _COMMAND, os.R_OK):
            return folder
    return None


def _path_of(name: str) -> str | None:
    folder = None if why_unsupported() else _folder()
    return None if folder is None else str(folder / name)


def library_path() -> str | None:
    """The absolute path of libloophound.so, for LD_PRELOAD; None where there is none.

    LD_PRELOAD cannot hold a path with a space or a colon (ld.so(8)); `loophound run` says so.
    """
    return _path_of(_LIBRARY)


def command_path() -> str | None:
    """The absolute path of the command `loophound`; None where there is none."""
    return _path_of(_COMMAND)


def why_missing() -> str | None:
    """In a few words, why there is no library and no command; None where both are there."""
    reason = why_unsupported()
    if reason is None and _folder() is None:
        reason = (
            "this installation is the one for other systems, without the library: "
            "python -m pip install --upgrade pip (20.3 or later), then install loophound again"
        )
    return reason


def why_unsupported() -> str | None:
    """Why the library cannot be used by this interpreter, whatever is installed; or None."""
    if not sys.platform.startswith("linux"):
        return f"it watches programs on Linux, this is {sys.platform}"
    machine, bits = os.uname().machine, 64 if sys.maxsize > 2**32 else 32
    if machine not in _MACHINES or bits != 64:
        return f"it is made for x86-64 and Arm with 64 bits, this is {machine} with {bits}"
    libc = _glibc_version()
    if libc is None:
        return "it needs glibc, and this interpreter uses another libc (musl?)"
    if libc < _OLDEST_GLIBC:
        return f"it needs glibc 2.{_OLDEST_GLIBC[1]} or later, this is {libc[0]}.{libc[1]}"
    return None


def _glibc_version() -> tuple[int, int] | None:
    """(2, 36), or None under another libc: confstr(3), which only glibc answers."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        major, minor = version.split(".")[:2]
        return (int(major), int(minor)) if name == "glibc" else None
    except (AttributeError, OSError, ValueError):
        return None
