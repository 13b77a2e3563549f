# SPDX-License-Identifier: Apache-2.0
"""What a capture costs in the middle of a task whose stack is of many modules: cost.py MODULE.

Some 34 Python frames, as a request of a web application has: of asyncio, coroutines, unittest,
contextlib, json, re and logging. Prints JSON. Run by tests/bench/python_walk.py.
"""
# ruff: noqa: D101, D102, D103, RUF012

import asyncio
import contextlib
import ctypes
import io
import json
import logging
import re
import sys
import unittest

AWAITING = 3  # coroutines that await one another


class Costs(ctypes.Structure):
    _fields_ = [
        ("first_us", ctypes.c_double),
        ("least_us", ctypes.c_double),
        ("median_us", ctypes.c_double),
        ("asked", ctypes.c_long),
        ("pieces", ctypes.c_long),
    ]


library = ctypes.PyDLL(sys.argv[1])
assert library.walk_find() == 0
told = {}


class Measuring(logging.Handler):
    def emit(self, _record):
        costs = Costs()
        told["frames"] = library.walk_costs(ctypes.byref(costs))
        for name, _ in Costs._fields_:
            told[name] = getattr(costs, name)


log = logging.getLogger("cost")
log.addHandler(Measuring())


def replaced(_match):
    log.warning("measured here")
    return "b"


class Encoder(json.JSONEncoder):
    def default(self, _thing):
        return re.sub("a", replaced, "a")


class Test(unittest.TestCase):
    def test_it(self):
        with contextlib.ExitStack() as stack:
            stack.callback(lambda: json.dumps([{"key": object()}], cls=Encoder, indent=1))


async def deep(awaiting):
    if awaiting:
        return await deep(awaiting - 1)
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(Test)
    return unittest.TextTestRunner(stream=io.StringIO()).run(tests)


async def main():
    await asyncio.get_running_loop().create_task(deep(AWAITING))


asyncio.run(main())
print(json.dumps(told))
