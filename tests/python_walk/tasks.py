# SPDX-License-Identifier: Apache-2.0
"""The running asyncio task, compared with what asyncio says: tasks.py MODULE. Prints JSON.

Run by tests/e2e/test_python_walk.py under each interpreter.
"""
# ruff: noqa: D101, D103

import asyncio
import ctypes
import json
import sys

library = ctypes.PyDLL(sys.argv[1])
assert library.walk_find() == 0
POINTED_AT = sys.version_info >= (3, 14)  # PyThreadState has the task: no event loop is needed

differences = []
counts = {"with": 0, "without": 0}


def ask():
    text = ctypes.create_string_buffer(2000)
    found = library.walk_task(text, ctypes.c_size_t(len(text)))
    return tuple(text.value.decode().split("\037")) if found == 1 else found


def T(expected="asyncio"):
    """Asks both; `expected` is the name and the coroutine, or 0 for none."""
    found = ask()
    if expected == "asyncio":
        task = asyncio.current_task()
        expected = (task.get_name(), task.get_coro().__qualname__)
    counts["with" if expected else "without"] += 1
    if found != expected:
        differences.append(f"{found} is not {expected}, line {sys._getframe(1).f_lineno}")


async def named():
    T()
    await asyncio.sleep(0)
    T()
    await asyncio.sleep(0.001)
    T()


async def nested(depth):
    if depth:
        await nested(depth - 1)
    T()


class Derived(asyncio.Task):
    pass


class Awaitable:
    def __await__(self):
        T()
        yield
        T()


async def renamed():
    task = asyncio.current_task()
    for name in ("ünï ß", "日本😀", "", "x" * 200):
        task.set_name(name)
        T((name, "renamed"))
    task.set_name("x" * 300)
    T(("x" * 255, "renamed"))


async def generates():
    T()
    yield 1
    T()


async def is_cancelled():
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        T()


async def in_thread():
    T()
    await asyncio.get_event_loop().run_in_executor(None, T, 0)
    await asyncio.sleep(0)
    T()


async def callbacks():
    loop = asyncio.get_event_loop()
    ended = loop.create_future()
    loop.call_soon(T, 0)
    loop.call_later(0.001, T, 0)
    loop.call_later(0.002, ended.set_result, None)
    task = loop.create_task(named())
    task.add_done_callback(lambda _: T(0))
    await ended
    await task


async def eager():
    """3.12: such a task runs at once, inside the step of the one that makes it."""

    async def inner():
        T(("inner", "eager.<locals>.inner") if POINTED_AT else 0)
        await asyncio.sleep(0)
        T(("inner", "eager.<locals>.inner"))

    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    task = loop.create_task(inner(), name="inner")
    loop.set_task_factory(None)
    T()
    await task
    T()


async def in_python():
    """A task that is not C's is left out."""

    async def inner():
        T(0)

    await asyncio.tasks._PyTask(inner(), loop=asyncio.get_event_loop())


async def main():
    loop = asyncio.get_event_loop()
    T()
    await asyncio.gather(*(loop.create_task(named()) for _ in range(30)))
    await loop.create_task(nested(20), name="deep")
    await Derived(nested(1), loop=loop, name="derived")
    await Awaitable()
    await loop.create_task(renamed())
    async for _ in generates():
        T()
    task = loop.create_task(is_cancelled())
    await asyncio.sleep(0)
    task.cancel()
    await task
    await in_thread()
    await callbacks()
    await in_python()
    if hasattr(asyncio, "eager_task_factory"):
        await eager()
    asyncio.current_task().set_name("main again")
    T(("main again", "main"))


class OwnHandle(asyncio.Handle):
    def _run(self):
        self._context.run(self._callback, *self._args)


class OwnLoop(asyncio.SelectorEventLoop):
    """Its handles are not asyncio's, as uvloop's are not: the task is on the C stack alone."""

    def _call_soon(self, callback, args, context):
        handle = OwnHandle(callback, args, self, context)
        self._ready.append(handle)
        return handle


async def under_own_loop():
    T()
    await asyncio.gather(*(asyncio.ensure_future(named()) for _ in range(30)))
    await asyncio.get_event_loop().create_task(nested(20), name="deep")
    await Derived(nested(1), loop=asyncio.get_event_loop(), name="derived")
    await Awaitable()
    async for _ in generates():
        T()
    asyncio.get_event_loop().call_soon(T, 0)
    await asyncio.sleep(0)
    await in_python()
    list(T() for _ in range(1))


def run_own_loop():
    loop = OwnLoop()
    loop.run_until_complete(under_own_loop())
    loop.close()


T(0)
asyncio.run(main())
T(0)
run_own_loop()
T(0)
print(json.dumps({"differences": differences, **counts}))
