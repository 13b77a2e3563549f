# SPDX-License-Identifier: Apache-2.0
"""An asyncio program that does nothing wrong: what may wait runs in threads and processes."""

import asyncio
import concurrent.futures
import sys
import threading
import time
import traceback


def work(n: int) -> int:
    return n + 1


async def use_pools() -> None:
    loop = asyncio.get_running_loop()
    assert await asyncio.to_thread(work, 1) == 2
    await asyncio.gather(*(loop.run_in_executor(None, time.sleep, 0.001) for _ in range(8)))
    threads = concurrent.futures.ThreadPoolExecutor(3)
    processes = concurrent.futures.ProcessPoolExecutor(2)
    for pool in (threads, processes):
        assert sum(await asyncio.gather(*(loop.run_in_executor(pool, work, 1) for _ in range(8))))
        pool.shutdown(wait=False)


async def run_children() -> None:
    child = await asyncio.create_subprocess_exec("true")
    assert await child.wait() == 0
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(1)", stdout=asyncio.subprocess.PIPE
    )
    assert (await child.communicate())[0] == b"1\n"


async def serve() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    assert await reader.read() == b""
    writer.close()
    server.close()


def keep_busy(lock: threading.Lock, stop: threading.Event) -> None:
    while not stop.is_set():
        with lock:
            pass


async def use_busy_lock() -> None:
    lock, stop = threading.Lock(), threading.Event()
    threads = [threading.Thread(target=keep_busy, args=(lock, stop)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        for _ in range(100):
            with lock:
                pass
        await asyncio.sleep(0)
    stop.set()
    for thread in threads:
        await asyncio.to_thread(thread.join)


async def main() -> None:
    await use_pools()
    await run_children()
    await serve()
    await use_busy_lock()
    try:
        work("")  # type: ignore[arg-type]
    except TypeError:
        traceback.format_exc()
    print("clean", flush=True)
    import statistics  # noqa: F401


if __name__ == "__main__":
    asyncio.run(main())
