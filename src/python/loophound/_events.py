# SPDX-License-Identifier: Apache-2.0
"""What the library reports, as objects: blocks and stalls, with their stacks."""

from __future__ import annotations

from typing import Any, NamedTuple


class Frame(NamedTuple):
    """One function of a stack. What is unknown is None."""

    lang: str
    """python, native or jit"""
    function: str | None
    file: str | None
    line: int | None
    module: str | None
    source: str | None
    """text of the line, of the frame to look at"""
    user: bool
    """the first frame of your own code"""
    library: str | None

    def __str__(self) -> str:
        name = self.function or "?"
        return f"{self.file}:{self.line} {name}" if self.file else f"{name} in {self.module}"


def _frame(line: dict[str, Any]) -> Frame:
    get = line.get
    return Frame(
        get("lang") or "native",
        get("function"),
        get("file"),
        get("line"),
        get("module"),
        get("source"),
        bool(get("user")),
        get("library"),
    )


class Event:
    """A block or a stall: a line of the output (docs/output.md), whose members are in `raw`.

    Events are equal where they are the same one.
    """

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.count = 1
        """how often it happened at this place, of which this was the first time"""
        self._stack: tuple[Frame, ...] | None = None

    def copy(self) -> Event:
        copied = Event(self.raw)
        copied.count = self.count
        return copied

    @property
    def type(self) -> str:
        """block, stall or inflight (it has not ended yet)"""
        return str(self.raw["type"])

    @property
    def id(self) -> tuple[int, int]:
        """The process, and the number of the event in it."""
        return self.raw["pid"], self.raw["id"]

    @property
    def call(self) -> str:
        """libc's name of the call; "stall" where it is none."""
        return self.raw.get("call") or "stall"

    @property
    def group(self) -> str | None:
        """sleep, network, dns, file, lock, process, wait or other."""
        return self.raw.get("group")

    @property
    def duration_ms(self) -> float:
        return float(self.raw.get("duration_ms") or 0.0)

    @property
    def reason(self) -> str | None:
        """threshold, or strict: it could have waited."""
        return self.raw.get("reason")

    @property
    def test(self) -> str | None:
        """The test that ran, as loophound_mark() has said."""
        return self.raw.get("test")

    @property
    def labels(self) -> dict[str, str]:
        return self.raw.get("labels") or {}

    @property
    def thread(self) -> str | None:
        return self.raw.get("thread")

    @property
    def task(self) -> str | None:
        """Name of the asyncio task that ran."""
        return (self.raw.get("task") or {}).get("name")

    @property
    def resource(self) -> dict[str, Any]:
        return self.raw.get("resource") or {}

    @property
    def suppressed(self) -> str | None:
        """The rule of LOOPHOUND_SUPPRESS or LOOPHOUND_ALLOW that keeps it quiet."""
        rule = self.raw.get("suppressed")
        return str(rule["rule"]) if rule else None

    @property
    def advice(self) -> str | None:
        """What can be done about it, and the rule of ruff that finds it without running it."""
        advice = self.raw.get("advice")
        if not advice:
            return None
        return f"{advice['text']} (ruff {advice['rule']})" if advice["rule"] else advice["text"]

    @property
    def stack(self) -> tuple[Frame, ...]:
        """Innermost first; of a stall where most of its time went."""
        if self._stack is None:
            lines = self.raw.get("stack") or _stack_of_stall(self.raw)
            self._stack = tuple(_frame(line) for line in lines)
        return self._stack

    @property
    def python_stack(self) -> tuple[Frame, ...]:
        return tuple(frame for frame in self.stack if frame.lang == "python")

    @property
    def place(self) -> Frame | None:
        """The frame to look at: your own code, or else the innermost of Python's."""
        python = self.python_stack
        return next((frame for frame in python if frame.user), python[0] if python else None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Event) and (self.id, self.type) == (other.id, other.type)

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<{self.type} {self.call} {self.duration_ms:.3f} ms at {self.place}>"


def _stack_of_stall(raw: dict[str, Any]) -> list[dict[str, Any]]:
    for samples in (raw.get("groups"), raw.get("samples")):
        if samples:
            return list(samples[0].get("stack") or [])
    return []
