# SPDX-License-Identifier: Apache-2.0
"""A server on gevent, whose greenlets switch the C stack. PARK: epoll, poll or select.

The same blocking functions, unpatched, block the loop; those that gevent patches do not, and the
others have its pool of threads.
"""

import sys

import gevent
from gevent import config, monkey

config.loop = "libev-cext"
config.libev_backend = sys.argv[1]
if sys.argv[2] == "right":
    # Not threads: a lock that a true thread holds is waited for in the pool.
    monkey.patch_all(thread=False)

import waits  # noqa: E402
from gevent.server import StreamServer  # noqa: E402

PATCHED = {"sleep", "receive", "look_up", "run"}


def work(kind):
    if waits.RIGHT and kind not in PATCHED:
        gevent.get_hub().threadpool.apply(getattr(waits, kind))
    else:
        getattr(waits, kind)()


def handle(connection, _):
    for text in connection.makefile("r"):
        line = text.split()
        if line[0] == "stop":
            server.close()
        elif line[0] == "work":
            work(line[1])
        connection.sendall(b"pong\n" if line[0] == "ping" else b"done\n")


if __name__ == "__main__":
    waits.start_holding()
    server = StreamServer(("127.0.0.1", 0), handle)
    server.start()
    print(server.server_port, flush=True)
    server.serve_forever()
