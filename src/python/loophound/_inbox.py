# SPDX-License-Identifier: Apache-2.0
"""Where the reports of this process are read from: the JSON Lines that the library writes.

Only LOOPHOUND_OUTPUT that is a file of JSON Lines can be read back. pytest's plugin has a private
one for each process; `loophound run -o hits.jsonl` has one for all, of which the lines of other
processes are skipped.
"""

from __future__ import annotations

import json
import os
import socket
from typing import Any

from loophound._library import option

_AT_ONCE = 1 << 20


def _expand(path: str) -> str:
    exe = os.path.basename(os.path.realpath("/proc/self/exe"))
    kinds = {"p": str(os.getpid()), "h": socket.gethostname(), "e": exe, "%": "%"}
    out, rest = "", path
    while rest:
        before, percent, rest = rest.partition("%")
        out += before
        if percent:
            out += kinds.get(rest[:1], "%" + rest[:1])
            rest = rest[1:]
    return out


def inbox_path() -> str | None:
    """The file of JSON Lines that this process reports to; None: it reports elsewhere."""
    output = option("OUTPUT")
    if output in ("", "stderr") or output.startswith(("fd:", "unix:")):
        return None
    if option("FORMAT") != "json" and not output.endswith(".jsonl"):
        return None
    return os.path.abspath(_expand(output))


class Inbox:
    """Reads on from where it has read to. One thread at a time."""

    def __init__(self, path: str, pid: int | None = None) -> None:
        """Of this process, or of another one: `pid`."""
        self.path = path
        self._pid = os.getpid() if pid is None else pid
        self._fd = -1
        self._torn = b""
        self._frames: dict[str, dict[str, Any]] = {}
        self._stacks: dict[str, list[dict[str, Any]]] = {}

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def read(self) -> list[dict[str, Any]]:
        """The events of this process that were written since the last call, stacks inside."""
        if self._fd < 0:
            try:
                self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return []
        events: list[dict[str, Any]] = []
        while True:
            data = os.read(self._fd, _AT_ONCE)
            if not data:
                return events
            *lines, self._torn = (self._torn + data).split(b"\n")
            for line in lines:
                event = self._take(line)
                if event is not None:
                    events.append(event)

    def _take(self, line: bytes) -> dict[str, Any] | None:
        try:
            event = json.loads(line)
        except ValueError:
            return None  # a line that another writer has left torn
        kind = event.get("type")
        if kind == "frame":
            self._frames[event["id"]] = event
        elif kind == "stack":
            self._stacks[event["id"]] = self._join(event)
        elif event.get("pid") == self._pid:
            return self._whole(event)
        return None

    def _join(self, stack: dict[str, Any]) -> list[dict[str, Any]]:
        frames = [self._frames.get(id, {}) for id in stack["frames"]]
        if "outer" not in stack:
            return frames
        return frames + self._stacks.get(stack["outer"], [])[-stack["outer_frames"] :]

    def _whole(self, event: dict[str, Any]) -> dict[str, Any]:
        """Puts the stacks that are named by their ids in: of the event, its samples, its holder."""
        parts = [event, event.get("holder"), *(event.get("samples") or ())]
        parts += event.get("groups") or ()
        for part in parts:
            if part and "stack_id" in part:
                part["stack"] = self._stacks.get(part["stack_id"], [])
        return event
