# SPDX-License-Identifier: Apache-2.0
"""on_event(): each report of this process, as it comes, in a thread of the package's own."""

from __future__ import annotations

import queue
import sys
import threading
from typing import Callable

from loophound._allow import allow
from loophound._events import Event
from loophound._hub import hub

LOOK_S = 0.1


class Subscription:
    """close() ends it: the callback is not called any more once that has returned, unless it is
    the callback itself that closes. Also a context manager."""

    def __init__(self, callback: Callable[[Event], object]) -> None:
        self._callback = callback
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loophound-events", daemon=True)

    def start(self) -> Subscription:
        hub.begin_scope()  # a place that strict mode has told before is told again
        hub.drain(everything=True)  # what was before is not told
        hub.listen(self._events.put)
        self._thread.start()
        return self

    def _run(self) -> None:
        while not self._closed.wait(LOOK_S):
            hub.drain(everything=True)
            self._call()

    def _call(self) -> None:
        while not self._closed.is_set():
            try:
                event = self._events.get_nowait()
            except queue.Empty:
                return
            try:
                if event is not None:
                    self._callback(event)
            except Exception:
                sys.excepthook(*sys.exc_info())

    def close(self) -> None:
        hub.forget(self._events.put)
        self._closed.set()
        if self._thread is threading.current_thread():
            return
        with allow("the thread of on_event() ends at once"):
            self._thread.join()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def on_event(callback: Callable[[Event], object]) -> Subscription:
    """Calls `callback(event)` for each block, stall and call in flight of this process from now
    on, at most a tenth of a second after it was told, in a thread that is no loop's. What it raises
    goes to sys.excepthook. RuntimeError: no events can be had here, and why."""
    reason = hub.why_silent()
    if reason is not None:
        raise RuntimeError(f"loophound has no events for on_event(): {reason}")
    return Subscription(callback).start()
