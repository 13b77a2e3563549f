# SPDX-License-Identifier: Apache-2.0
"""A server on asyncio. PARK: EpollSelector, PollSelector, SelectSelector, or uvloop."""

import asyncio
import selectors

import waits


async def receive():
    reader, writer = await asyncio.open_connection("127.0.0.1", waits.PORT)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    await reader.read()
    writer.close()


async def look_up():
    await asyncio.get_running_loop().getaddrinfo("localhost", 80)


async def run():
    child = await asyncio.create_subprocess_exec(*waits.CHILD)
    assert await child.wait() == 0


async def sleep():
    await asyncio.sleep(waits.SECONDS)


PROPERLY = {"sleep": sleep, "receive": receive, "look_up": look_up, "run": run}


async def work(kind):
    if not waits.RIGHT:
        getattr(waits, kind)()
    elif kind in PROPERLY:
        await PROPERLY[kind]()
    else:
        await asyncio.to_thread(getattr(waits, kind))


async def serve():
    stop = asyncio.Event()

    async def handle(reader, writer):
        while line := (await reader.readline()).decode().split():
            if line[0] == "stop":
                stop.set()
            elif line[0] == "work":
                await work(line[1])
            writer.write(b"pong\n" if line[0] == "ping" else b"done\n")
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stop.wait()


def new_loop():
    if waits.PARK == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.SelectorEventLoop(getattr(selectors, waits.PARK)())


if __name__ == "__main__":
    waits.start_holding()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve())
