# SPDX-License-Identifier: Apache-2.0
"""A handler that forks: the rest of its iteration is watched as if it had not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from harness import PROGRAMS, Event, describe, of_type, run_preloaded
from pythons import READABLE

FORK = "if os.fork() == 0: os._exit(0)"
PROCESS = "multiprocessing.get_context('fork').Process(target=int).start()"
HOLDS = {
    "lock": ("l = threading.Lock(); l.acquire(); l.acquire(timeout=0.6)", "block"),
    "read": (
        "r, w = os.pipe(); threading.Timer(0.6, os.write, (w, b'x')).start(); os.read(r, 1)",
        "block",
    ),
    "compute": (
        "end = time.thread_time() + 0.6\n    while time.thread_time() < end: pass",
        "stall",
    ),
}
PROGRAM = """
import asyncio, multiprocessing, os, threading, time
async def main():
    await asyncio.sleep(0.01)
    {fork}
    {hold}
asyncio.run(main())
"""


def has_stack(event: Event) -> bool:
    return bool(event.get("stack") or event.get("samples"))


def check_watched(events: Sequence[Event], kind: str) -> None:
    ends = of_type(events, kind)
    assert len(ends) == 1, describe(events)
    told = ends[0]
    before = [e for e in of_type(events, "inflight") if e["id"] == told["id"]]
    assert before, describe(events)
    # A thread without a processor cannot be seen; once it was, it is told where.
    seen = [has_stack(event) for event in [*before, told]]
    assert seen == sorted(seen) and seen[-1], describe(events)
    assert all(event["no_stack"] for event in before if not has_stack(event))


@pytest.mark.parametrize("way, kind", [("raw", "stall"), ("compute", "stall"), ("call", "block")])
def test_what_holds_the_loop_after_a_fork_is_told_while_it_lasts(
    way: str, kind: str, hits: Path
) -> None:
    _, events = run_preloaded([PROGRAMS / "forks", way], hits)
    check_watched(events, kind)


@pytest.mark.parametrize("python", READABLE)
@pytest.mark.parametrize("fork", [FORK, PROCESS], ids=["fork", "process"])
@pytest.mark.parametrize("hold", HOLDS)
def test_python_handler_that_forks_is_watched_and_not_warned(
    hold: str, fork: str, python: str, hits: Path
) -> None:
    code, kind = HOLDS[hold]
    argv: list[str | Path] = [python, "-W", "error::DeprecationWarning", "-c"]
    done, events = run_preloaded([*argv, PROGRAM.format(fork=fork, hold=code)], hits)
    assert done.returncode == 0, done.stderr
    held = [e for e in events if e["type"] != kind or e["duration_ms"] >= 500]
    check_watched(held, kind)
