# SPDX-License-Identifier: Apache-2.0
"""Whose fault is it? What a report's Python frames say of the code that it is to be told of.

From the call outwards, up to the loop's own frames: the nearest file outside the standard library
is the project's, a test's, a test runner's or a library's.
"""

from __future__ import annotations

import fnmatch
import os
from typing import Iterable, NamedTuple, Sequence

from loophound._events import Event, Frame

STANDARD, TOOL, TEST, PROJECT, LIBRARY = "standard", "tool", "test", "project", "library"
OWN = "own"  # this package

_HERE = os.path.dirname(os.path.abspath(__file__))
_INSTALLED = ("site-packages", "dist-packages")
_TOOLS = (
    "_pytest",
    "pluggy",
    "pytest",
    "pytest_asyncio",
    "pytest_aiohttp",
    "pytest_trio",
    "pytest_cov",
    "pytest_timeout",
    "xdist",
    "execnet",
    "coverage",
    "hypothesis",
    "pydevd",
    "_pydevd_bundle",
    "debugpy",
)
# Functions by which a library runs tests.
_RUNNERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("anyio/_backends/_asyncio.py", ("_run_tests_and_fixtures", "_call_in_runner_task")),
    ("anyio/_backends/_trio.py", ("_run_tests_and_fixtures", "_call_in_runner_task")),
)
# File and functions that run a loop: what is further out is not in it.
_LOOPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("asyncio/base_events.py", ("_run_once", "run_forever", "run_until_complete")),
    ("asyncio/runners.py", ("run",)),
    ("trio/_core/_run.py", ("unrolled_run", "run")),
)


class Verdict(NamedTuple):
    kind: str
    """PROJECT: to be told; TEST: a test did it itself; LIBRARY, TOOL, STANDARD, OWN: none"""
    place: Frame | None
    """the frame to look at"""


# sysconfig knows it too, and takes longer to import than all of this.
_STANDARD = {os.path.dirname(os.__file__), os.path.realpath(os.path.dirname(os.__file__))}


def _is_below(path: str, directories: Iterable[str]) -> bool:
    return any(path.startswith(directory.rstrip("/") + "/") for directory in directories)


def _is_one_of(frame: Frame, known: Iterable[tuple[str, tuple[str, ...]]]) -> bool:
    name = (frame.function or "").rpartition(".")[2]
    return any((frame.file or "").endswith(file) and name in names for file, names in known)


def frames_in_loop(event: Event) -> list[Frame]:
    """The Python frames between the call and the loop, innermost first."""
    frames: list[Frame] = []
    for frame in event.stack:
        if frame.lang != "python":
            if "uvloop" in (frame.module or "") and frames:
                break
            continue
        if _is_one_of(frame, _LOOPS):
            break
        frames.append(frame)
    return frames


class Project:
    """What is the project's own: files below `root`, but for tests and what is installed, and the
    packages that are named, wherever they are installed."""

    def __init__(
        self,
        root: str,
        packages: Sequence[str] = (),
        test_files: Sequence[str] = ("test_*.py", "*_test.py"),
    ) -> None:
        self.root = os.path.realpath(root)
        self._roots = {self.root, os.path.abspath(root)}
        self._here = os.getcwd()
        self._packages = frozenset(name.replace("-", "_") for name in packages)
        self._test_files = tuple(test_files)
        self._kinds: dict[str, str] = {}

    def kind(self, file: str | None) -> str:
        """Of a file as a stack names it."""
        name = file or ""
        kind = self._kinds.get(name)
        if kind is None:
            kind = self._kinds[name] = self._find_kind(name)
        return kind

    def _find_kind(self, file: str) -> str:
        if not file or file.startswith("<"):
            return STANDARD
        if _is_below(file, (_HERE,)):
            return OWN
        file = os.path.join(self._here, file)  # Python 3.8 names its main module as it was started
        parts = file.split("/")
        installed = max((parts.index(name) for name in _INSTALLED if name in parts), default=-1)
        if installed >= 0:
            return self._kind_of_installed(parts[installed + 1 :])
        if _is_below(file, _STANDARD):
            return STANDARD
        if not _is_below(file, self._roots):
            return PROJECT if self._packages.intersection(parts) else LIBRARY
        return TEST if self._is_test(file) else PROJECT

    def _kind_of_installed(self, parts: list[str]) -> str:
        top = parts[0].rpartition(".py")[0] or parts[0]
        if top in self._packages:
            return PROJECT
        is_tool = (
            top in _TOOLS or top.startswith("pytest_") or parts == ["anyio", "pytest_plugin.py"]
        )
        return TOOL if is_tool else LIBRARY

    def _is_test(self, file: str) -> bool:
        root = next(root for root in self._roots if _is_below(file, (root,)))
        *directories, name = file[len(root.rstrip("/")) + 1 :].split("/")
        return (
            name == "conftest.py"
            or not {"test", "tests"}.isdisjoint(directories)
            or any(fnmatch.fnmatch(name, glob) for glob in self._test_files)
        )

    def judge(self, event: Event) -> Verdict:
        """A test that is called by a library is the application of that test, which is told; one
        that the test runner or the project calls has blocked by itself."""
        frames = [f for f in frames_in_loop(event) if self.kind(f.file) != STANDARD]
        kinds = [TOOL if _is_one_of(f, _RUNNERS) else self.kind(f.file) for f in frames]
        if not frames:
            return Verdict(STANDARD, event.place)
        if kinds[0] in (TOOL, OWN):
            return Verdict(kinds[0], frames[0])
        own = next((i for i, kind in enumerate(kinds) if kind in (PROJECT, TEST)), None)
        if own is None:
            return Verdict(LIBRARY, frames[0])
        if kinds[own] == TEST:
            caller = next((kind for kind in kinds[own:] if kind not in (TEST, OWN)), TOOL)
            return Verdict(PROJECT if caller == LIBRARY else TEST, frames[own])
        return Verdict(PROJECT, frames[own])


def project_here(packages: Sequence[str] = ()) -> Project:
    """That of the working directory."""
    return Project(os.getcwd(), packages)
