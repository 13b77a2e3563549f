# SPDX-License-Identifier: Apache-2.0
"""Loops inside loops, and several loops after each other on one thread."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import PROGRAMS, PYTHON, blocks, describe, functions, of_type, run_preloaded

NESTED = PROGRAMS / "nested_loops"
UV = PROGRAMS / "uv_nested"


def first_but_run(names: list[str]) -> str:
    return next(name for name in names if name != "run")


def run(argv: list, hits: Path) -> list[tuple[str, str]]:
    """The calls that blocked, and where they came from, of what is one loop thread."""
    done, events = run_preloaded(argv, hits, THRESHOLD="20ms")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(of_type(events, "loop")) == 1, describe(events)
    return [(block["call"], first_but_run(functions(block))) for block in blocks(events)]


def test_loop_inside_the_loop_on_another_set_holds_it_and_so_do_its_handlers(hits: Path) -> None:
    wait, sleep = ("epoll_wait", "run_second"), ("nanosleep", "sleep_in_second")
    assert run([NESTED, "inside"], hits) == [wait, sleep, wait, ("nanosleep", "sleep_in_first")]


def test_loop_inside_the_loop_on_the_same_set_parks(hits: Path) -> None:
    expected = [("nanosleep", "sleep_in_second"), ("nanosleep", "sleep_in_first")]
    assert run([NESTED, "recursion"], hits) == expected


def test_loops_after_each_other_park_while_the_sets_of_all_are_open(hits: Path) -> None:
    first, second = ("nanosleep", "sleep_in_first"), ("nanosleep", "sleep_in_second")
    assert run([NESTED, "in-turn"], hits) == [first, second, first, second]


def test_loop_that_returns_to_an_earlier_set_parks_but_not_on_a_new_one(hits: Path) -> None:
    wait, sleep = ("epoll_wait", "run_second"), ("nanosleep", "sleep_in_second")
    assert run([NESTED, "returning"], hits) == [wait, sleep, wait]


def test_second_set_that_is_waited_for_beside_the_first_is_a_block(hits: Path) -> None:
    assert [call for call, _ in run([NESTED, "one-place"], hits)] == ["epoll_wait"] * 3


def test_wait_for_another_set_within_another_call_is_part_of_that_and_no_loop(hits: Path) -> None:
    wait, sleep = ("epoll_wait", "run_second"), ("nanosleep", "sleep_in_second")
    assert run([NESTED, "within"], hits) == [("fread", "within"), wait, sleep, wait]


@pytest.mark.parametrize(
    ("how", "calls"), [("same", []), ("other", ["epoll_pwait"]), ("in-turn", [])]
)
def test_libuv(how: str, calls: list[str], hits: Path) -> None:
    found = [call.replace("epoll_wait", "epoll_pwait") for call, _ in run([UV, how], hits)]
    assert found == calls


def test_glib_main_loop_inside_itself_parks(hits: Path) -> None:
    assert run([PROGRAMS / "glib_loop", "nested"], hits) == []


IN_TURN = """
import asyncio, time

async def wait_and_block(blocks):
    await asyncio.sleep(0.03)
    if blocks:
        time.sleep(0.2)

def run(loop, blocks):
    loop.run_until_complete(wait_and_block(blocks))

loops = [asyncio.new_event_loop() for _ in range(2)]
run(loops[0], False)
run(loops[1], True)
run(loops[0], False)
"""


def test_asyncio_loops_after_each_other_park_while_all_are_open(hits: Path) -> None:
    # Before 3.11 each Python function is a frame of C: the loops run from one function here.
    _, events = run_preloaded([PYTHON, "-c", IN_TURN], hits, THRESHOLD="20ms")
    (block,) = blocks(events)
    assert block["call"] == "clock_nanosleep"
    assert "wait_and_block" in functions(block)
