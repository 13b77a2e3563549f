# SPDX-License-Identifier: Apache-2.0
"""Real loops under `loophound run`: what they wait for is given once they are blocked."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from harness import (
    BUILD,
    COMMAND,
    PATIENCE_S,
    Event,
    blocks,
    clean_environment,
    describe,
    functions,
    of_type,
    read_events,
    started,
    wait_until,
)

HERE = Path(__file__).resolve().parent
BUILT = BUILD / "runtimes"  # where compiled programs go
# A clean run may be kept off the processors for a while; the programs' own timers run for longer
# than this while they wait (`free`).
CLEAN_THRESHOLD = "500ms"
LIMIT_S = 60


@contextmanager
def watched(
    hits: Path,
    argv: Sequence[str | Path],
    threshold: str = "100ms",
    flags: Sequence[str] = (),
) -> Iterator[subprocess.Popen[str]]:
    """The program under `loophound run`; however the test ends, the program does too."""
    command: list[str | Path] = [COMMAND, "run", "-t", threshold, *flags, "-o", hits, "--", *argv]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started(command, clean_environment(), **pipes) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()  # passed on to the program, and its children
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=PATIENCE_S)


def finish(process: subprocess.Popen[str], hits: Path) -> list[Event]:
    """Waits for the program's own end, which has to be a good one. What was reported."""
    _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, errors
    return read_events(hits)


def wait_until_blocked(hits: Path) -> Event:
    """The loop hangs in a call and that is reported, not only its iteration: now let it go on."""

    def call_in_flight() -> Event | None:
        in_flight = of_type(read_events(hits), "inflight")
        return next((event for event in in_flight if event["call"]), None)

    event: Event = wait_until(f"a call in flight in {hits}", call_in_flight)
    return event


def say(process: subprocess.Popen[str], line: str = "go") -> None:
    assert process.stdin
    process.stdin.write(line + "\n")
    process.stdin.flush()


def expect_line(process: subprocess.Popen[str], expected: str) -> None:
    assert process.stdout
    line = process.stdout.readline().rstrip("\n")
    assert line == expected, line or (process.stderr and process.stderr.read())


class Fifo:
    """A FIFO that can be opened at once, and read when something is given."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self._fd = os.open(path, os.O_RDWR)  # fifo(7): does not wait for the other end

    def give(self, text: str = "here you are\n") -> None:
        """Writes, and closes: the end of the file. Who opens the path later finds a file."""
        os.write(self._fd, text.encode())
        file = self.path.with_name("given")
        file.write_text(text)
        file.replace(self.path)
        self.close()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def __enter__(self) -> Fifo:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class SlowServer:
    """Takes connections into its queue (listen(2)) and says nothing until it is told to."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def give(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.sendall(b"x")

    def __enter__(self) -> SlowServer:
        return self

    def __exit__(self, *exception: object) -> None:
        self._listener.close()


def the_block(events: Sequence[Event]) -> Event:
    """The one block that was reported."""
    found = blocks(events)
    assert len(found) == 1, describe(found)
    return found[0]


def assert_nothing_reported(events: Sequence[Event]) -> None:
    """A loop was watched, and nothing said about it."""
    reported = [event for event in events if event["type"] in ("block", "inflight", "stall")]
    assert reported == [], describe(reported)
    assert of_type(events, "loop"), "no loop was seen"


def has_function(event: Event, part: str) -> bool:
    """Is a function of such a name, mangled or not, in the stack?"""
    return any(part in name for name in functions(event))
