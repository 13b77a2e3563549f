#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `loophound export` takes for many events: processor time and peak memory of each format.

    tests/bench/export.py --build build           100,000 events, 1.5 GB, with stacks inside
    tests/bench/export.py --build build --stacks once    the same as files have them
    tests/bench/export.py --build build --events 600000 --hostile
                                                  all different: what does not fit is said

The file is made where --directory says, and removed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from figures import ROWS, tell

ROOT = Path(__file__).resolve().parents[2]
FRAMES = 86  # as deep as those of a FastAPI server
PLACES = 40
TIME_S, MEMORY_MIB = ROWS["export_cpu"].target or 0, ROWS["export_memory"].target or 0
BEGIN = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
CALLS = (("clock_nanosleep", "sleep"), ("poll", "network"), ("read", "file"), ("sem_wait", "lock"))

Event = dict[str, Any]


def stamp(at_ms: float) -> str:
    return (BEGIN + timedelta(milliseconds=at_ms)).isoformat(timespec="microseconds")[:26] + "Z"


def frame(function: str, file: str, line: int, **more: object) -> Event:
    return {
        "lang": "python",
        "function": function,
        "file": file,
        "line": line,
        "module": None,
        "offset": None,
        **more,
    }


def stack_of(place: int, way: int) -> list[Event]:
    """The user's line, below many of libraries that have several ways to it."""
    site = "/opt/venv/lib/python3.12/site-packages"
    user = frame(
        f"handler_{place}",
        f"/srv/shop/app_{place % 7}.py",
        10 + place,
        user=True,
        source=f"work_{place}()",
    )
    outer = [
        frame(
            f"Middleware{depth}.__call__",
            f"{site}/starlette/middleware/m{depth % 9}.py",
            40 + (way * 7 + depth) % 90,
        )
        for depth in range(FRAMES - 3)
    ]
    run = frame("Handle._run", "/usr/lib/python3.12/asyncio/events.py", 84)
    return [user, *outer, run, frame("main", "/srv/shop/main.py", 3)]


@dataclass
class Writer:
    """Lines as loophound writes them."""

    once: bool
    hostile: bool
    known: dict[str, int] = field(default_factory=dict)

    def lines(self, events: int, seed: int) -> Iterator[Event]:
        chance = random.Random(seed)
        head = {"v": 1, "time": stamp(0), "pid": 4242, "tid": 4242, "thread": None}
        yield {
            **head,
            "type": "start",
            "run": "00ff",
            "host": "bench",
            "boot": None,
            "exe": "/usr/bin/python3.12",
            "argv": [],
            "cwd": "/srv/shop",
            "root": "/srv/shop",
            "service": None,
            "runtime": None,
            "version": "0.1.0",
            "threshold_ms": 100.0,
            "strict": False,
            "warnings": [],
        }
        yield {**head, "type": "loop", "thread": "MainThread", "how": "epoll_wait", "fd": 3}
        at_ms = 0.0
        blocked_ms = 0.0
        for number in range(1, events + 1):
            for line in self.event(number, at_ms, chance):
                yield line
            at_ms += line["duration_ms"] + chance.uniform(1, 50)
            blocked_ms += line["duration_ms"]
        yield {
            **head,
            "type": "summary",
            "time": stamp(at_ms),
            "loops": 1,
            "blocks": events,
            "stalls": 0,
            "suppressed": 0,
            "known": None,
            "rules": [],
            "dropped": 0,
            "blocked_ms": round(blocked_ms, 3),
            "by_call": [],
            "quiet": {},
            "scripts": {},
            "why": None,
        }

    def event(self, number: int, at_ms: float, chance: random.Random) -> Iterator[Event]:
        place = chance.randrange(PLACES)
        call, group = CALLS[place % len(CALLS)]
        ms = round(chance.uniform(100, 400), 3)
        stack = stack_of(place, number if self.hostile else chance.randrange(20))
        if self.hostile:
            stack[0]["function"] = f"handler_{number}"
        made = {
            "v": 1,
            "type": "block",
            "time": stamp(at_ms + ms),
            "pid": 4242,
            "tid": 4242,
            "thread": "MainThread",
            "id": number,
            "start": stamp(at_ms),
            "fingerprint": None,
            "severity": "warn",
            "call": call,
            "group": group,
            "reason": "threshold",
            "duration_ms": ms,
            "over_ms": round(ms - 100, 3),
            "test": None,
            "labels": None,
            "ended": True,
            "errno": None,
            "resource": {"kind": "socket", "fd": 9, "peer": f"10.0.0.{place}:5432"},
            "holder": None,
            "waits_for": None,
            "victims": {"ready": 3, "at_least": False, "waited_ms": ms},
            "task": {
                "name": f"Task-{number}",
                "coroutine": "RequestResponseCycle.run_asgi",
                "callback": None,
                "kind": None,
            },
            "note": None,
            "advice": {"rule": "ASYNC251", "text": "use await asyncio.sleep()"},
            "known": None,
            "suppressed": None,
        }
        if not self.once:
            yield {**made, "stack": stack}
            return
        ids = [self.number(json.dumps(one)) for one in stack]
        for new, one in ((i, one) for i, one in zip(ids, stack, strict=True) if i < 0):
            yield {"v": 1, "type": "frame", "id": f"{-new:016x}", "duration_ms": 0, **one}
        ids = [abs(i) for i in ids]
        whole = self.number(json.dumps(ids))
        if whole < 0:
            yield {
                "v": 1,
                "type": "stack",
                "id": f"{-whole:016x}",
                "frames": [f"{i:016x}" for i in ids],
                "cut": False,
            }
        yield {**made, "stack_id": f"{abs(whole):016x}"}

    def number(self, content: str) -> int:
        """Of what a line of its own stands for; negative where it is new."""
        if content in self.known:
            return self.known[content]
        self.known[content] = len(self.known) + 1
        return -self.known[content]


def make(path: Path, arguments: argparse.Namespace) -> None:
    writer = Writer(arguments.stacks == "once", arguments.hostile)
    with path.open("w", encoding="utf-8") as to:
        for line in writer.lines(arguments.events, arguments.seed):
            to.write(json.dumps(line, separators=(",", ":")) + "\n")


def formats(command: Path) -> list[str]:
    text = subprocess.run(
        [command, "help", "export"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return re.findall(r"^  (\w+)$", text, re.MULTILINE)


def measure(command: Path, name: str, source: Path, target: Path) -> tuple[float, float, str]:
    """Seconds, MB at most, and what it said."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [command, "export", "-f", name, "-o", target, source], stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = usage.ru_utime + usage.ru_stime  # whatever else the machine does meanwhile
        said.seek(0)
        text = said.read().strip()
    if process.returncode != 0:
        raise SystemExit(f"export -f {name} ended with {process.returncode}: {text}")
    return seconds, usage.ru_maxrss / 1024, text


def megabytes(path: Path) -> float:
    return path.stat().st_size / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--stacks", choices=("inline", "once"), default="inline")
    parser.add_argument(
        "--hostile", action="store_true", help="each event has a stack and a place of its own"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", action="append", help="only this one; may be repeated")
    parser.add_argument("--directory", type=Path, help="for the files; a gigabyte or two")
    arguments = parser.parse_args()
    command = arguments.build.resolve() / "loophound"
    worst = 0
    with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
        source = Path(directory) / "hits.jsonl"
        make(source, arguments)
        print(f"{arguments.events} events, {megabytes(source):.0f} MB, stacks {arguments.stacks}")
        for name in arguments.format or formats(command):
            target = Path(directory) / name
            seconds, memory, text = measure(command, name, source, target)
            worst |= seconds > TIME_S or memory > MEMORY_MIB
            tell("export_cpu", seconds, name)
            tell("export_memory", memory, name)
            target.unlink()
            if text:
                print("  " + text.replace("\n", "\n  "))
    return int(worst)


if __name__ == "__main__":
    sys.exit(main())
