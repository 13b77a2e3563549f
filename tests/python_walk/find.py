# SPDX-License-Identifier: Apache-2.0
"""What the library finds of this interpreter, any Python 3: find.py MODULE. Prints JSON."""

import ctypes
import json
import sys

library = ctypes.PyDLL(sys.argv[1])
library.walk_problem.restype = ctypes.c_char_p
library.walk_thread_state.restype = ctypes.c_size_t


def is_runtime_lock(address: int) -> int:
    answer: int = library.walk_is_runtime_lock(ctypes.c_size_t(address))
    return answer


runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
before = is_runtime_lock(runtime)
found = library.walk_find()
problem = library.walk_problem()
report = {
    "found": found,
    "again": library.walk_find(),
    "problem": problem.decode() if problem else None,
    "runtime_lock": [
        is_runtime_lock(at) for at in (runtime - 1, runtime, runtime + 100, runtime + (1 << 30))
    ],
    "runtime_lock_before": before,
    "thread_state": library.walk_thread_state() != 0,
}
print(json.dumps(report))
