# SPDX-License-Identifier: Apache-2.0
"""children.py CASE: a coroutine that waits for a child that takes 300 ms."""

import asyncio
import os
import subprocess
import sys
import time

COMMAND = ["sleep", "0.3"]
SHELL = " ".join(COMMAND)


def fork() -> None:
    if os.fork() == 0:
        time.sleep(0.3)
        os._exit(0)


def any_of_two() -> None:
    fork()
    fork()
    os.wait()
    os.wait()


def any_child() -> None:
    fork()
    os.wait()


CASES = {
    "run": lambda: subprocess.run(COMMAND, check=True),
    "output": lambda: subprocess.run(COMMAND, check=True, stdout=subprocess.PIPE),
    "two_outputs": lambda: subprocess.run(COMMAND, check=True, capture_output=True),
    "system": lambda: os.system(SHELL),
    "any": any_child,
    "any_of_two": any_of_two,
}


async def main() -> None:
    await asyncio.sleep(0.01)
    CASES[sys.argv[1]]()


asyncio.run(main())
