# SPDX-License-Identifier: Apache-2.0
"""The package by itself: detect(), allow(), on_event() and the small functions."""

from __future__ import annotations

import json

from project import Project

START = """
import asyncio, json, select, time
import loophound

def nap(): time.sleep(0.01)

def lines(events): return [[e.place.function, e.count] for e in events]
"""


def results(project: Project, code: str, **variables: str) -> list[object]:
    """What it prints, a line of JSON each."""
    printed = project.preloaded(START + code, **variables)
    return [json.loads(line) for line in printed.splitlines()]


def test_without_the_library_everything_does_nothing(project: Project) -> None:
    code = """
import json, loophound
assert not loophound.is_active()
print(loophound.why_inactive())
loophound.loop_enter(); loophound.loop_leave(); loophound.mark("x"); loophound.label("a", "b")
assert loophound.flush()
with loophound.allow("why"):
    with loophound.detect(action="raise") as report:
        pass
report.assert_none()
@loophound.allow("why")
async def f(): return 1
try: f().send(None)
except StopIteration as stop: assert stop.value == 1
try: loophound.on_event(print)
except RuntimeError as error: print(error)
"""
    (project.directory / "program.py").write_text(code)
    done = project.run("program.py")
    assert done.returncode == 0, done.stderr
    why, error = done.stdout.splitlines()
    assert why == "libloophound.so is not preloaded: `loophound run -- PROGRAM` does that"
    assert error == f"loophound has no events for on_event(): {why}"


def test_detect_has_what_blocked_within_it_and_no_more(project: Project) -> None:
    code = """
async def other():
    await asyncio.sleep(0); nap()

async def main():
    await asyncio.sleep(0)
    nap()
    with loophound.detect(action="none") as report:
        nap()
        await asyncio.ensure_future(other())
    nap()
    print(json.dumps(lines(report.events)))
    with loophound.detect(action="none") as empty:
        await asyncio.sleep(0)
    empty.assert_none()
    print(json.dumps(lines(empty.events)))

with loophound.detect(action="none") as around:
    asyncio.run(main())
print(json.dumps(sum(count for _, count in lines(around.events))))
"""
    within, empty, around = results(project, code)
    assert within == [["nap", 2]]  # a place is told once, with its count
    assert empty == []
    assert around == 4


def test_detect_warns_fails_and_asserts(project: Project) -> None:
    code = """
import warnings
async def main():
    await asyncio.sleep(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with loophound.detect(): nap()
    print(json.dumps([w.category.__name__ for w in caught]))
    try:
        with loophound.detect(action="fail"): nap()
    except loophound.BlockingError as error:
        print(json.dumps(lines(error.events)))
    try:
        with loophound.detect(action="fail"):
            nap()
            raise KeyError("its own")
    except KeyError: print(json.dumps("KeyError"))
    with loophound.detect(action="none") as report: nap()
    try: report.assert_none()
    except loophound.BlockingError as error: print(json.dumps(str(error).splitlines()[0]))
asyncio.run(main())
"""
    warned, failed, own, asserted = results(project, code)
    assert warned == ["BlockingWarning"]
    assert failed == [["nap", 1]]
    assert own == "KeyError"
    assert asserted == "the event loop was blocked: 1 call at 1 place"


def test_detect_takes_thresholds_and_rules(project: Project) -> None:
    code = """
def long(): time.sleep(0.3)
async def main():
    await asyncio.sleep(0)
    found = []
    for options in ({"threshold": "200ms"}, {"threshold": 200}, {"allow": ["at:program.py:nap"]},
                    {"allow": ["in:program.py:nap", "!in:program.py:long"]}, {"strict": False}):
        with loophound.detect(action="none", **options) as report:
            nap(); long()
        found.append([event.place.function for event in report.events])
    print(json.dumps(found))
    for bad in ({"threshold": "soon"}, {"scope": "x"}, {"allow": ["nonsense"]}, {"action": "x"}):
        try:
            with loophound.detect(**bad): pass
        except ValueError as error: print(json.dumps(str(error)))
asyncio.run(main())
"""
    found, *errors = results(project, code)
    assert found == [["long"]] * 5
    assert len(errors) == 4


def test_allowed_scope_is_of_its_task_alone(project: Project) -> None:
    code = """
async def other(inside):
    await inside.wait(); nap()

def allowed_nap(): time.sleep(0.01)

async def main():
    await asyncio.sleep(0)
    with loophound.detect(action="none") as report:
        inside = asyncio.Event()
        task = asyncio.ensure_future(other(inside))
        with loophound.allow("known"):
            allowed_nap()
            inside.set()
            await asyncio.sleep(0.05)
            allowed_nap()
        await task
    print(json.dumps([lines(report.events), lines(report.allowed)]))
    @loophound.allow("known")
    async def decorated():
        allowed_nap(); await asyncio.sleep(0); allowed_nap()
        return "value"
    with loophound.detect(action="none") as report:
        value = await decorated()
        nap()
    print(json.dumps([value, lines(report.events)]))
    with loophound.detect(action="none") as report:
        with loophound.allow("only this", call="poll"):
            nap(); select.poll().poll(10)
    print(json.dumps([lines(report.events), [e.call for e in report.allowed]]))
asyncio.run(main())
"""
    scope, decorated, of_call = results(project, code)
    assert scope == [[["nap", 1]], [["allowed_nap", 2]]]
    assert decorated == ["value", [["nap", 1]]]
    assert of_call == [[["nap", 1]], ["poll"]]


def test_allow_of_a_plain_function_is_not_reported_at_all(project: Project) -> None:
    code = """
@loophound.allow("known")
def quiet(): nap(); return 7
async def main():
    await asyncio.sleep(0)
    with loophound.detect(action="none") as report: value = quiet()
    print(json.dumps([value, len(report.events), len(report.allowed)]))
asyncio.run(main())
for bad in ("", None):
    try: loophound.allow(bad)
    except TypeError as error: print(json.dumps("wants the reason" in str(error)))
try:
    @loophound.allow("x")
    def generator(): yield
except TypeError as error: print(json.dumps("generator" in str(error)))
"""
    assert results(project, code) == [[7, 0, 0], True, True, True]


def test_events_come_to_a_thread_of_the_package(project: Project) -> None:
    code = """
import threading
came = threading.Event()
seen = []
def callback(event):
    seen.append([event.type, threading.current_thread().name, event.labels])
    came.set()
    raise KeyError("goes to sys.excepthook")
async def main():
    await asyncio.sleep(0)
    nap()  # before: not told
    with loophound.on_event(callback):
        loophound.label("route", "/price")
        nap()
        await asyncio.get_running_loop().run_in_executor(None, came.wait)
    nap()  # afterwards
asyncio.run(main())
print(json.dumps(seen))
"""
    (seen,) = results(project, code)
    assert seen == [["block", "loophound-events", {"route": "/price"}]]


def test_marks_and_loops_by_hand(project: Project) -> None:
    code = """
loophound.loop_enter()
loophound.mark("test-a")
with loophound.detect(action="none") as report: nap()
print(json.dumps([event.test for event in report.events]))
loophound.loop_leave()
with loophound.detect(action="none") as report: nap()
print(json.dumps(len(report.events)))
print(json.dumps(loophound.flush()))
try: loophound.label("k" * 65, "v")
except ValueError as error: print(json.dumps("at most 8" in str(error)))
"""
    assert results(project, code) == [["test-a"], 0, True, True]


def test_child_of_fork_has_reports_of_its_own(project: Project) -> None:
    code = """
import os, sys
async def main(name):
    await asyncio.sleep(0)
    with loophound.detect(action="none") as report: nap()
    sys.stdout.write(json.dumps([name, len(report.events)]) + "\\n")
    sys.stdout.flush()
asyncio.run(main("parent"))
child = os.fork()
if child == 0:
    asyncio.run(main("child"))
    os._exit(0)
os.waitpid(child, 0)
asyncio.run(main("parent"))
"""
    assert results(project, code) == [["parent", 1], ["child", 1], ["parent", 1]]


def test_stacks_that_are_written_once_are_put_together(project: Project) -> None:
    code = """
async def main():
    await asyncio.sleep(0)
    for _ in range(2):
        with loophound.detect(action="none") as report: nap()
    (event,) = report.events
    print(json.dumps([frame.function for frame in event.python_stack[:2]]))
    print(json.dumps("sleep" in (event.advice or "")))
asyncio.run(main())
"""
    stack, advice = results(project, code, LOOPHOUND_STACKS="once")
    assert stack == ["nap", "main"]
    assert advice is True


RAISES = """
import threading
def inner():
    time.sleep(0.01)  # HERE
    raise AssertionError("not reached")
async def main():
    await asyncio.sleep(0)
    import traceback
    try:
        with loophound.detect(action="raise"): inner()
    except loophound.BlockingError as error:
        places = [(f.name, f.line) for f in traceback.extract_tb(error.__traceback__)]
        print(json.dumps(["inner", "time.sleep(0.01)  # HERE"] in [list(p) for p in places]))
    swallowed = 0
    try:
        with loophound.detect(action="raise") as report:
            for _ in range(2):
                try: inner()
                except loophound.BlockingError: swallowed += 1
    except loophound.BlockingError as error:
        print(json.dumps([swallowed, sum(e.count for e in error.events)]))
    with loophound.detect(action="raise"):
        with loophound.allow("known"): nap()
        await asyncio.sleep(0.001)
        [len(str(i)) for i in range(100)]
    print(json.dumps("after"))
asyncio.run(main())
import sys
print(json.dumps(sys.getprofile() is None))
"""


def test_raising_is_at_the_line_and_what_is_swallowed_is_raised_at_the_end(
    project: Project,
) -> None:
    assert results(project, RAISES) == [True, [2, 2], "after", True]
