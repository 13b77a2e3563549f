# SPDX-License-Identifier: Apache-2.0
"""trio as the guest of a host loop that is a queue: trio's own threads wait for its events.

trio_guest.py wrong|right SECONDS     sleeps in a task, or in a thread as it should
"""

import queue
import sys
import time

import trio

SECONDS = float(sys.argv[2])
calls = queue.SimpleQueue()
outcomes = []


def blocking_sleep():
    time.sleep(SECONDS)  # waits


async def main():
    for _ in range(3):
        await trio.sleep(0.05)
    if sys.argv[1] == "wrong":
        blocking_sleep()
    else:
        await trio.to_thread.run_sync(blocking_sleep)
        await trio.sleep(SECONDS)
    await trio.sleep(0.05)


trio.lowlevel.start_guest_run(
    main, run_sync_soon_threadsafe=calls.put, done_callback=outcomes.append
)
while not outcomes:
    calls.get()()
outcomes[0].unwrap()
time.sleep(SECONDS)  # the guest has left: this is the host's own
