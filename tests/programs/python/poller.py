# SPDX-License-Identifier: Apache-2.0
"""A library's own loop in a Python program.

poller.py LIBRARY here     on the main thread, without a handler; then sleeps, having left it
poller.py LIBRARY thread   on a thread of the library's, without a handler
poller.py LIBRARY handler  on the main thread, with one that sleeps; then as above
poller.py LIBRARY handler-in-thread
"""

import ctypes
import sys
import time

HANDLER = ctypes.CFUNCTYPE(None)
library = ctypes.CDLL(sys.argv[1])
way = sys.argv[2]


def handles():
    time.sleep(0.2)


def leaves():
    time.sleep(0.2)


handler = HANDLER(handles) if way.startswith("handler") else HANDLER()
(library.run_loop_in_thread if way.endswith("thread") else library.run_loop)(handler)
leaves()
