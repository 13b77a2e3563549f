# SPDX-License-Identifier: Apache-2.0
"""What the end to end tests share: starting programs under the library, reading what it wrote."""

from __future__ import annotations

import copy
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from schema import check_line

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("LOOPHOUND_TEST_BUILD", ROOT / "build")).resolve()
LIBRARY = BUILD / "libloophound.so"
COMMAND = BUILD / "loophound"
PROGRAMS = BUILD / "programs"
PYTHON = sys.executable
# What time.sleep() of this Python calls.
SLEEP = "clock_nanosleep" if sys.version_info >= (3, 11) else "select"

# scripts/arm_tests.py: a machine that is some five times slower, and is without most programs.
EMULATED = os.environ.get("LOOPHOUND_TEST_EMULATED") == "1"
SLOWNESS = 5 if EMULATED else 1
ARM = platform.machine() == "aarch64"
READ_NUMBER = 63 if ARM else 0  # of read(2): syscalls(2)

PATIENCE_S = 60.0 * SLOWNESS  # what should happen at once has this long on a busy machine
MACHINES_MS = 20 * SLOWNESS  # a stall with less of its own was caused by a busy machine
TOLERANCE_MS = 10 if EMULATED else 1  # between a clock reading of the program's and one of ours

Event = dict[str, Any]
ALWAYS_OF_A_FRAME = ("lang", "function", "file", "line", "module", "offset")


def needs(*names: str) -> Any:
    """Marks a test of programs, or of Python's modules, that the emulated machine is without.
    Everywhere else they are installed (scripts/bootstrap), or the test fails."""
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    missing = [n for n in names if not shutil.which(n, path=path) and find_spec(n) is None]
    reason = f"the emulated machine has no {', '.join(missing)}"
    return pytest.mark.skipif(EMULATED and bool(missing), reason=reason)


native_speed = pytest.mark.skipif(EMULATED, reason="it judges times, which emulation stretches")


def clean_environment(**variables: str) -> dict[str, str]:
    """The test's own environment without anything of ours, and with these LOOPHOUND_ variables."""
    # The last two: what `run` does by itself there, and whose test that of pytest says it is.
    ours = ("LOOPHOUND_", "LD_PRELOAD", "GITHUB_", "PYTEST_CURRENT_TEST")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    kept.update({f"LOOPHOUND_{name}": value for name, value in variables.items()})
    return kept


def preload_environment(**variables: str) -> dict[str, str]:
    return dict(clean_environment(**variables), LD_PRELOAD=str(LIBRARY))


def read_lines(path: Path) -> list[Event]:
    """All complete lines of a JSON Lines file; a line that is no JSON object fails the test."""
    if not path.exists():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            event = json.loads(line)
            assert isinstance(event, dict), line
            check_line(line, event)
            lines.append(event)
    return lines


def with_stacks(lines: Sequence[Event]) -> list[Event]:
    """The events among these lines, with the stacks that they name by an id of a line before."""
    frames: dict[str, Event] = {}
    stacks: dict[str, list[Event]] = {}

    def put_stack(part: Event) -> None:
        if "stack_id" in part:
            part["stack"] = copy.deepcopy(stacks[part.pop("stack_id")])

    events = []
    for line in lines:
        if line["type"] == "frame":
            frame = {k: v for k, v in line.items() if k not in {"v", "type", "id"}}
            frames[line["id"]] = {**dict.fromkeys(ALWAYS_OF_A_FRAME), **frame}
        elif line["type"] == "stack":
            stack = [dict(frames[identity]) for identity in line["frames"]]
            if "outer" in line:
                stack += copy.deepcopy(stacks[line["outer"]][-line["outer_frames"] :])
            if line["cut"]:
                stack[-1]["cut"] = True
            stacks[line["id"]] = stack
        else:
            samples = [*line.get("samples", []), *line.get("groups", [])]
            for part in [line, *samples, *filter(None, [line.get("holder")])]:
                put_stack(part)
            events.append(line)
    return events


def read_events(path: Path) -> list[Event]:
    """The events of a file, whichever way their stacks are written."""
    return with_stacks(read_lines(path))


def of_type(events: Sequence[Event], kind: str) -> list[Event]:
    return [event for event in events if event["type"] == kind]


def blocks(events: Sequence[Event]) -> list[Event]:
    return of_type(events, "block")


def met_again(events: Sequence[Event]) -> int:
    """Calls of strict mode at places that had been told."""
    return sum(line["count"] for line in of_type(events, "repeated"))


def is_the_machines(stall: Event) -> bool:
    """A short iteration in whose middle a busy machine had no processor for the thread: a stall in
    truth, and none of the program's own."""
    own_ms = stall["oncpu_ms"] + stall["blocked_ms"] + stall["gil_ms"]
    return stall["runqueue_ms"] is not None and bool(own_ms < MACHINES_MS)


def stalls_of(events: list[Event]) -> list[Event]:
    return [stall for stall in of_type(events, "stall") if not is_the_machines(stall)]


def told_in_flight(events: list[Event]) -> list[Event]:
    """What was told while it lasted, of the program's own."""
    machines = {stall["id"] for stall in of_type(events, "stall") if is_the_machines(stall)}
    return [event for event in of_type(events, "inflight") if event["id"] not in machines]


def wait_until(what: str, ready: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """Polls until `ready()` is true and returns that; fails the test when patience is at an end."""
    end = time.monotonic() + patience_s
    while True:
        result = ready()
        if result:
            return result
        assert time.monotonic() < end, f"waited {patience_s} s in vain for {what}"
        time.sleep(0.005)


def wait_for_event(path: Path, kind: str, pid: int | None = None) -> Event:
    def find() -> Event | None:
        if not path.exists() or f'"type":"{kind}"' not in path.read_text(encoding="utf-8"):
            return None  # all of a large file is not read anew each time
        for event in of_type(read_events(path), kind):
            if pid is None or event["pid"] == pid:
                return event
        return None

    event: Event = wait_until(f"a {kind} event in {path}", find)
    return event


def run_preloaded(
    argv: Sequence[str | Path],
    output: Path,
    *,
    stdin: str | None = None,
    extra: dict[str, str] | None = None,
    cwd: Path | None = None,
    **options: str,
) -> tuple[subprocess.CompletedProcess[str], list[Event]]:
    """Runs a program with a loop thread under a bare LD_PRELOAD, until its summary is written."""
    environment = preload_environment(OUTPUT=str(output), **options)
    environment.update(extra or {})
    source = subprocess.PIPE if stdin is not None else subprocess.DEVNULL
    with started(argv, environment, cwd=cwd, stdin=source, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(stdin, timeout=PATIENCE_S)
    done = subprocess.CompletedProcess(argv, process.returncode, out, err)
    wait_for_event(output, "summary", process.pid)
    return done, read_events(output)


def run_command(
    *arguments: str | Path,
    stdin: str | None = None,
    extra: dict[str, str] | None = None,
    **options: str,
) -> subprocess.CompletedProcess[str]:
    """Runs `loophound ARGUMENTS`."""
    environment = clean_environment(**options)
    environment.update(extra or {})
    return subprocess.run(
        [str(COMMAND), *map(str, arguments)],
        env=environment,
        input=stdin if stdin is not None else "",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@contextmanager
def started(
    argv: Sequence[str | Path], environment: dict[str, str], **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """A process with its output in a pipe; however the test ends, the process does too."""
    process = subprocess.Popen(
        [str(argument) for argument in argv],
        env=environment,
        **{"stdout": subprocess.PIPE, "text": True, **options},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        with suppress(subprocess.TimeoutExpired):  # what it has left behind has its pipes
            process.communicate(timeout=PATIENCE_S)


def first_frame_in(event: Event, file: str) -> Event | None:
    """The innermost frame whose source file has this name."""
    for frame in event["stack"] or []:
        if frame["file"] and Path(frame["file"]).name == file:
            frame_found: Event = frame
            return frame_found
    return None


def functions(event: Event) -> list[str]:
    return [frame["function"] or "?" for frame in event.get("stack") or []]


def describe(events: Sequence[Event]) -> str:
    """One line an event, for messages of failed tests."""
    lines = []
    for event in events:
        text = f"{event['type']} {event.get('call', '')} {event.get('duration_ms', '')}"
        lines.append(f"{text} {' < '.join(functions(event)[:6]) if 'stack' in event else ''}")
    return "\n".join(lines)
