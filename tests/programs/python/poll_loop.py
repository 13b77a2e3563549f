# SPDX-License-Identifier: Apache-2.0
"""asyncio on the selectors that are not epoll, and what is no event loop at all.

poll_loop.py PollSelector|SelectSelector sleep|communicate|nothing   in a coroutine
poll_loop.py PollSelector|SelectSelector synchronous                 no loop, in two threads
"""

import asyncio
import http.client
import http.server
import multiprocessing
import selectors
import socket
import subprocess
import sys
import threading
import time

SECONDS = 0.2
# Much on both pipes, one after the other: subprocess.communicate() polls them, many times.
TALKER = "import os, time; [os.write(fd, b'x' * 9) and time.sleep(0.004) for fd in (1, 2) * 10]"


def nothing():
    pass


def sleep():
    time.sleep(SECONDS)


def communicate():
    talker = [sys.executable, "-S", "-E", "-c", TALKER]
    subprocess.run(talker, capture_output=True, check=True, env={})


async def main(function):
    reader, writer = await asyncio.open_connection(sock=ours)
    for byte in (b"a", b"b", b"c"):
        theirs.send(byte)
        await reader.read(1)
        await asyncio.sleep(0.001)
    function()
    await asyncio.sleep(0.001)
    writer.close()


class Hello(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


def ask_and_wait(port):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(40):
        client.request("GET", "/")
        client.getresponse().read()
    client.close()
    there, back = multiprocessing.Pipe()
    for _ in range(10):
        there.send(b"x")
        back.poll(1)
        back.recv()
    communicate()
    sleep()


def synchronous():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    thread = threading.Thread(target=ask_and_wait, args=(server.server_port,))
    thread.start()
    ask_and_wait(server.server_port)
    thread.join()
    server.shutdown()


if __name__ == "__main__":
    selector = getattr(selectors, sys.argv[1])
    if sys.argv[2] == "synchronous":
        selectors.DefaultSelector = selector
        synchronous()
    else:
        ours, theirs = socket.socketpair()
        subprocess._PopenSelector = selectors.PollSelector
        loop = asyncio.SelectorEventLoop(selector())
        loop.run_until_complete(main(globals()[sys.argv[2]]))
        loop.close()
        sleep()  # no loop any more
