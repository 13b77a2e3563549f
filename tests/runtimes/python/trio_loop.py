# SPDX-License-Identifier: Apache-2.0
"""A server on trio, which parks in epoll_wait. PARK: epoll."""

import subprocess

import trio
import waits


async def receive():
    async with await trio.open_tcp_stream("127.0.0.1", waits.PORT) as stream:
        await stream.send_all(b"GET / HTTP/1.0\r\n\r\n")
        async for _ in stream:
            pass


async def look_up():
    await trio.socket.getaddrinfo("localhost", 80)


async def run():
    await trio.run_process(waits.CHILD, stdin=subprocess.DEVNULL)


async def sleep():
    await trio.sleep(waits.SECONDS)


PROPERLY = {"sleep": sleep, "receive": receive, "look_up": look_up, "run": run}


async def work(kind):
    if not waits.RIGHT:
        getattr(waits, kind)()
    elif kind in PROPERLY:
        await PROPERLY[kind]()
    else:
        await trio.to_thread.run_sync(getattr(waits, kind))


async def serve():
    async def handle(stream):
        async for line in lines(stream):
            if line[0] == "stop":
                nursery.cancel_scope.cancel()
            elif line[0] == "work":
                await work(line[1])
            await stream.send_all(b"pong\n" if line[0] == "ping" else b"done\n")

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        print(listener.socket.getsockname()[1], flush=True)
        await trio.serve_listeners(handle, [listener])


async def lines(stream):
    text = b""
    async for piece in stream:
        *whole, text = (text + piece).split(b"\n")
        for line in whole:
            yield line.decode().split()


if __name__ == "__main__":
    waits.start_holding()
    trio.run(serve)
