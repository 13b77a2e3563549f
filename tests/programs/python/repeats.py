# SPDX-License-Identifier: Apache-2.0
"""One mistake four times, and another one once; its path is a long one for a terminal."""
# ruff: noqa: ASYNC251, D103

import asyncio
import time


def stands_for_a_function_with_a_long_name():
    time.sleep(0.11)  # and a comment that takes all of the rest of the line and more


async def main():
    for _ in range(4):
        stands_for_a_function_with_a_long_name()
        await asyncio.sleep(0)
    time.sleep(0.12)
    await asyncio.sleep(0)


asyncio.run(main())
