# SPDX-License-Identifier: Apache-2.0
"""Libraries with threads that wait for events, and run no handler: grpc's and watchfiles'."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import BUILD, first_frame_in
from watched import CLEAN_THRESHOLD, HERE, assert_nothing_reported, finish, the_block, watched

PYTHON = BUILD / "runtimes-venv" / "bin" / "python"
PROGRAM = HERE / "python" / "pollers.py"


@pytest.mark.parametrize("library", ["grpc", "grpc-aio", "watchfiles"])
def test_threads_of_a_library_that_only_wait_are_silent(library: str, hits: Path) -> None:
    """And so is a program that waits for an answer, which has no loop but the library's."""
    command: list[str | Path] = [PYTHON, PROGRAM, library, "right", "0.8"]
    with watched(hits, command, CLEAN_THRESHOLD) as process:
        assert_nothing_reported(finish(process, hits))


@pytest.mark.parametrize("library", ["grpc-aio", "watchfiles"])
def test_sleep_that_blocks_the_loop_beside_them_is_the_one_block(library: str, hits: Path) -> None:
    command: list[str | Path] = [PYTHON, PROGRAM, library, "wrong", "0.8"]
    with watched(hits, command, CLEAN_THRESHOLD) as process:
        block = the_block(finish(process, hits))
    frame = first_frame_in(block, PROGRAM.name)
    assert frame and "# waits" in PROGRAM.read_text().splitlines()[frame["line"] - 1]
