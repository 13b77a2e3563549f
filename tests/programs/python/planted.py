# SPDX-License-Identifier: Apache-2.0
"""Mistakes in coroutines, each of which could wait, and beside each how it is done without.

    planted.py faults|clean DIRECTORY [NAME ...]
    planted.py names

Each case runs in a loop of its own, marked as the test of its name; what it needs is made before,
outside of the loop. DIRECTORY is on a disk. A line of input is wanted for each case.
"""

import asyncio
import ctypes
import sys
import tempfile

import planted_files
import planted_network
import planted_processes
import planted_threads
from planted_cases import CASES, Scene

# In the order of the table, so that a linter sees that each is used.
MODULES = (planted_files, planted_network, planted_processes, planted_threads)


async def blocks(case, at):
    await asyncio.sleep(0)
    case.blocks(at)
    await asyncio.sleep(0)


async def is_clean(case, at):
    await asyncio.sleep(0)
    await case.clean(at)
    await asyncio.sleep(0)


def main():
    run = {"faults": blocks, "clean": is_clean}[sys.argv[1]]
    library = ctypes.CDLL(None)
    for name in sys.argv[3:] or CASES:
        with tempfile.TemporaryDirectory(dir=sys.argv[2]) as directory, Scene(directory) as at:
            case = CASES[name]
            at.made = case.prepare(at)
            library.loophound_mark(name.encode())
            asyncio.run(run(case, at))
            library.loophound_mark(None)


if __name__ == "__main__":
    if sys.argv[1] == "names":
        print("\n".join(CASES))
    else:
        main()
