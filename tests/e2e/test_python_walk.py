# SPDX-License-Identifier: Apache-2.0
"""The walk over Python frames against the interpreter's own answer, on every interpreter found.

The library's sources are built into a module of their own (tests/python_walk/walk.c), which
tests/python_walk/cases.py loads by ctypes. LOOPHOUND_TEST_SCALE repeats the cases more often: `make
test-pythons` does.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from pythons import INTERPRETERS, MISSING, OTHERS, READABLE
from walk_module import ask, build

# Undefined behaviour ends the interpreter; needs no runtime library.
TRAPS = "-fsanitize=undefined -fsanitize-undefined-trap-on-error".split()

SCALE = int(os.environ.get("LOOPHOUND_TEST_SCALE", "1"))
CAPTURES = 5_000 * SCALE
INSTANTS = 5_000 if SCALE == 1 else 100_000


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module, trapping on undefined behaviour."""
    return build(tmp_path_factory.mktemp("walk"), TRAPS)


def test_this_machine_has_an_interpreter_whose_frames_can_be_read() -> None:
    assert READABLE, INTERPRETERS


@pytest.mark.parametrize("version", MISSING)
def test_every_version_with_a_row_was_compared(version: str) -> None:
    pytest.skip(f"no Python {version} on this machine")


@pytest.mark.parametrize("python", READABLE)
def test_every_stack_is_the_interpreters_own(python: str, walk: Path) -> None:
    report = ask(python, "cases.py", walk, "compare", 50 * SCALE)
    counts = {name: report[name] for name in ("captures", "frames", "different")}
    print(f"\nPython {INTERPRETERS[python]} {python}: {counts}")
    assert report["differences"] == []
    assert report["different"] == 0
    assert report["captures"] >= CAPTURES
    # The boundaries were compared too: the C frames of the interpreter loop could be told.
    assert report["eval_loops"] >= report["captures"]


@pytest.mark.parametrize("python", READABLE)
def test_the_running_task_is_asyncios_own(python: str, walk: Path) -> None:
    report = ask(python, "tasks.py", walk)
    assert report["differences"] == []
    assert report["with"] > 100
    assert report["without"] >= 7


@pytest.mark.parametrize("python", READABLE)
def test_code_that_stands_where_freed_code_stood_is_told_by_its_own_names_and_lines(
    python: str, walk: Path
) -> None:
    report = ask(python, "reused.py", walk)
    assert report["differences"] == []
    assert report["reused"] > report["rounds"] / 2


@pytest.mark.parametrize("python", READABLE)
def test_a_capture_asks_the_kernel_a_few_times_for_all_of_its_frames(
    python: str, walk: Path
) -> None:
    report = ask(python, "cost.py", walk)
    assert report["frames"] >= 30
    assert report["asked"] < report["frames"]  # once there were seven for each of them


@pytest.mark.parametrize("python", READABLE)
def test_the_name_of_a_thread_is_threadings_own(python: str, walk: Path) -> None:
    report = ask(python, "threads.py", walk)
    assert report["differences"] == []
    assert len(report["names"]) == 19
    assert {"scorer", "deep", "derived", "ThreadPoolExecutor-0_0"} <= set(report["names"])


@pytest.mark.parametrize("python", READABLE)
def test_spoilt_memory_neither_crashes_nor_leaves_the_record(python: str, walk: Path) -> None:
    assert ask(python, "cases.py", walk, "fuzz", 20_000)["bad"] == 0


@pytest.mark.parametrize("python", READABLE)
def test_a_capture_at_any_instant_with_spoilt_memory_neither_crashes_nor_leaves_the_record(
    python: str, walk: Path
) -> None:
    report = ask(python, "cases.py", walk, "instants", INSTANTS)
    print(f"\nPython {INTERPRETERS[python]} {python}: {report}")
    assert report["bad"] == 0
    assert report["captures"] >= INSTANTS
    assert report["frames"] >= report["captures"]


@pytest.mark.parametrize("python", READABLE)
def test_a_running_thread_can_be_walked_from_a_thread_with_16_kib_of_stack(
    python: str, walk: Path
) -> None:
    report = ask(python, "cases.py", walk, "race", 20)
    assert report["bad"] == 0
    assert report["captures"] > 1000


@pytest.mark.parametrize("python", READABLE)
def test_the_locks_of_the_runtime_are_told_from_others(python: str, walk: Path) -> None:
    report = ask(python, "find.py", walk)
    assert report["found"] == report["again"] == 0
    assert report["problem"] is None
    assert report["thread_state"]
    assert report["runtime_lock"] == [0, 1, 1, 0]
    assert report["runtime_lock_before"] == 0


@pytest.mark.parametrize("python", OTHERS)
def test_a_version_without_a_row_is_refused_in_one_line(python: str, walk: Path) -> None:
    report = ask(python, "find.py", walk)
    assert report["found"] == report["again"] == -errno.ENOTSUP
    assert report["problem"].startswith(f"Python {INTERPRETERS[python]}: ")
    assert "\n" not in report["problem"]
    assert report["runtime_lock"] == [0, 1, 1, 0]
