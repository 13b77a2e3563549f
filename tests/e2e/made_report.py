# SPDX-License-Identifier: Apache-2.0
"""Files of events that no program has written: as many as wanted, with names of any kind."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

BEGIN = datetime(2026, 11, 29, 14, 53, 2, tzinfo=UTC)
PACKAGES = "/opt/venv/lib/python3.11/site-packages"
PID = 4711

Line = dict[str, Any]


def at(seconds: float) -> str:
    return (
        (BEGIN + timedelta(seconds=seconds))
        .isoformat(timespec="microseconds")
        .replace("+00:00", "Z")
    )


def python(function: str, file: str, line: int, **more: Any) -> Line:
    return {
        "lang": "python",
        "function": function,
        "file": file,
        "line": line,
        "module": None,
        "offset": None,
        **more,
    }


def native(function: str, module: str = "/usr/bin/python3.11") -> Line:
    return {
        "lang": "native",
        "function": function,
        "file": None,
        "line": None,
        "module": module,
        "offset": 64,
    }


# A loop's way to a handler, innermost first.
WAY = [
    python("app", f"{PACKAGES}/starlette/routing.py", 74, library="starlette", version="0.37"),
    python(
        "FastAPI.__call__",
        f"{PACKAGES}/fastapi/applications.py",
        1054,
        library="fastapi",
        version="0.111",
    ),
    python("Handle._run", "/usr/lib/python3.11/asyncio/events.py", 80),
    python("run", f"{PACKAGES}/uvicorn/server.py", 61, library="uvicorn", version="0.30.1"),
    native("Py_BytesMain"),
    native("_start"),
]


class Report:
    """Lines as a collector writes them, and what they come to."""

    def __init__(self, path: Path | None = None) -> None:
        """Without a file the lines are kept."""
        self.lines: list[Line] = []
        self.file = path.open("w", encoding="utf-8") if path is not None else None
        self.number = 0
        self.now = 0.0
        self.blocks = 0
        self.stalls = 0
        self.ms = 0.0

    def add(self, kind: str, **members: Any) -> None:
        common = {
            "v": 1,
            "type": kind,
            "time": at(self.now),
            "pid": PID,
            "tid": PID,
            "thread": "MainThread",
        }
        line = {**common, **members}
        if self.file is None:
            self.lines.append(line)
        else:
            self.file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def start(self, **members: Any) -> None:
        self.add(
            "start",
            **{
                "exe": "/usr/bin/python3.11",
                "argv": ["python3", "-m", "uvicorn", "shop:app"],
                "host": "build-7",
                "run": "00000000000000aa",
                "cwd": "/srv/shop",
                "root": "/srv/shop",
                "service": None,
                "runtime": {"name": "CPython", "version": "3.11.2"},
                "version": "0.1.0",
                "threshold_ms": 50,
                "strict": False,
                "warnings": [],
                **members,
            },
        )
        self.add("loop", how="epoll_wait", fd=5)

    def common(self, ms: float) -> Line:
        self.number += 1
        begin = self.now
        self.now = round(self.now + ms / 1000, 6)
        self.ms += ms
        return {
            "id": self.number,
            "start": at(begin),
            "duration_ms": ms,
            "over_ms": ms - 50,
            "test": None,
            "labels": None,
            "ended": True,
            "severity": "warn",
            "holder": None,
            "victims": None,
            "note": None,
            "advice": None,
            "known": None,
            "suppressed": None,
            "fingerprint": None,
        }

    def block(
        self,
        function: str,
        line: int,
        ms: float,
        *,
        call: str = "clock_nanosleep",
        group: str = "sleep",
        file: str = "/srv/shop/app.py",
        source: str | None = None,
        inner: list[Line] | None = None,
        **members: Any,
    ) -> None:
        user = python(function, file, line, user=True, source=source or f"{function}()")
        stack = [*(inner or [native("time_sleep")]), user, *WAY]
        common = self.common(ms)
        self.blocks += 1
        self.add(
            "block",
            **{
                **common,
                "call": call,
                "group": group,
                "reason": "threshold",
                "errno": None,
                "resource": None,
                "waits_for": None,
                "task": None,
                "work": None,
                "stack": stack,
                **members,
            },
        )

    def stall(
        self,
        function: str,
        line: int,
        ms: float,
        parts: tuple[float, float, float, float],
        **members: Any,
    ) -> None:
        oncpu, runqueue, gil, calls = parts
        user = python(function, "/srv/shop/app.py", line, user=True, source=f"{function}()")
        other = python("other", "/srv/shop/app.py", line + 5, user=True, source="other()")
        samples = [
            {
                "count": 6,
                "ms": ms * 0.6,
                "collecting_ms": 0,
                "work": [],
                "stack": [native("dict_items"), user, *WAY],
            },
            {
                "count": 4,
                "ms": ms * 0.4,
                "collecting_ms": 0,
                "work": [],
                "stack": [native("list_sort"), other, *WAY],
            },
        ]
        common = self.common(ms)
        self.stalls += 1
        self.add(
            "stall",
            **{
                **common,
                "oncpu_ms": oncpu,
                "blocked_ms": calls,
                "runqueue_ms": runqueue,
                "throttled_ms": 0,
                "gil_ms": gil,
                "major_faults": 0,
                "task": None,
                "calls": [],
                "last_call": None,
                "system_call": None,
                "resource": None,
                "samples": samples,
                "groups": [{**samples[0]}],
                "no_stack": None,
                **members,
            },
        )

    def summary(self, **members: Any) -> None:
        self.add(
            "summary",
            **{
                "loops": 1,
                "blocks": self.blocks,
                "stalls": self.stalls,
                "suppressed": 0,
                "known": None,
                "rules": [],
                "dropped": 0,
                "blocked_ms": self.ms,
                "by_call": [],
                "quiet": {},
                "scripts": {},
                "why": None,
                **members,
            },
        )

    def write(self, path: Path) -> Path:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in self.lines)
        return path


def shop() -> Report:
    """A small server's mistakes: four places, one of them a stall, a holder, tests, labels."""
    report = Report()
    report.start()
    for turn in range(6):
        report.block(
            "save",
            12,
            100 + turn,
            source="time.sleep(0.1)",
            task={"name": "Task-7", "coroutine": "Shop.save", "callback": None, "kind": None},
            victims={"ready": 3, "at_least": False, "waited_ms": 90},
            test="tests/test_shop.py::test_save",
            advice={"rule": "ASYNC251", "text": "use await asyncio.sleep()"},
        )
        report.now += 0.4
    for turn in range(3):
        report.block(
            "price",
            31,
            200 + turn,
            call="poll",
            group="network",
            source="return requests.get(url).json()",
            inner=[
                native("poll", "/lib/x86_64-linux-gnu/libc.so.6"),
                python(
                    "Session.send",
                    f"{PACKAGES}/requests/sessions.py",
                    703,
                    library="requests",
                    version="2.31",
                ),
                python(
                    "get",
                    f"{PACKAGES}/requests/api.py",
                    73,
                    library="requests",
                    version="2.31",
                    api=True,
                ),
            ],
            resource={"kind": "socket", "fd": 9, "peer": "10.0.0.7:443", "nonblocking": False},
            advice={"rule": "ASYNC210", "text": "use httpx.AsyncClient"},
        )
        report.now += 0.2
    report.block(
        "count",
        50,
        300,
        call="pthread_mutex_lock",
        group="lock",
        source="with lock:",
        labels={"request": "GET /count"},
        holder={
            "tid": 4720,
            "thread": "worker-1",
            "deadlock": False,
            "running": False,
            "stack": [
                python("refill", "/srv/shop/stock.py", 9, user=True, source="rows = fetch()")
            ],
        },
    )
    report.now += 0.1
    report.stall(
        "render",
        70,
        250,
        (150, 40, 20, 30),
        advice={"rule": None, "text": "use await asyncio.to_thread()"},
    )
    report.summary()
    return report


def many(events: int, places: int, path: Path | None = None) -> Report:
    """Any number of events, mixed: the same ones each time."""
    chance = random.Random(7)
    report = Report(path)
    report.start()
    for _ in range(events):
        place = chance.randrange(places)
        ms = round(50 + chance.expovariate(1 / 90), 3)
        if place % 5 == 4:
            report.stall(f"compute_{place}", place, ms, (ms * 0.7, ms * 0.1, 0, ms * 0.1))
        else:
            call, group = (
                ("clock_nanosleep", "sleep"),
                ("poll", "network"),
                ("read", "file"),
                ("fsync", "file"),
            )[place % 4]
            report.block(
                f"handler_{place}",
                place,
                ms,
                call=call,
                group=group,
                file=f"/srv/shop/views/view_{place % 30}.py",
            )
        report.now += chance.expovariate(1 / 0.3)
    report.summary()
    if report.file is not None:
        report.file.close()
    return report


def hostile() -> Iterator[str]:
    """Names that want to be something else than text."""
    yield "</script><script>alert(1)</script>"
    yield "<img src=x onerror=alert(2)>"
    yield "<!--<script>"
    yield "<!-- <script x"
    yield "</script x"
    yield "\"'`${alert(3)}\\"
    yield "a\u2028b\u2029c"
    yield "\u202egnp.exe\u202c"
    yield "]]>&lt;&amp;"
    yield "\x01\x1b[31m\x7f"
    yield "__proto__"
    yield "constructor"
    yield "x" * 5000
