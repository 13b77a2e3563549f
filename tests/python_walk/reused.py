# SPDX-License-Identifier: Apache-2.0
"""Code objects that are freed, and others made where they were: reused.py MODULE. Prints JSON.

All that can be told of a code object but its texts is the same each time: its address, those of its
names and its line table, their lengths, its first line. Each stack is compared with what was
written. Run by tests/e2e/test_python_walk.py under each interpreter.
"""
# ruff: noqa: D103

import ctypes
import gc
import json
import sys

library = ctypes.PyDLL(sys.argv[1])
assert library.walk_find() == 0
text = ctypes.create_string_buffer(100_000)
loops = ctypes.c_int()
MOST = 3
ROUNDS = 300


def capture():
    """The two innermost frames that are not of this file, as (file, function, line)."""
    got = library.walk_capture(MOST, text, len(text), ctypes.byref(loops))
    frames = [tuple(line.split("\037")) for line in text.value.decode().split("\n")[:got]]
    return [frame for frame in frames if frame[0] != __file__]


def make(number):
    """A function that calls another, on a line that depends on the number, as do the names."""
    file, inner, outer = f"/srv/{number:04}.py", f"inner_{number:04}", f"outer_{number:04}"
    blank = "\n" * (number % 7)
    rest = "\n" * (7 - number % 7)
    source = (
        f"def {inner}(capture):\n  pass\n{blank}  return capture()\n{rest}\n"
        f"def {outer}(capture):\n  pass\n{blank}  return {inner}(capture)\n{rest}\n"
    )
    names = {}
    exec(compile(source, file, "exec"), names)
    want = [(file, inner, str(3 + number % 7)), (file, outer, str(14 + number % 7))]
    return names[outer], id(names[inner].__code__), want


def main():
    differences = []
    places = {}
    for number in range(ROUNDS):
        function, place, want = make(number)
        places[place] = places.get(place, 0) + 1
        found = function(capture)
        if found[:2] != want:
            differences.append(f"{found} is not {want}")
        function.__globals__.clear()
        del function
        gc.collect()
    reused = sum(count - 1 for count in places.values())
    print(json.dumps({"differences": differences[:5], "reused": reused, "rounds": ROUNDS}))


main()
