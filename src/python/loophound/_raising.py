# SPDX-License-Identifier: Apache-2.0
"""BlockingError at the line that blocked: only while somebody asks for it.

A hook is called when a function of C returns, and compares the library's count of the thread's
reports. That is exact for what such a function did; what blocks without one (`for line in file`)
is told at the end. A pending call would be raised elsewhere, or in another thread. Up to Python
3.11 the hook is sys.setprofile, of the threads that begin meanwhile too, from 3.12 on it is
sys.monitoring, which has all threads.
"""

from __future__ import annotations

import sys
import threading
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, ClassVar

from loophound._hub import hub
from loophound._library import library

if TYPE_CHECKING:
    from loophound._report import Report

_MONITORING: Any = getattr(sys, "monitoring", None)
_TOOL_IDS = (3, 4)  # those that sys.monitoring has for nobody
_latest = threading.local()


class _Rearm:
    """CPython takes a profile hook away that has raised. Its error has this, and when somebody has
    swallowed that, and it goes, the hook is put back."""

    def __init__(self, raiser: Raiser) -> None:
        self._raiser = raiser
        self._thread = threading.get_ident()

    def __del__(self) -> None:
        raiser = self._raiser
        if self._thread == threading.get_ident() and raiser in Raiser._armed[-1:]:
            sys.setprofile(raiser._profile)


class Raiser:
    """Context manager. One at a time is armed, the innermost."""

    _armed: ClassVar[list[Raiser]] = []

    def __init__(self, report: Report) -> None:
        self._report = report
        self._tool: int | None = None
        self._before: Any = None
        self._threads_before: Any = None
        self._told = 0

    def __enter__(self) -> Raiser:
        if library is None:
            return self
        if self._armed:
            self._armed[-1]._disarm()
        self._armed.append(self)
        self._arm()
        return self

    def __exit__(self, *_: object) -> None:
        if library is None:
            return
        self._disarm()
        self._armed.remove(self)
        if self._armed:
            self._armed[-1]._arm()

    def _arm(self) -> None:
        if _MONITORING is not None:
            self._tool = next((i for i in _TOOL_IDS if _MONITORING.get_tool(i) is None), None)
        if self._tool is not None:
            events = _MONITORING.events
            _MONITORING.use_tool_id(self._tool, "loophound")
            _MONITORING.register_callback(self._tool, events.CALL, self._on_call)
            _MONITORING.register_callback(self._tool, events.C_RETURN, self._on_return)
            _MONITORING.register_callback(self._tool, events.C_RAISE, self._on_return)
            _MONITORING.set_events(self._tool, events.CALL)
            return
        self._before = sys.getprofile()
        self._threads_before = getattr(threading, "_profile_hook", None)
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)

    def _disarm(self) -> None:
        if self._tool is not None:
            _MONITORING.set_events(self._tool, 0)
            _MONITORING.free_tool_id(self._tool)
            self._tool = None
            return
        sys.setprofile(self._before)
        threading.setprofile(self._threads_before)

    def _on_call(self, code: CodeType, offset: int, function: object, first: object) -> None:
        assert library is not None
        _latest.count = library.count()

    def _on_return(self, code: CodeType, offset: int, function: object, first: object) -> None:
        self._look(function)

    def _profile(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "c_call":
            assert library is not None
            _latest.count = library.count()
        elif event in ("c_return", "c_exception"):
            self._look(argument)

    def _look(self, function: object) -> None:
        assert library is not None
        count = library.count()
        if count == getattr(_latest, "count", count):
            return
        _latest.count = count
        self._raise(function)

    def _raise(self, function: object) -> None:
        """Judged as any other: what is allowed, or none of the scope's, does not raise."""
        from loophound._message import short
        from loophound._report import BlockingError

        events = self._report.events
        hub.begin_scope()  # the same place is told again, and raises again
        thread = threading.get_native_id()
        news = [event for event in events[self._told :] if event.raw.get("tid") == thread]
        self._told = len(events)
        if news:
            name = getattr(function, "__qualname__", None) or repr(function)
            text = f"{name}() {short(news[0], self._report.settings.project)}"
            error = BlockingError(text, news)
            if self._tool is None:
                error._rearm = _Rearm(self)  # type: ignore[attr-defined]
            try:
                raise error
            finally:
                del error  # its traceback has this frame: it would live on by itself
