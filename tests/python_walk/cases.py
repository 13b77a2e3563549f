# SPDX-License-Identifier: Apache-2.0
"""Stacks of every shape, each compared with the interpreter's own answer at the same instant.

Run by tests/e2e/test_python_walk.py under each interpreter: cases.py MODULE WHAT [SCALE].
Prints one JSON object.
"""
# ruff: noqa: D101, D102, RUF001

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import gc
import json
import sys
import threading
import traceback
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from types import FrameType
from typing import Any

MOST = 64
NAME_MAX = 255
RECURSION = 500
BUFFER = 128 * 600
INSTANT_NS = 100_000

library = ctypes.PyDLL(sys.argv[1])  # keeps the GIL: nothing else runs between the two answers
library.walk_thread_state.restype = ctypes.c_size_t
library.walk_fuzz.restype = ctypes.c_long
library.walk_instants_captures.restype = ctypes.c_long
library.walk_instants_stop.restype = ctypes.c_long
library.walk_race_stop.restype = ctypes.c_long
assert library.walk_find() == 0
walk_capture = library.walk_capture
walk_capture.argtypes = [ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]

local = threading.local()
lock = threading.Lock()
differences: list[str] = []
counts = {"captures": 0, "frames": 0, "eval_loops": 0}
most = MOST


def stored(name: str) -> bytes:
    """The name as a record keeps it."""
    clean = "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in name)
    tail = clean.encode()
    while len(tail) > NAME_MAX:
        clean = clean[1:]
        tail = clean.encode()
    return tail


def truth(frame: FrameType) -> list[bytes]:
    walked = list(traceback.walk_stack(frame))[:most]
    summary = traceback.StackSummary.extract(iter(walked), lookup_lines=False)
    assert len(summary) == len(walked)
    lines = []
    for entry, (walked_frame, _) in zip(summary, walked):  # noqa: B905, strict= is new in 3.10
        code = walked_frame.f_code
        names = stored(entry.filename), stored(getattr(code, "co_qualname", code.co_name))
        lines.append(b"%s\037%s\037%d" % (*names, entry.lineno or 0))
    return lines


def compare(got: int, text: bytes, eval_loops: int, want: list[bytes]) -> None:
    lines = text.split(b"\n")[:-1]
    with lock:
        counts["captures"] += 1
        counts["frames"] += len(want)
        counts["eval_loops"] += eval_loops
        if got == len(want) and lines == want:
            return
        for mine, theirs in zip(lines, want):  # noqa: B905
            if mine != theirs:
                differences.append(f"{mine!r} is not {theirs!r}")
                return
        differences.append(f"{got} of {len(want)} frames below {want[:3]!r}")


def S() -> Any:
    """The one place where both answers are asked for: on one line of one frame."""
    if not hasattr(local, "text"):
        local.text = ctypes.create_string_buffer(BUFFER)
        local.loops = ctypes.c_int()
    text, loops = local.text, ctypes.addressof(local.loops)
    got, want = walk_capture(most, text, BUFFER, loops), truth(sys._getframe())
    compare(got, text.value, local.loops.value, want)


def tries() -> None:
    try:
        S()
        raise ValueError
    except ValueError:
        S()
        try:
            _ = 1 / 0
        except ZeroDivisionError:
            [
                S(),
                S(),
            ]
    finally:
        S()


@contextlib.contextmanager
def manager() -> Iterator[None]:
    S()
    yield
    S()


def generator() -> Iterator[None]:
    yield S()
    yield from (S() for _ in range(2))


def comprehensions() -> None:
    with manager(), manager():
        [S() for _ in range(2)]
        {S() for _ in range(2)}
        {i: [S() for _ in range(2)] for i in range(2)}
    for _ in generator():
        S()


def callbacks() -> None:
    list(map(lambda _: S(), range(2)))
    sorted([3, 1, 2], key=lambda k: (S(), k)[1])
    json.dumps([object()], default=lambda _: S())
    max([1, 2], key=functools.partial(lambda _, k: (S(), k)[1], 2))

    def order(_one: int, _other: int) -> int:
        S()
        return 0

    called_back = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(order)
    for libc in (ctypes.PyDLL(None), ctypes.CDLL(None)):
        libc.qsort((ctypes.c_int * 3)(3, 2, 1), 3, 4, called_back)


def decorated(function: Callable[[], None]) -> Callable[[], None]:
    @functools.wraps(function)
    def wrapper() -> None:
        S()
        function()

    return wrapper


@decorated
@functools.lru_cache(maxsize=0)
def wrapped() -> None:
    S()


class Base:
    S()

    def __init__(self) -> None:
        S()

    def __init_subclass__(cls) -> None:
        S()

    def __del__(self) -> None:
        S()


class Everything(Base):
    def __init__(self) -> None:
        S()
        super().__init__()

    def __getattr__(self, _name: str) -> int:
        S()
        return 1

    def __getitem__(self, _index: object) -> int:
        S()
        return 1

    def __eq__(self, _other: object) -> bool:
        S()
        return True

    def __hash__(self) -> int:
        S()
        return 1

    def __lt__(self, _other: object) -> bool:
        S()
        return True

    def __add__(self, _other: object) -> int:
        S()
        return 1

    def __bool__(self) -> bool:
        S()
        return True

    def __iter__(self) -> Iterator[int]:
        S()
        yield 1

    def __call__(self) -> None:
        S()

    def __enter__(self) -> None:
        S()

    def __exit__(self, *_: object) -> bool:
        S()
        return True

    def __str__(self) -> str:
        S()
        return ""

    def __class_getitem__(cls, _item: object) -> None:
        S()

    @property
    def value(self) -> int:
        S()
        return 1

    @staticmethod
    def static() -> None:
        S()

    @classmethod
    def of_class(cls) -> None:
        S()


def operators() -> None:
    it = Everything()
    _ = it.other, it[0], it == it, it < it, it + 1, it.value, [*it], {it: 1}, f"{it}"
    it()
    it.static()
    it.of_class()
    _ = Everything[0]  # type: ignore[misc]
    with it:
        raise KeyError
    if it and it:
        S()

    class Inner(Everything):
        def method(self) -> None:
            def nested() -> None:
                (lambda: S())()

            nested()

    Inner().method()
    del it
    cycle: list[Any] = [Everything()]
    cycle.append(cycle)
    del cycle
    gc.collect()


class Asynchronous:
    async def __aenter__(self) -> None:
        S()

    async def __aexit__(self, *_: object) -> None:
        S()

    def __await__(self) -> Generator[None, None, None]:
        S()
        yield


async def asynchronous_generator() -> AsyncGenerator[int, None]:
    S()
    yield 1
    S()
    yield 2


async def nested_coroutine(depth: int) -> None:
    if depth:
        await nested_coroutine(depth - 1)
        return
    S()
    await asyncio.sleep(0)
    S()


async def coroutines() -> None:
    async with Asynchronous():
        S()
    await Asynchronous()
    async for _ in asynchronous_generator():
        S()
    [S() async for _ in asynchronous_generator()]
    await asyncio.gather(nested_coroutine(1), nested_coroutine(7))
    asyncio.get_running_loop().call_soon(S)
    await asyncio.sleep(0)
    stopped = asynchronous_generator()
    await stopped.__anext__()
    await stopped.aclose()


def recursion(depth: int) -> None:
    if depth == 0:
        S()
    else:
        recursion(depth - 1)


def recursion_through_c(depth: int) -> None:
    if depth == 0:
        S()
    else:
        next(map(recursion_through_c, [depth - 1]))


def compiled(source: str, filename: str) -> dict[str, Any]:
    names: dict[str, Any] = {"S": S}
    exec(compile(source, filename, "exec"), names)
    return names


far = compiled(
    "\n" * 300
    + "def far():\n"
    + "".join(f"    a{i} = {i}\n" for i in range(2500))
    + "    S()\n"
    + "\n" * 70_000
    + "    S()\n",
    "<far é>",
)["far"]
long_function = compiled(
    "def long(n):\n  if n == 0:\n   S()\n  else:\n" + "   n += 1\n" * 70_000 + "   S()\n", "<long>"
)["long"]
backwards = compiled(
    "def back():\n" + "\n" * 300 + "  for x in (S(), S(),\n\n\n\n    S()): (S(\n),\n  S())\n",
    "back",
)["back"]
named = compiled(
    "def 関数_ü(ß):\n S()\nclass Ω:\n  def ñ(self): 関数_ü(1)\n"
    "  class 𝔘: m = staticmethod(lambda: S())\n",
    "/nowhere/ünï/日本😀.py",
)
long_names = [
    compiled(f"def {letter * 300}():\n S()\n", "/tail" + letter * 1000 + "/end.py")[letter * 300]
    for letter in ("a", "é", "本", "𐐨")
]
lone = compiled("def lone(): S()\n", "/raw\udcff\udc80/x.py")["lone"]
exact = [compiled("def f(): S()\n", "x" * n)["f"] for n in (0, 1, 254, 255, 256, 271, 272, 273)]


def everything() -> None:
    tries()
    comprehensions()
    callbacks()
    wrapped()
    operators()
    asyncio.run(coroutines())
    far()
    backwards()
    named["Ω"]().ñ()
    named["Ω"].𝔘.m()
    for function in [*long_names, *exact, lone]:
        function()
    recursion(50)
    recursion_through_c(20)


def in_threads(function: Callable[[], None]) -> None:
    threads = [threading.Thread(target=function) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def traced(frame: FrameType, _event: str, _argument: object) -> Any:
    if frame.f_code.co_filename == __file__ and frame.f_code in (
        tries.__code__,
        generator.__code__,
    ):
        S()
    return traced


def monitored() -> None:
    """3.12+: what a coverage tool or a debugger does to the bytecode."""
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None:
        return
    events = monitoring.events
    monitoring.use_tool_id(1, "cases")
    monitoring.set_events(1, events.LINE | events.CALL | events.INSTRUCTION | events.PY_START)
    monitoring.register_callback(1, events.CALL, lambda *_: None)
    tries()
    operators()
    monitoring.set_events(1, 0)
    monitoring.free_tool_id(1)


def compare_all(scale: int) -> None:
    global most
    sys.setrecursionlimit(3000)
    for _ in range(scale):
        everything()
    recursion(RECURSION)
    recursion_through_c(RECURSION // 5)
    long_function(0)
    long_function(1)
    in_threads(everything)
    sys.settrace(traced)
    tries()
    comprehensions()
    sys.settrace(None)
    sys.setprofile(lambda *_: None)
    tries()
    operators()
    sys.setprofile(None)
    monitored()
    for limit in (1, 2, 3, 5, 17, 128):
        most = limit
        recursion(RECURSION)
        recursion_through_c(30)
        everything()
    S()
    report = {"differences": differences[:20], "different": len(differences), **counts}
    print(json.dumps(report))


def at_depth(depth: int, function: Callable[[], Any]) -> Any:
    return function() if depth == 0 else at_depth(depth - 1, function)


def fuzz(rounds: int) -> None:
    def spoil() -> int:
        state = ctypes.c_size_t(library.walk_thread_state())
        bad: int = library.walk_fuzz(state, ctypes.c_uint64(rounds), ctypes.c_long(rounds))
        return bad

    waits = compiled("def wait(self, spoil): return spoil()\n", "/lib/threading.py")["wait"]
    result = compiled(
        "def result(self, spoil): return spoil()\n", "/lib/concurrent/futures/_base.py"
    )["result"]

    async def wait() -> int:
        future = asyncio.run_coroutine_threadsafe(nested_coroutine(1), asyncio.get_running_loop())
        known: int = result(future, spoil)
        await asyncio.sleep(0)
        known += result(future, spoil)
        return known

    rounds //= 4
    bad = at_depth(30, lambda: next(map(lambda _: spoil(), [0])))
    bad += waits(threading.Event(), spoil)
    print(json.dumps({"bad": bad + asyncio.run(wait())}))


def instants(wanted: int) -> None:
    """Captures from a signal handler, whatever the interpreter is at just then."""
    frames = ctypes.c_long()
    state = ctypes.c_size_t(library.walk_thread_state())
    assert library.walk_instants_start(state, ctypes.c_long(INSTANT_NS)) == 0
    while library.walk_instants_captures() < wanted:
        everything()
        recursion(RECURSION)
    captures = library.walk_instants_captures()
    bad = library.walk_instants_stop(ctypes.byref(frames))
    print(json.dumps({"bad": bad, "captures": captures, "frames": frames.value}))


def race(scale: int) -> None:
    captures = ctypes.c_long()
    assert library.walk_race_start(ctypes.c_size_t(library.walk_thread_state())) == 0
    for _ in range(scale):
        everything()
    recursion(RECURSION)
    bad = library.walk_race_stop(ctypes.byref(captures))
    print(json.dumps({"bad": bad, "captures": captures.value}))


if __name__ == "__main__":
    scale = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    what = {
        "compare": compare_all,
        "fuzz": fuzz,
        "instants": instants,
        "race": race,
    }
    # On a thread of threading's, so that there is a name to be found.
    thread = threading.Thread(target=what[sys.argv[2]], args=(scale,))
    thread.start()
    thread.join()
