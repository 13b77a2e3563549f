# SPDX-License-Identifier: Apache-2.0
"""trio as the guest of another loop: its tasks run on the host's thread, its threads only wait."""

from __future__ import annotations

from pathlib import Path

from harness import BUILD, blocks, first_frame_in, functions, of_type
from watched import CLEAN_THRESHOLD, HERE, finish, the_block, watched

PYTHON = BUILD / "runtimes-venv" / "bin" / "python"
GUEST = HERE / "python" / "trio_guest.py"
LONGER_S = {"wrong": "0.3", "right": "0.7"}  # than the threshold


def argv(how: str) -> list[str | Path]:
    return [PYTHON, GUEST, how, LONGER_S[how]]


def test_sleep_in_a_task_is_the_one_block(hits: Path) -> None:
    """Not the waits of trio's threads, nor what the host does when the guest has left."""
    with watched(hits, argv("wrong")) as process:
        events = finish(process, hits)
    block = the_block(events)
    assert block["group"] == "sleep"
    assert "blocking_sleep" in functions(block)
    frame = first_frame_in(block, GUEST.name)
    assert frame and "# waits" in GUEST.read_text().splitlines()[frame["line"] - 1]


def test_sleep_in_a_thread_of_trio_is_silent(hits: Path) -> None:
    with watched(hits, argv("right"), CLEAN_THRESHOLD) as process:
        events = finish(process, hits)
    assert blocks(events) == []
    assert of_type(events, "inflight") == [] and of_type(events, "stall") == []
