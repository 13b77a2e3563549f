# SPDX-License-Identifier: Apache-2.0
"""Libraries with threads that wait for events beside asyncio's loop, or without one.

    pollers.py grpc|grpc-aio|watchfiles right|wrong SECONDS

right: what takes SECONDS runs in a thread of a pool, or is awaited; wrong: it blocks asyncio's
loop. grpc without asyncio has no loop, so nothing is wrong there.
"""

import asyncio
import sys
import tempfile
import time
from concurrent import futures
from pathlib import Path

WAY, SECONDS = sys.argv[2], float(sys.argv[3])


def blocking_sleep():
    time.sleep(SECONDS)  # waits


async def take_long():
    if WAY == "wrong":
        blocking_sleep()
    else:
        await asyncio.sleep(SECONDS)


def echo_in_thread(request, context):
    blocking_sleep()
    return request


async def echo(request, context):
    await take_long()
    return request


def service(function):
    import grpc

    class Service(grpc.GenericRpcHandler):
        def service(self, details):
            return grpc.unary_unary_rpc_method_handler(function)

    return (Service(),)


def run_grpc():
    import grpc

    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(service(echo_in_thread))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary("/a/echo")
        assert call(b"1") == b"1"
        asked = [call.future(b"2") for _ in range(3)]
        assert [one.result() for one in asked] == [b"2"] * 3
    server.stop(None).wait()


async def run_grpc_aio():
    import grpc

    server = grpc.aio.server()
    server.add_generic_rpc_handlers(service(echo))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert await channel.unary_unary("/a/echo")(b"1") == b"1"
    await server.stop(None)


async def run_watchfiles():
    import watchfiles

    with tempfile.TemporaryDirectory() as directory:

        async def write_after_a_while():
            await take_long()
            (Path(directory) / "file").write_text("changed")

        writer = asyncio.create_task(write_after_a_while())
        async for _ in watchfiles.awatch(directory, step=50):
            break
        await writer


LIBRARIES = {"grpc-aio": run_grpc_aio, "watchfiles": run_watchfiles}

if sys.argv[1] == "grpc":
    run_grpc()
else:
    asyncio.run(LIBRARIES[sys.argv[1]]())
