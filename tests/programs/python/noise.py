# SPDX-License-Identifier: Apache-2.0
"""Does, in a coroutine, what strict mode knows as noise of one class: noise.py CLASS DIRECTORY."""

import asyncio
import ctypes
import importlib.util
import logging
import mimetypes
import os
import sys
import threading
import time
import traceback
import types
from pathlib import Path

CLASS, DIRECTORY = sys.argv[1], Path(sys.argv[2])


def module_at(path: str) -> types.ModuleType:
    """A module with a function that looks at a file, in a file of this name."""
    file = DIRECTORY / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("import os\n\n\ndef look() -> None:\n    os.stat(__file__)\n")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tooling = module_at("_pytest/plugin.py")
test_code = module_at("tests/test_it.py")
handler = logging.FileHandler(DIRECTORY / "log", delay=False)


class Finalized:
    def __del__(self) -> None:
        os.stat(__file__)  # noqa: PTH116


def main_sleeps() -> bool:
    """Reads without giving the interpreter away."""
    libc = ctypes.PyDLL(None)
    text = ctypes.create_string_buffer(256)
    file = libc.open(f"/proc/self/task/{os.getpid()}/stat".encode(), os.O_RDONLY)
    libc.read(file, text, 255)
    libc.close(file)
    return b" S " in text.value


def wait_until_main_sleeps() -> None:
    """It has the interpreter until it begins to wait: then it is on its way to sleep."""
    while " S " not in Path(f"/proc/self/task/{os.getpid()}/stat").read_text():
        os.sched_yield()


def hold(lock: threading.Lock, held: threading.Event, wanted: threading.Event) -> None:
    with lock:
        held.set()
        wanted.wait()
        wait_until_main_sleeps()


class LateEvent(threading.Event):
    def set(self) -> None:
        wait_until_main_sleeps()
        super().set()


async def take_held_lock() -> None:
    lock, held, wanted = threading.Lock(), threading.Event(), threading.Event()
    await asyncio.to_thread(threading.Thread(target=hold, args=(lock, held, wanted)).start)
    await asyncio.to_thread(held.wait)
    wanted.set()
    with lock:
        pass


async def start_thread() -> None:
    thread = threading.Thread(target=int)
    thread._started = LateEvent()  # type: ignore[attr-defined]
    thread.start()


async def listen() -> None:
    (await asyncio.start_unix_server(print, DIRECTORY / "socket")).close()


def keep_interpreter(wanted: threading.Lock, is_kept: list[bool]) -> None:
    wanted.acquire()
    is_kept.append(True)
    for _ in range(100):  # it has no other way to sleep so often
        while not main_sleeps():
            pass


def wait_for_interpreter() -> None:
    wanted, is_kept = threading.Lock(), []
    with wanted:
        thread = threading.Thread(target=keep_interpreter, args=(wanted, is_kept), daemon=True)
        thread.start()
    while not is_kept:
        time.sleep(0)  # lets it have the interpreter


def look_beside_the_loop() -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(asyncio.sleep(0))
    os.stat(__file__)  # noqa: PTH116
    loop.close()


async def make_noise() -> None:
    sys.setswitchinterval(1000)  # nobody gets the interpreter but where its holder waits
    if CLASS == "import":
        import colorsys  # noqa: F401
    elif CLASS == "traceback":
        traceback.extract_stack()
    elif CLASS == "thread-start":
        await start_thread()
    elif CLASS == "lock-handoff":
        await take_held_lock()
    elif CLASS == "stdlib-once":
        mimetypes.init([__file__])
    elif CLASS == "tooling":
        tooling.look()
    elif CLASS == "test-code":
        test_code.look()
    elif CLASS == "logging":
        handler.emit(logging.makeLogRecord({"msg": "hello"}))
    elif CLASS == "memory-paths":
        os.stat("/proc/self")  # noqa: PTH116
    elif CLASS == "finalize":
        Finalized()
    elif CLASS == "loop-own":
        await listen()
    elif CLASS == "gil":
        wait_for_interpreter()
    elif CLASS != "not-in-loop":
        sys.exit(f"noise.py does not know how to make: {CLASS}")


if CLASS == "not-in-loop":
    look_beside_the_loop()
else:
    asyncio.run(make_noise())
