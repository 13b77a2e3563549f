# SPDX-License-Identifier: Apache-2.0
"""What Node.js has called a function for is told with the stall of that function."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import Event, describe, of_type, read_events, run_command

CALLED = Path(__file__).resolve().parent / "called.js"
KINDS = (
    "timer",
    "immediate",
    "tick",
    "promise job",
    "promise job, queued",
    "file",
    "child",
    "thread pool",
    "name look-up",
    "message",
    "connection",
    "socket",
    "socket, datagram",
    "HTTP",
)
NAMED = ("timer", "immediate", "tick", "promise job", "promise job, queued")  # without an arrow


def is_of_handler(stall: Event) -> bool:
    frames = [frame for place in stall["groups"][:1] for frame in place["stack"]]
    return any(frame["function"] == "handler" for frame in frames)


@pytest.mark.parametrize("what", KINDS)
def test_stall_says_what_called_the_function(node: Path, what: str, hits: Path) -> None:
    done = run_command("run", "--stacks", "inline", "-o", hits, "--", node, CALLED, what)
    assert done.returncode == 0, done.stderr
    events = read_events(hits)
    tasks = [stall["task"] for stall in of_type(events, "stall") if is_of_handler(stall)]
    callback = "handler" if what in NAMED else None
    kind = what.split(",")[0]
    expected = {"name": None, "coroutine": None, "callback": callback, "kind": kind}
    assert tasks == [expected], describe(events)
