# SPDX-License-Identifier: Apache-2.0
"""Who is waited for, though it is gone at the end: a child's command line, a thread's name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness import PROGRAMS, PYTHON, ROOT, blocks, describe, of_type, run_preloaded

CHILDREN = ROOT / "tests" / "programs" / "python" / "children.py"


def wait_for(argv: list[str | Path], hits: Path) -> list[dict[str, Any]]:
    """The resources of the longest wait, in flight and at its end."""
    done, events = run_preloaded(argv, hits)
    assert done.returncode == 0, done.stderr
    told = blocks(events)
    assert told, describe(events)
    longest = max(told, key=lambda block: float(block["duration_ms"]))
    before = [event for event in of_type(events, "inflight") if event["id"] == longest["id"]]
    return [event["resource"] for event in [*before, longest]]


@pytest.mark.parametrize(
    ("case", "command"), [("run", "sleep 0.3"), ("system", "sh -c sleep 0.3"), ("any", None)]
)
def test_a_wait_for_a_child_has_its_command_line(
    case: str, command: str | None, hits: Path
) -> None:
    argv: list[str | Path] = [PYTHON, CHILDREN, case]
    for resource in wait_for(argv, hits):
        assert resource["kind"] == "pid" and resource["pid"] > 1
        assert resource["command"] == (command or " ".join(str(word) for word in argv))


@pytest.mark.parametrize("case", ["output", "two_outputs"])
def test_a_wait_for_the_output_of_a_child_has_it_too(case: str, hits: Path) -> None:
    for resource in wait_for([PYTHON, CHILDREN, case], hits):
        assert resource["kind"] == "file" and resource["path"].startswith("pipe:[")
        assert resource["child"]["pid"] > 1 and resource["child"]["command"] == "sleep 0.3"


def test_which_of_two_is_not_guessed(hits: Path) -> None:
    for resource in wait_for([PYTHON, CHILDREN, "any_of_two"], hits)[:1]:
        assert resource == {"kind": "pid", "pid": -1, "command": None}


def test_a_joined_thread_has_its_name(hits: Path) -> None:
    for resource in wait_for([PROGRAMS / "joins"], hits):
        assert resource["kind"] == "thread" and resource["tid"] > 1
        assert resource["name"] == "resizer"
