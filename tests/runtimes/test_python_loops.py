# SPDX-License-Identifier: Apache-2.0
"""Python's event loops: the call that blocks one is named, and the line of Python it came from."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from harness import (
    BUILD,
    ROOT,
    Event,
    describe,
    first_frame_in,
    of_type,
    read_events,
    wait_until,
)
from line_server import KINDS, assert_named, check_clean, run_wrong
from pythons import INTERPRETERS
from watched import HERE, finish, watched

PYTHON = BUILD / "runtimes-venv" / "bin" / "python"
PROGRAMS = HERE / "python"
# Whose eval loops do not say where they are on the stack.
OLDER = [python for python, version in INTERPRETERS.items() if version in ("3.8", "3.9")]
WAITS = (PROGRAMS / "waits.py").read_text().splitlines()

# The program, what its loop parks in by its own name, and by libc's.
LOOPS = [
    ("asyncio", "EpollSelector", "epoll_wait"),
    ("asyncio", "PollSelector", "poll"),
    ("asyncio", "SelectSelector", "select"),
    ("asyncio", "uvloop", "epoll_pwait"),
    ("trio", "epoll", "epoll_wait"),
    ("gevent", "epoll", "epoll_wait"),
    ("gevent", "poll", "poll"),
    ("gevent", "select", "select"),
    ("qt", "glib", "poll"),
    ("qt", "unix", "ppoll"),
]
every_loop = pytest.mark.parametrize(
    ("runtime", "park", "how"), LOOPS, ids=[f"{loop[0]}-{loop[1]}" for loop in LOOPS]
)


def argv(runtime: str, park: str) -> list[str | Path]:
    return [PYTHON, PROGRAMS / f"{runtime}_loop.py", park]


def line_of(function: str) -> int:
    """The line of waits.py in which that function waits."""
    begin = WAITS.index(f"def {function}():")
    return next(n for n, line in enumerate(WAITS, 1) if n > begin and "# waits" in line)


def assert_line(block: Event, kind: str, program: str) -> None:
    frame = first_frame_in(block, "waits.py")
    assert frame, block["stack"]
    assert (frame["lang"], frame["function"], frame["line"]) == ("python", kind, line_of(kind))
    handler = first_frame_in(block, program)
    assert handler and handler["function"] == "work"


@every_loop
@pytest.mark.parametrize("kind", KINDS)
def test_wait_in_a_handler_is_named(
    runtime: str, park: str, how: str, kind: str, tmp_path: Path, hits: Path
) -> None:
    events, stage = run_wrong(argv(runtime, park), kind, tmp_path, hits)
    for block in assert_named(events, kind, stage):
        assert_line(block, kind, f"{runtime}_loop.py")
    (loop,) = of_type(events, "loop")
    assert loop["how"] == how


@every_loop
def test_the_same_waits_done_properly_are_silent(
    runtime: str, park: str, how: str, tmp_path: Path, hits: Path
) -> None:
    check_clean(argv(runtime, park), list(KINDS), tmp_path, hits)
    (loop,) = of_type(read_events(hits), "loop")
    assert loop["how"] == how


@every_loop
def test_names_looked_up_by_a_thread_are_silent_in_strict_mode_too(
    runtime: str, park: str, how: str, tmp_path: Path, hits: Path
) -> None:
    check_clean(argv(runtime, park), ["look_up"], tmp_path, hits, KINDS["look_up"].flags())
    (loop,) = of_type(read_events(hits), "loop")
    assert loop["how"] == how


def test_wait_for_the_gil_under_uvloop_is_told_while_it_lasts_with_its_holder(hits: Path) -> None:
    program = ROOT / "tests" / "programs" / "python" / "stalls.py"
    install = "import runpy, sys, uvloop; uvloop.install(); runpy.run_path(sys.argv[2], None, 'x')"
    with watched(hits, [PYTHON, "-c", install, "hang", program], "40ms"):
        wait_until("three reports", lambda: len(of_type(read_events(hits), "inflight")) >= 3)
        told = of_type(read_events(hits), "inflight")[:3]
    assert [event["waits_for_gil"] for event in told] == [True] * 3
    for event, least_ms in zip(told, (40, 80, 160), strict=True):
        assert event["duration_ms"] >= least_ms
        frame = first_frame_in(event["holder"], "stalls.py")
        assert frame and frame["function"] == "keep_it_for_ever"


@pytest.fixture(scope="module", params=[PYTHON, *OLDER])
def with_uvloop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has uvloop: the one of the tests, and older ones of this machine."""
    python = Path(request.param)
    if python == PYTHON:
        return python
    home = tmp_path_factory.mktemp("with-uvloop")
    subprocess.run([python, "-m", "venv", home], check=True)
    pip: list[str | Path] = [home / "bin" / "pip", "-q", "--disable-pip-version-check"]
    (uvloop,) = re.findall(r"^uvloop==.*", (HERE / "requirements.txt").read_text(), re.MULTILINE)
    subprocess.run([*pip, "install", uvloop], check=True)
    return home / "bin" / "python"


@pytest.mark.parametrize(
    ("way", "coroutine", "task"),
    [("own_loop", "answer", None), ("lock_of_task", None, "upload")],
)
def test_loop_of_uvloop_that_waits_for_itself_is_told_so(
    with_uvloop: Path, way: str, coroutine: str | None, task: str | None, hits: Path
) -> None:
    program = ROOT / "tests" / "programs" / "python" / "locks.py"
    install = "import runpy, sys, uvloop; uvloop.install(); sys.argv[:] = sys.argv[2:]; "
    install += "runpy.run_path(sys.argv[0], None, '__main__')"
    argv: list[str | Path] = [with_uvloop, "-c", install, "", program, way]
    with watched(hits, argv, "40ms"):

        def in_flight() -> Event | None:
            told = of_type(read_events(hits), "inflight")
            return next((e for e in told if e["waits_for"] and e["waits_for"]["for_ever"]), None)

        waits_for = wait_until("a wait for ever", in_flight)["waits_for"]
    assert (waits_for["own"], waits_for["coroutine"]) == (True, coroutine)
    assert (waits_for["suspended"] or {}).get("task") == task


def test_task_or_callback_that_blocked_under_uvloop_is_named(with_uvloop: Path, hits: Path) -> None:
    program = ROOT / "tests" / "programs" / "python" / "whose.py"
    argv: list[str | Path] = [with_uvloop, program, "uvloop"]
    with watched(hits, argv, flags=["--no-stall", "--calls", "sleep"]) as run:
        events = finish(run, hits)
    tasks = [block["task"] for block in of_type(events, "block")]
    assert tasks[0] == {"name": "a request", "coroutine": "handler", "callback": None, "kind": None}
    callbacks = [task and task["callback"] for task in tasks[1:]]
    # Code has its qualified name since 3.11.
    names = [name and name.rpartition(".")[2] for name in callbacks]
    assert names == ["at_once", "tick", "from_a_thread", None, "data_received"], describe(events)
