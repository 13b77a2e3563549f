# SPDX-License-Identifier: Apache-2.0
"""Native stacks against gdb's of the same blocked process: functions, files, lines, inlined ones.

gdb reads the same debug information with code of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from builds import BUILDS, Build, by_build_id, debug_file_by_build_id
from harness import LIBRARY, Event, preload_environment, started, wait_for_event
from names import are_alike

HERE = Path(__file__).resolve().parent
GDB_LIMIT_S = 100
# How libc begins a program or a thread: we do not read its debug information for that alone.
BEGINNINGS = ("libc_start", "start_thread", "clone")


@pytest.fixture(params=BUILDS, ids=lambda build: str(build.id))
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Build, Path]]:
    build: Build = request.param
    if build.place is not by_build_id:
        yield build, build.make(tmp_path)
        return
    if os.geteuid() != 0:
        pytest.skip("only root may write below /usr/lib/debug")
    made = build.make(tmp_path)
    try:
        yield build, made
    finally:
        debug_file_by_build_id(made).unlink()


def stack_of_gdb(pid: int, directory: Path) -> list[Event]:
    """From the caller of our wrapper on."""
    output = directory / "gdb.json"
    environment = dict(os.environ, GDB_STACK=str(output), DEBUGINFOD_URLS="")
    command = ["gdb", "-nx", "-batch", "-p", str(pid), "-x", str(HERE / "gdb_stack.py")]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=GDB_LIMIT_S, check=False
    )
    assert output.exists(), done.stdout + done.stderr
    frames: list[Event] = json.loads(output.read_text(encoding="utf-8"))
    ours = [i for i, frame in enumerate(frames) if frame["library"] == str(LIBRARY)]
    return frames[max(ours) + 1 :]


def place(frame: Event) -> tuple[str | None, int | None, bool]:
    if (frame["function"] or "").lstrip("_").startswith(BEGINNINGS):
        return None, None, False
    name = Path(frame["file"]).name if frame["file"] else None
    return name, frame["line"], bool(frame.get("inlined"))


def spell(frames: list[Event]) -> str:
    return "\n".join(f"  {frame['function']}  {place(frame)}" for frame in frames)


def test_stack_is_gdbs(program: tuple[Build, Path], hits: Path, tmp_path: Path) -> None:
    build, path = program
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="20ms")
    with started([path], environment, stdin=subprocess.PIPE) as process:
        stack = wait_for_event(hits, "inflight")["stack"]
        theirs = stack_of_gdb(process.pid, tmp_path)
    differences = [
        (ours["function"], place(ours), other["function"], place(other))
        for ours, other in zip(stack, theirs, strict=False)
        if place(ours) != place(other)
        or not are_alike(build.language, ours["function"], other["function"])
    ]
    assert (
        len(stack) == len(theirs) and not differences
    ), f"{differences}\nours:\n{spell(stack)}\ngdb's:\n{spell(theirs)}"
    assert len(stack) >= 8
