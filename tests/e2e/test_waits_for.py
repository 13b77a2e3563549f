# SPDX-License-Identifier: Apache-2.0
"""What a loop waits for in Python's terms, and who has it, under every interpreter found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness import (
    PYTHON,
    ROOT,
    blocks,
    describe,
    of_type,
    preload_environment,
    run_command,
    run_preloaded,
    started,
    wait_for_event,
)
from pythons import READABLE

LOCKS = ROOT / "tests" / "programs" / "python" / "locks.py"
pythons = pytest.mark.parametrize("python", READABLE)


def waits(python: str, hits: Path, *arguments: str) -> tuple[dict[str, Any], list[int]]:
    """The block of the wait, and the lines that were printed: the loop's, the other's, and that of
    the thread that has nothing to do with it."""
    done, events = run_preloaded([python, LOCKS, *arguments], hits)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [int(line) for line in done.stdout.split()]
    # On a busy machine threads take long to start, which is another wait.
    found = [block for block in blocks(events) if user_line(block) == lines[0]]
    assert len(found) == 1, describe(events)
    (block,) = found
    told = [e for e in of_type(events, "inflight") if e["id"] == block["id"]]
    assert told[0]["waits_for"]["kind"] == block["waits_for"]["kind"]
    return block, lines


def user_line(told: dict[str, Any]) -> int:
    (frame,) = (frame for frame in told["stack"] if frame.get("user"))
    line: int = frame["line"]
    return line


def candidates(block: dict[str, Any]) -> dict[str, tuple[bool, bool, int]]:
    found = block["waits_for"]["candidates"]
    return {c["thread"]: (c["within"], c["names"], user_line(c)) for c in found}


@pythons
@pytest.mark.parametrize("way", ["rlock", "rlock_twice"])
def test_owner_of_an_rlock_is_its_holder_with_its_line(python: str, way: str, hits: Path) -> None:
    block, lines = waits(python, hits, way)
    assert block["waits_for"]["kind"] == "rlock"
    assert block["waits_for"]["candidates"] == []
    assert (block["holder"]["thread"], block["holder"]["deadlock"]) == ("keeper", False)
    assert user_line(block["holder"]) == lines[1]


@pythons
def test_thread_that_is_joined_is_told_with_its_line(python: str, hits: Path) -> None:
    block, lines = waits(python, hits, "join")
    assert block["waits_for"]["kind"] == "thread"
    assert block["holder"]["thread"] == "worker"
    assert user_line(block["holder"]) == lines[1]


@pythons
def test_thread_of_the_pool_that_runs_a_future_is_told(python: str, hits: Path) -> None:
    block, lines = waits(python, hits, "pool")
    assert block["waits_for"]["kind"] == "future"
    assert block["holder"]["thread"].startswith("pool_")
    assert user_line(block["holder"]) == lines[1]


@pythons
def test_coroutine_and_loop_that_a_future_is_of_are_told(python: str, hits: Path) -> None:
    block, lines = waits(python, hits, "other_loop")
    waits_for = block["waits_for"]
    assert (waits_for["kind"], waits_for["coroutine"]) == ("future", "answer")
    assert (waits_for["own"], waits_for["for_ever"]) == (False, True)
    assert block["holder"]["thread"] == "IO-Loop"
    assert user_line(block["holder"]) == lines[1]


@pythons
@pytest.mark.parametrize("way", ["lock", "freed_lock", "lock_before", "semaphore"])
def test_lock_has_candidates_and_who_is_within_it_comes_first(
    python: str, way: str, hits: Path
) -> None:
    block, lines = waits(python, hits, way)
    kind = "semaphore" if way == "semaphore" else "lock"
    assert (block["holder"], block["waits_for"]["kind"]) == (None, kind)
    assert not block["waits_for"]["own"]
    found = candidates(block)
    assert next(iter(found.items())) == ("keeper", (True, False, lines[1])), found
    assert [name for name, (within, *_) in found.items() if within] == ["keeper"]
    other = "left" if way == "freed_lock" else "bystander"
    assert found[other] == (False, way == "freed_lock", lines[2])


@pythons
@pytest.mark.parametrize("way", ["lock_by_hand", "queue_get", "simple_queue", "event", "timed"])
def test_who_has_it_in_a_variable_is_a_candidate_before_the_others(
    python: str, way: str, hits: Path
) -> None:
    block, lines = waits(python, hits, way)
    assert block["holder"] is None
    kind = {"lock_by_hand": "lock", "timed": "event", "event": "event"}.get(way, "queue")
    assert block["waits_for"]["kind"] == kind
    assert block["waits_for"]["for_ever"] == (way != "timed")
    assert list(candidates(block).items()) == [
        ("keeper", (False, True, lines[1])),
        ("bystander", (False, False, lines[2])),
    ]


@pythons
@pytest.mark.parametrize("way", ["own_loop", "own_loop_task"])
def test_loop_that_waits_for_its_own_coroutine_is_told_so(
    python: str, way: str, hits: Path
) -> None:
    block, _ = waits(python, hits, way, "0.5")
    waits_for = block["waits_for"]
    assert (waits_for["own"], waits_for["for_ever"]) == (True, False)
    assert (waits_for["kind"], waits_for["coroutine"]) == ("future", "answer")
    assert (block["holder"], waits_for["candidates"]) == (None, [])


@pythons
def test_loop_that_waits_for_a_lock_of_its_own_is_told_so(python: str, hits: Path) -> None:
    block, _ = waits(python, hits, "lock_again", "0.5")
    waits_for = block["waits_for"]
    assert (waits_for["kind"], waits_for["own"]) == ("lock", True)
    assert (block["holder"], waits_for["candidates"]) == (None, [])


@pythons
@pytest.mark.parametrize("way", ["lock_of_task", "lock_of_generator"])
def test_loop_that_waits_for_a_lock_of_a_suspended_task_is_told_so(
    python: str, way: str, hits: Path
) -> None:
    block, lines = waits(python, hits, way, "0.5")
    waits_for = block["waits_for"]
    assert (waits_for["kind"], waits_for["own"]) == ("lock", True)
    assert (block["holder"], waits_for["candidates"]) == (None, [])
    suspended = waits_for["suspended"]
    coroutine = "await_deeper" if way == "lock_of_task" else "await_generator"
    assert (suspended["task"], suspended["coroutine"]) == ("upload", coroutine)
    assert user_line(suspended) == lines[1]


@pythons
def test_tasks_that_had_the_lock_before_are_not_told(python: str, hits: Path) -> None:
    block, lines = waits(python, hits, "lock_that_tasks_had", "0.5")
    waits_for = block["waits_for"]
    assert (waits_for["own"], waits_for["suspended"]) == (False, None)
    assert next(iter(candidates(block).items())) == ("keeper", (True, False, lines[1]))


@pythons
@pytest.mark.parametrize(
    ("way", "kind"),
    [
        ("own_loop", "future"),
        ("own_loop_task", "future"),
        ("lock_again", "lock"),
        ("lock_of_task", "lock"),
    ],
)
def test_wait_for_itself_without_a_time_out_is_for_ever(
    python: str, way: str, kind: str, hits: Path
) -> None:
    environment = preload_environment(OUTPUT=str(hits))
    with started([python, LOCKS, way], environment):
        event = wait_for_event(hits, "inflight")
    waits_for = event["waits_for"]
    assert waits_for["kind"] == kind
    assert (waits_for["own"], waits_for["for_ever"]) == (True, True)


@pythons
def test_cycle_of_lock_worker_and_loop_is_a_deadlock(python: str, hits: Path) -> None:
    block, lines = waits(python, hits, "cycle", "0.5")
    (keeper, bystander) = block["waits_for"]["candidates"]
    assert (keeper["thread"], keeper["deadlock"], keeper["within"]) == ("keeper", True, True)
    assert user_line(keeper) == lines[1]
    assert not bystander["deadlock"]


@pythons
@pytest.mark.parametrize("way", ["cycle_of_rlock", "cycle_of_pool", "cycle_of_join"])
def test_holder_that_waits_for_the_loop_is_a_deadlock(python: str, way: str, hits: Path) -> None:
    block, lines = waits(python, hits, way, "0.5")
    assert block["holder"]["deadlock"]
    assert user_line(block["holder"]) == lines[1]


@pythons
def test_what_waits_for_nobody_says_nothing_of_the_kind(python: str, hits: Path) -> None:
    done, events = run_preloaded([python, LOCKS, "sleep"], hits)
    assert (done.returncode, done.stderr) == (0, "")
    (block,) = blocks(events)
    assert (block["holder"], block["waits_for"]) == (None, None)


IN_A_THREAD = """
import asyncio, sys, threading, time
loops = []
async def nap():
    time.sleep(0.2)
def run():
    asyncio.run(nap())
for name in sys.argv[1:]:
    thread = threading.Thread(target=run, name=name)
    thread.start()
    thread.join()
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    app = tmp_path / "app.py"
    app.write_text(IN_A_THREAD)
    return app


@pythons
def test_loop_thread_has_the_name_that_threading_gave_it(
    python: str, app: Path, hits: Path
) -> None:
    done, events = run_preloaded([python, app, "IO-Loop of the example"], hits)
    assert (done.returncode, done.stderr) == (0, "")
    told = [e for e in events if e["type"] in {"loop", "block", "inflight"}]
    assert {e["type"] for e in told} == {"loop", "block", "inflight"}
    assert {e["thread"] for e in told} == {"IO-Loop of the example"}


BUSY = """
import asyncio, threading, time
async def compute():
    await asyncio.sleep(0.01)
    end = time.monotonic() + 0.4
    while time.monotonic() < end:
        sum(range(1000))
    await asyncio.sleep(0.01)
thread = threading.Thread(target=lambda: asyncio.run(compute()), name="scorer")
thread.start()
thread.join()
"""


@pythons
def test_stall_has_the_name_that_threading_gave_the_thread(
    python: str, tmp_path: Path, hits: Path
) -> None:
    app = tmp_path / "app.py"
    app.write_text(BUSY)
    done, events = run_preloaded([python, app], hits)
    assert (done.returncode, done.stderr) == (0, "")
    told = [e for e in events if e["type"] in {"stall", "inflight"} and e.get("call") is None]
    assert {e["type"] for e in told} == {"stall", "inflight"}
    assert {e["thread"] for e in told} == {"scorer"}


def text_of(*arguments: str | Path) -> str:
    done = run_command("run", "--", PYTHON, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_equal_names_have_the_number_of_the_thread_in_text(app: Path) -> None:
    lines = text_of(app, "twin", "twin", "other").splitlines()
    told = [line for line in lines if line.startswith("loophound[") and " blocked " in line]
    named = [(line.split()[1], "(thread " in line) for line in told]
    assert list(dict.fromkeys(named)) == [("twin", False), ("twin", True), ("other", False)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rlock"], "  the RLock held by keeper (thread "),
        (["join"], "  waits for the end of worker (thread "),
        (["pool"], "  the Future is run by pool_"),
        (["other_loop"], "  waits for answer() on the loop of IO-Loop (thread "),
        (["lock"], "  nobody is known to have the Lock; candidates:\n    keeper (thread "),
        (["own_loop", "0.5"], "  waits for its own loop, to run answer(): this ends with its"),
        (["lock_of_task", "0.5"], "  waits for its own loop: this ends with its time-out only\n"),
        (
            ["lock_of_task", "0.5"],
            "  the Lock held by task upload (coroutine await_deeper), which ",
        ),
        (["lock_again", "0.5"], "  waits for a Lock that it has itself: this ends with its time"),
        (["cycle", "0.5"], "  deadlock: keeper (thread "),
        (["cycle_of_rlock", "0.5"], "  deadlock: the RLock held by keeper (thread "),
    ],
)
def test_text_says_who_it_waits_for(arguments: list[str], sentence: str) -> None:
    assert sentence in text_of(LOCKS, *arguments)
