# SPDX-License-Identifier: Apache-2.0
"""More reports than there is room for, while their reader stands still."""

from __future__ import annotations

import re
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import (
    COMMAND,
    PYTHON,
    blocks,
    clean_environment,
    describe,
    of_type,
    read_events,
    started,
    wait_until,
)

PLACES = 4500  # more than are counted, and twice as many as the ring has room for
SYS_FUTEX = "202 "

# Each place is a line of its own. The path is long, so that a look takes more than 1 us.
PROGRAM = f"""
import asyncio, os
path = "/usr/.." * 200
lines = ["def look(stat=os.stat):"] + ["    stat(path)"] * {PLACES}
exec(compile("\\n".join(lines), "/srv/look.py", "exec"))
async def main():
    print(os.getpid(), flush=True)
    input()
    look()
    print("done", flush=True)
asyncio.run(main())
"""


def has_said_something(process: subprocess.Popen[str]) -> bool:
    return bool(select.select([process.stdout], [], [], 0)[0])


def waits_for_room(pid: int) -> bool:
    return Path(f"/proc/{pid}/syscall").read_text().startswith(SYS_FUTEX)


@contextmanager
def run_without_reader(hits: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The program, and its number, as it looks at files while the collector stands still."""
    command: list[str | Path] = [COMMAND, "run", "-o", hits, *options]
    command += ["--", PYTHON, "-c", PROGRAM]
    environment = clean_environment(STACK_BYTES="4K")
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started(command, environment, **pipes) as process:
        assert process.stdin is not None and process.stdout is not None
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGSTOP)
        try:
            process.stdin.write("\n")
            process.stdin.flush()
            yield process, pid
        finally:
            process.send_signal(signal.SIGCONT)


def test_strict_mode_waits_for_its_reader_and_loses_nothing(hits: Path) -> None:
    with run_without_reader(hits, "--strict", "--noise", "none", "-t", "3600s") as (process, pid):
        wait_until("the ring is full", lambda: waits_for_room(pid) or has_said_something(process))
        assert not has_said_something(process), "the program did not wait"
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "done\n"), err
    events = read_events(hits)
    stats = [block for block in blocks(events) if block["call"] == "stat"]
    again = sum(line["count"] for line in of_type(events, "repeated") if line["call"] == "stat")
    assert len(stats) + again == PLACES, describe(events)
    assert all(summary["dropped"] == 0 for summary in of_type(events, "summary"))


def test_threshold_mode_waits_for_nobody(hits: Path) -> None:
    with run_without_reader(hits, "-t", "1us", "--rate", "off") as (process, _):
        wait_until("the program's end", lambda: has_said_something(process))
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "done\n"), err
    dropped = re.search(r"(\d+) dropped$", err.strip())
    assert dropped and int(dropped[1]) > 0, err
