# SPDX-License-Identifier: Apache-2.0
"""Starting this very program again with the library in it: the same process, once.

The command line and the environment are those that the process was started with: what plugins have
set meanwhile they will set again.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import tempfile
from pathlib import Path

from loophound._library import is_active, why_unsupported

GUARD = "LOOPHOUND_PYTEST_STARTED"
DIRECTORY = "LOOPHOUND_PYTEST_DIRECTORY"


def library_file() -> Path | None:
    """libloophound.so: LOOPHOUND_LIBRARY, in the package, or where it is installed or built."""
    here = Path(__file__).resolve().parent
    named = os.environ.get("LOOPHOUND_LIBRARY")
    candidates = [Path(named)] if named else []
    with contextlib.suppress(ImportError):  # an installed package knows where it has its own
        packaged = importlib.import_module("loophound._files").library_path()
        candidates += [Path(packaged)] if packaged else []
    candidates += [here / "lib" / "libloophound.so", here / "libloophound.so"]
    candidates += [here.parents[2] / "build" / "libloophound.so"] if len(here.parents) > 2 else []
    candidates += [
        Path(prefix, "lib/libloophound.so") for prefix in (sys.prefix, "/usr/local", "/usr")
    ]
    candidates.append(Path(f"/usr/lib/{os.uname().machine}-linux-gnu/libloophound.so"))
    return next((path for path in candidates if path.is_file()), None)


def was_started_again() -> bool:
    """Is this process one that start_again() has made?"""
    return os.environ.get(GUARD) == str(os.getpid())


def why_not() -> str | None:
    """Why the program cannot be started again with the library; None: it can."""
    if why_unsupported() is not None:
        return why_unsupported()
    if is_active():
        return "the library is in this process already"
    if was_started_again():
        return "the library was preloaded, and is not in the process"
    if library_file() is None:
        return "libloophound.so is not found: LOOPHOUND_LIBRARY names it"
    if not os.path.exists("/proc/self/cmdline"):
        return "there is no /proc to read the command line from"
    return None


def initial_environment() -> dict[str, str]:
    """As this process was started with it."""
    with open("/proc/self/environ", "rb") as file:
        pairs = [line.partition(b"=") for line in file.read().split(b"\0") if line]
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def _command_line() -> list[str]:
    with open("/proc/self/cmdline", "rb") as file:
        return [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]


def start_again(options: dict[str, str]) -> None:
    """Does not return where it succeeds. `options`: LOOPHOUND_<name>, unless the environment has
    it. OSError: it could not be started. Whoever has taken descriptors 0 to 2 has given them back.
    """
    library = library_file()
    assert library is not None
    directory = tempfile.mkdtemp(prefix="loophound-pytest-")
    environment = initial_environment()
    preloaded = environment.get("LD_PRELOAD")
    environment["LD_PRELOAD"] = f"{library}:{preloaded}" if preloaded else str(library)
    environment[GUARD] = str(os.getpid())
    environment[DIRECTORY] = directory
    for name, value in options.items():
        environment.setdefault(f"LOOPHOUND_{name}", value)
    environment["LOOPHOUND_OUTPUT"] = os.path.join(directory, "%p.jsonl")
    environment["LOOPHOUND_FORMAT"] = "json"
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.flush()  # type: ignore[union-attr]
    arguments = [sys.executable, *_command_line()[1:]]
    try:
        os.execve(sys.executable, arguments, environment)
    except OSError:
        os.rmdir(directory)
        raise


def directory_of_this_start() -> str | None:
    """Where this process and its children write, if it is the one to remove it."""
    return os.environ.get(DIRECTORY) if was_started_again() else None


def directory() -> str | None:
    """Where this process writes, and those that it starts, if pytest was started again."""
    return os.environ.get(DIRECTORY)
