# SPDX-License-Identifier: Apache-2.0
"""loophound.asgi.Middleware: reports say which request was running.

    app.add_middleware(loophound.asgi.Middleware)     # FastAPI, Starlette
    app = loophound.asgi.Middleware(app)              # any ASGI application

Labels are a thread's, and many requests share one: they are set before each step of a request's
coroutine, and taken back after it. What a request runs in tasks of its own is not labelled. Where
the library is not preloaded the application is called as it is.
"""

from __future__ import annotations

from typing import Any, Awaitable, Callable, Dict, MutableMapping

from loophound._library import library
from loophound._steps import Steps

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]
_VALUE_BYTES = 127
_TRACE = b"traceparent"
_set: Callable[[bytes | None], object] = library.labels if library is not None else id


class _Labels:
    """What a request is labelled with, as loophound_labels() wants it, encoded once. The library
    reads `pairs` where it is, so it is set by this object, which outlives the request."""

    __slots__ = ("_rest", "pairs")

    def __init__(self, scope: Scope, wanted: frozenset[bytes]) -> None:
        self._rest = b""
        for name, value in scope["headers"]:
            if name in wanted:
                self._rest += b"%b\0%b\0" % (name, value[:_VALUE_BYTES])
        self.note(scope, scope["path"])

    def note(self, scope: Scope, path: str) -> None:
        """GET /items/{id}; a WebSocket has no method."""
        request = f"{scope.get('method', 'WEBSOCKET')} {path}".encode("utf-8", "replace")
        self.pairs = b"request\0%b\0%b" % (request[:_VALUE_BYTES], self._rest)

    def set(self) -> None:
        _set(self.pairs)

    def take_back(self) -> None:
        _set(None)


class _Scope(Dict[str, Any]):
    """A scope that takes note of the route, which routers add to it once they know."""

    labels: _Labels

    def update(self, *others: Any, **named: Any) -> None:
        super().update(*others, **named)
        path = getattr(self.get("route"), "path", None)
        if path:
            before = self.labels.pairs  # which the library has until the new one is set
            self.labels.note(self, path)
            self.labels.set()
            del before


class Middleware:
    """Labels the reports of each HTTP and WebSocket request: `request`, its method and route (its
    path until the router has found that); the header `request_id_header`, and W3C's traceparent.
    """

    def __init__(self, app: Application, request_id_header: str = "x-request-id") -> None:
        self.app = app
        self._wanted = frozenset((request_id_header.lower().encode("latin-1"), _TRACE))

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if library is None or scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        labels = _Labels(scope, self._wanted)
        noted = _Scope(scope)
        noted.labels = labels
        steps: Any = self.app(noted, receive, send)
        await Steps(steps, labels.set, labels.take_back)
