# SPDX-License-Identifier: Apache-2.0
"""The names of threads, compared with what threading says: threads.py MODULE. Prints JSON.

Run by tests/e2e/test_python_walk.py under each interpreter.
"""
# ruff: noqa: D101, D103, D107

import _thread
import ctypes
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

library = ctypes.PyDLL(sys.argv[1])
assert library.walk_find() == 0

LONGEST = 63  # bytes
UNKNOWN = "?"
differences = []
names = []


def ask():
    text = ctypes.create_string_buffer(200)
    found = library.walk_thread_name(text, ctypes.c_size_t(len(text)))
    return text.value.decode() if found == 0 else found


def check(expected=None):
    """Asks both; `expected` is what the library is to say where that is not threading's name."""
    expected = threading.current_thread().name if expected is None else expected
    found = ask()
    names.append(found)
    if found != expected:
        differences.append(f"{found!r} is not {expected!r}, line {sys._getframe(1).f_lineno}")


def run(thread):
    thread.start()
    thread.join()


def deep(levels):
    if levels:
        deep(levels - 1)
    else:
        check()


def with_generators(levels):
    if levels:
        yield from with_generators(levels - 1)
    else:
        check()
        yield


def renamed():
    for name in ("ünï ß", "日本😀", "x" * LONGEST):
        threading.current_thread().name = name
        check()
    threading.current_thread().name = "日" * 30
    check("日" * (LONGEST // 3))
    threading.current_thread().name = "y" * 300
    check("y" * LONGEST)


class Derived(threading.Thread):
    def __init__(self):
        super().__init__(name="derived")
        self.more = 1

    def run(self):
        check()


class Crowded(Derived):
    """More attributes than a class shares the names of."""

    def __init__(self):
        super().__init__()
        for i in range(60):
            setattr(self, f"attribute_{i}", i)


class WithSlots(Derived):
    __slots__ = ("slot",)


class Mixed(dict, Derived):
    __hash__ = Derived.__hash__

    def __init__(self):
        Derived.__init__(self)


class NotAThread:
    """Has such a method, and a name that is no str."""

    def __init__(self):
        self._name = 4
        self.ended = threading.Lock()
        self.ended.acquire()

    def _bootstrap(self):
        check(UNKNOWN)
        self.ended.release()


def run_without_threading(thread, ended):
    """On a thread that threading did not start, with one of its objects for the first local."""
    check(UNKNOWN)
    ended.release()


def with_a_dict():
    """Its attributes are asked for as a dict: they move."""
    vars(threading.current_thread())["more"] = 1
    check()
    vars(threading.current_thread())[3] = "keys are no longer all str"
    check()


check(UNKNOWN)
run(threading.Thread(target=check))
run(threading.Thread(target=check, name="scorer"))
run(threading.Thread(target=deep, args=(300,), name="deep"))
run(threading.Thread(target=lambda: list(with_generators(100)), name="generators"))
run(threading.Thread(target=renamed))
run(threading.Thread(target=with_a_dict, name="with a dict"))
for kind in (Derived, Crowded, WithSlots, Mixed):
    run(kind())
with ThreadPoolExecutor(1) as pool:
    pool.submit(check).result()
ended = threading.Lock()
ended.acquire()
_thread.start_new_thread(run_without_threading, (Derived(), ended))
ended.acquire()
other = NotAThread()
_thread.start_new_thread(other._bootstrap, ())
other.ended.acquire()
print(json.dumps({"differences": differences, "names": names}))
