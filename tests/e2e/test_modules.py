# SPDX-License-Identifier: Apache-2.0
"""Programs whose file is not what their name says: deleted, replaced, or never a file at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from harness import (
    PROGRAMS,
    Event,
    blocks,
    preload_environment,
    read_events,
    started,
    wait_for_event,
)

PROGRAM = PROGRAMS / "deep_stack"


def frame_of_program(fd: int, hits: Path) -> Event:
    """Executes what is behind the descriptor; the innermost frame of its block."""
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="20ms")
    with started([f"/proc/self/fd/{fd}", "3"], environment, pass_fds=[fd]) as process:
        assert process.wait(60) == 0
        wait_for_event(hits, "summary", process.pid)
    (block,) = blocks(read_events(hits))
    frame: Event = block["stack"][0]
    return frame


def build_id() -> str:
    notes = os.popen(f"readelf -n {PROGRAM}").read()
    return notes.partition("Build ID:")[2].split()[0]


def is_right_or_unknown(frame: Event) -> bool:
    """The function's own name, or none, and then the build-id to look it up by."""
    if frame["function"] is None:
        return bool(frame["build_id"] == build_id() and frame["offset"])
    return bool(frame["function"] == "go_down")


@pytest.mark.parametrize("replaced", [False, True])
def test_deleted_program_is_told_by_what_is_mapped(
    replaced: bool, hits: Path, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    shutil.copy(PROGRAM, program)
    fd = os.open(program, os.O_RDONLY)
    program.unlink()
    if replaced:
        shutil.copy(PROGRAMS / "loops", program)
    frame = frame_of_program(fd, hits)
    os.close(fd)
    assert frame["module"] == str(program)
    assert is_right_or_unknown(frame), frame


def test_program_in_memory_is_told_by_what_is_mapped(hits: Path) -> None:
    fd = os.memfd_create("program", 0)
    os.write(fd, PROGRAM.read_bytes())
    frame = frame_of_program(fd, hits)
    os.close(fd)
    assert frame["module"].startswith("/memfd:program")
    assert is_right_or_unknown(frame), frame
