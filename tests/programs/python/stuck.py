# SPDX-License-Identifier: Apache-2.0
"""A coroutine that waits for ever in socket.recv."""

import asyncio
import socket

ours, theirs = socket.socketpair()


async def main():
    await asyncio.sleep(0)
    print("stuck", flush=True)
    ours.recv(1)


asyncio.run(main())
