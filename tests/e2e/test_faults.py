# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with us is told, counted, and never the program's trouble."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from harness import (
    COMMAND,
    PROGRAMS,
    PYTHON,
    blocks,
    of_type,
    preload_environment,
    read_events,
    run_command,
    started,
    wait_for_event,
    wait_until,
)
from pythons import READABLE

IDLE_READER = PROGRAMS / "idle_reader"
LOOPS = PROGRAMS / "loops"
NOBODY = 65534

# One turn for each line of standard input, with one block in it; it says when each is over.
TURNS = """
import asyncio, ctypes, os, sys, time
library = ctypes.CDLL(None)
async def main():
    await asyncio.sleep(0)
    for line in sys.stdin:
        await asyncio.sleep(0)
        if line == "fork\\n":
            child = os.fork() or os._exit(0)
            os.waitpid(child, 0)
        if line == "become nobody\\n":
            os.setgid(65534)
            os.setuid(65534)
        start = time.monotonic()
        time.sleep(0.001)
        print("turn", time.monotonic() - start, flush=True)
        if line == "flush\\n":
            print(library.loophound_flush(), flush=True)
asyncio.run(main())
print("end", flush=True)
"""


class Turns:
    """A program that blocks once whenever it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.blocks = 0

    def say(self, line: str) -> str:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def block(self, times: int = 1) -> None:
        for _ in range(times):
            assert self.say("go").startswith("turn")
            self.blocks += 1

    def fork(self) -> None:
        assert self.say("fork").startswith("turn")
        self.blocks += 1

    def become_nobody(self) -> None:
        assert self.say("become nobody").startswith("turn")
        self.blocks += 1

    def flush(self) -> str:
        assert self.say("flush").startswith("turn")
        self.blocks += 1
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def end(self) -> tuple[str, str]:
        out, err = self.process.communicate(timeout=60)
        assert (self.process.returncode, out) == (0, "end\n"), err
        return out, err


def turning(**options: str) -> tuple[list[str], dict[str, str], dict[str, int]]:
    settings = {"STRICT": "on", "PLACES": "each", "RATE": "off", "CALLS": "sleep", **options}
    environment = preload_environment(**settings)
    return [PYTHON, "-c", TURNS], environment, {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}


def run_under(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [
        str(COMMAND),
        "run",
        "--strict",
        "--places",
        "each",
        "-t",
        "3600s",
        *map(str, arguments),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def last_counts(err: str) -> tuple[int, int]:
    match = re.search(
        r"(\d+) blocks?, \d+ stalls?, (\d+) dropped(?:, \d+ calls? quiet \(.*\))?$", err.strip()
    )
    assert match, err
    return int(match[1]), int(match[2])


def test_full_disk_loses_every_report_and_counts_each() -> None:
    done = run_under("-o", "/dev/full", "--format", "json", "--", LOOPS, "epoll")
    assert done.returncode == 98  # strict mode, and reports were lost
    assert done.stderr.count("No space left on device") == 1, done.stderr
    found, dropped = last_counts(done.stderr)
    assert found > 0 and dropped >= found, "the first and the last line are lost with them"


def test_fifo_without_a_reader_is_not_waited_for(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    done = run_under("-o", fifo, "--format", "json", "--", LOOPS, "epoll")
    assert done.returncode == 98  # strict mode, and reports were lost
    assert done.stderr.count("reports are lost, and counted as dropped") == 1, done.stderr
    found, dropped = last_counts(done.stderr)
    assert found > 0 and dropped >= found


def test_socket_that_stalls_costs_the_program_no_time(tmp_path: Path) -> None:
    """Nobody reads: what fits the socket is kept, the rest is dropped and counted."""
    path = tmp_path / "socket"
    listener = socket.socket(socket.AF_UNIX)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(str(path))
    listener.listen(1)
    argv, environment, pipes = turning(OUTPUT=f"unix:{path}", FORMAT="json")
    with started(argv, environment, **pipes) as process:
        turns = Turns(process)
        for _ in range(30):
            turns.block(20)
            assert turns.flush() == "0", "what cannot be written is done with, too"
        _, err = turns.end()
        assert "its reader is too slow" in err, err
    connection, _ = listener.accept()
    with connection:
        lines = connection.makefile("rb").read().splitlines(keepends=True)
    assert len(lines) < 600
    assert all(line.startswith(b'{"v":1,') and line.endswith(b"}\n") for line in lines)


def test_socket_that_vanishes_is_said_and_the_program_runs_on(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1)
    argv, environment, pipes = turning(OUTPUT=f"unix:{path}", FORMAT="json")
    with started(argv, environment, **pipes) as process:
        turns = Turns(process)
        turns.block()
        assert turns.flush() == "0"
        connection, _ = listener.accept()
        connection.close()
        listener.close()
        path.unlink()
        turns.block(3)
        assert turns.flush() == "0"
        _, err = turns.end()
    assert err.count("reports are lost, and counted as dropped") == 1, err


def test_log_that_is_rotated_goes_on_under_its_name(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    argv, environment, pipes = turning(OUTPUT=str(log))
    with started(argv, environment, **pipes) as process:
        turns = Turns(process)
        turns.block(2)
        assert turns.flush() == "0"
        log.rename(tmp_path / "log.1")
        turns.block(3)
        assert turns.flush() == "0"
        turns.end()
        summary = wait_for_event(log, "summary", process.pid)
    old = blocks(read_events(tmp_path / "log.1"))
    new = blocks(read_events(log))
    assert len(old) >= 2 and len(new) >= 3
    assert len(old) + len(new) == summary["blocks"] and summary["dropped"] == 0


def collector_of(process: subprocess.Popen[str]) -> int:
    """The pid of the collector that this program has started: it maps the program's ring."""
    marker = f"/proc/{process.pid}/maps"

    def find() -> int | None:
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                if b"collector\0" not in (directory / "cmdline").read_bytes():
                    continue
                links = [str(link.readlink()) for link in (directory / "fd").iterdir()]
            except OSError:
                continue
            if marker in links:
                return int(directory.name)
        return None

    pid: int = wait_until("the collector", find)
    return pid


def test_killed_collector_takes_nothing_of_the_program_with_it(hits: Path) -> None:
    argv, environment, pipes = turning(OUTPUT=str(hits))
    with started(argv, environment, **pipes) as process:
        turns = Turns(process)
        turns.block()
        assert turns.flush() == "0"
        os.kill(collector_of(process), signal.SIGKILL)
        turns.block(100)
        turns.end()
    assert len(blocks(read_events(hits))) >= 1


def check_taken_over(turns: Turns, output: Path, pid: int) -> None:
    """All is told or counted; what the first reader had taken is one report at most."""
    summary = wait_for_event(output, "summary", pid)
    told = len(blocks(read_events(output)))
    assert turns.blocks == summary["blocks"] == told + summary["dropped"]
    assert summary["dropped"] <= 1


def block_until_taken_over(turns: Turns, output: Path) -> None:
    """Another one reads the ring."""

    def is_told() -> bool:
        turns.block()
        return len(of_type(read_events(output), "start")) == 2

    wait_until("another collector", is_told)


@pytest.mark.parametrize("forks", [False, True])
def test_reports_of_a_killed_collector_are_taken_over(forks: bool, hits: Path) -> None:
    """Also by a watchdog that came after a fork, without a descriptor of the collector."""
    argv, environment, pipes = turning(OUTPUT=str(hits))
    with started(argv, environment, **pipes) as process:
        turns = Turns(process)
        turns.block()
        assert turns.flush() == "0"
        if forks:
            turns.fork()
        os.kill(collector_of(process), signal.SIGKILL)
        block_until_taken_over(turns, hits)
        turns.end()
        check_taken_over(turns, hits, process.pid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_reports_of_a_collector_that_died_are_taken_over_after_setuid() -> None:
    """By a watchdog that came after it, and has no descriptor of the collector."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        hits = Path(directory, "hits.jsonl")
        argv, environment, pipes = turning(OUTPUT=str(hits))
        with started(argv, environment, **pipes) as process:
            turns = Turns(process)
            turns.block()
            assert turns.flush() == "0"
            os.chown(hits, NOBODY, NOBODY)  # for the collector to come
            turns.become_nobody()
            os.kill(collector_of(process), signal.SIGKILL)
            block_until_taken_over(turns, hits)
            turns.end()
            check_taken_over(turns, hits, process.pid)


@pytest.mark.parametrize("forks", [False, True])
def test_reports_under_a_run_that_was_killed_are_taken_over(forks: bool, hits: Path) -> None:
    argv, environment, pipes = turning()
    command = [str(COMMAND), "run", "-o", str(hits), "--", *argv]
    with started(command, environment, **pipes) as process:
        turns = Turns(process)
        turns.block()
        assert turns.flush() == "0"
        if forks:
            turns.fork()
        process.kill()
        block_until_taken_over(turns, hits)
        process.communicate(timeout=60)
        check_taken_over(turns, hits, read_events(hits)[0]["pid"])


FORK_SERVER = """
import asyncio, multiprocessing
async def main():
    await asyncio.sleep(0)
    multiprocessing.get_context("forkserver").Process(target=print, args=("child",)).start()
    await asyncio.sleep(0)
if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.mark.parametrize("python", READABLE)
def test_what_outlives_the_run_adds_nothing_to_its_last_line(python: str, tmp_path: Path) -> None:
    """A server of forks ends a moment later."""
    script = tmp_path / "app.py"
    script.write_text(FORK_SERVER)
    done = run_command("run", "-t", "3600s", "--", python, script)
    assert (done.returncode, done.stdout) == (0, "child\n")
    assert last_counts(done.stderr)
    assert '"v":1' not in done.stderr and "no collector" not in done.stderr


def test_stopped_collector_holds_up_no_call_and_its_losses_are_counted(hits: Path) -> None:
    """More than the queue holds happens meanwhile; each report that was lost is in the summary."""
    argv, environment, pipes = turning(OUTPUT=str(hits))
    with started(argv, environment, **pipes) as process:
        turns = Turns(process)
        turns.block()
        assert turns.flush() == "0"
        collector = collector_of(process)
        os.kill(collector, signal.SIGSTOP)
        try:
            turns.block(2500)
        finally:
            os.kill(collector, signal.SIGCONT)
        turns.end()
        summary = wait_for_event(hits, "summary", process.pid)
    told = len(blocks(read_events(hits)))
    assert summary["dropped"] > 0
    assert told + summary["dropped"] == summary["blocks"] >= 201


@pytest.mark.parametrize("collector", ["/nowhere/loophound", "/bin/false", "/bin/true"])
def test_collector_that_cannot_start_leaves_raw_lines_and_a_word(
    collector: str, tmp_path: Path
) -> None:
    hits = tmp_path / "hits.jsonl"
    argv, environment, pipes = turning(OUTPUT=str(hits), COLLECTOR=collector)
    with started(argv, environment, **pipes) as process:
        turns = Turns(process)
        turns.block(3)
        wait_until("raw lines", lambda: turns.flush() == "0")
        _, err = turns.end()
    assert len(blocks(read_events(hits))) >= 3, err
    assert err.count("no collector can be started") == 1, err


# It ends right after its only block.
ONE_BLOCK = """
import asyncio, os, sys, time
async def main():
    await asyncio.sleep(0)
    time.sleep(0.001)
    if sys.argv[1:] == ["at once"]:
        os.write(1, b"end\\n")
        os._exit(0)
asyncio.run(main())
print("end")
"""

# What stands in LOOPHOUND_COLLECTOR, and is no good.
OTHER_VERSION = "#!/bin/sh\necho 'its library is of another version' >&2\n"
USELESS = {
    "not executable": ("#!/bin/sh\n", 0o644, "it may not be executed"),
    "crashes": ("#!/bin/sh\nkill -SEGV $$\n", 0o755, "it ends at once"),
    "exits": ("#!/bin/sh\nexit 0\n", 0o755, "it ends at once"),
    "hangs": ("#!/bin/sh\nexec sleep 600\n", 0o755, "it hangs"),
    "stopped": ("#!/bin/sh\nkill -STOP $$\n", 0o755, "it hangs"),
    "other machine": ("\x7fELF" + 60 * "\x01", 0o755, "it is no program for this machine"),
    "other version": (OTHER_VERSION, 0o755, "it ends at once"),
    "spins": ("#!/bin/sh\nwhile :; do :; done\n", 0o755, "it runs, and does not read"),
}
# One that spins is known by its processor time, of which it gets little while a busy machine's
# program ends: test_collector_without_use_is_given_up_while_the_program_goes_on.
USELESS_SOON = [kind for kind in USELESS if kind != "spins"]


def left_behind(directory: Path) -> list[int]:
    """Processes that were started there."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink() == directory and (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


# A program's end waits 200 ms; on a busy machine what was started has not even ended by then.
TRIES = 5


def run_short(directory: Path, environment: dict[str, str], *how: str) -> tuple[str, str]:
    argv = [PYTHON, "-c", ONE_BLOCK, *how]
    with started(argv, environment, cwd=directory, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out, err


@pytest.mark.parametrize("how", ["", "at once"])
@pytest.mark.parametrize("kind", USELESS_SOON)
def test_short_program_with_a_useless_collector_is_told_in_raw_lines(
    kind: str, how: str, tmp_path: Path
) -> None:
    """Also one that ends by _exit(), right after its report."""
    content, mode, why = USELESS[kind]
    collector = tmp_path / "collector"
    collector.write_bytes(content.encode("latin-1"))
    collector.chmod(mode)
    hits = tmp_path / "hits.jsonl"
    environment = preload_environment(
        STRICT="on", PLACES="each", CALLS="sleep", OUTPUT=str(hits), COLLECTOR=str(collector)
    )
    for _ in range(TRIES):
        try:
            out, err = run_short(tmp_path, environment, how)
        finally:
            for pid in left_behind(tmp_path):
                os.kill(pid, signal.SIGKILL)
        if err:
            break
    assert out == "end\n"
    assert f"no collector can be started (LOOPHOUND_COLLECTOR): {why}" in err, err
    assert err.count("no collector") == 1, err
    events = read_events(hits)
    may_be_there = ("loop", "inflight")  # the latter where the sleep is held up by others
    assert [event["type"] for event in events if event["type"] not in may_be_there] == [
        "start",
        "block",
        "summary",
    ]


@pytest.mark.parametrize("kind", ["hangs", "spins", "takes the ring and spins"])
def test_collector_without_use_is_given_up_while_the_program_goes_on(
    kind: str, tmp_path: Path
) -> None:
    content, _, why = USELESS.get(
        kind, (f"#!/bin/sh\nexec {IDLE_READER}\n", 0, USELESS["spins"][2])
    )
    collector = tmp_path / "collector"
    collector.write_text(content)
    collector.chmod(0o755)
    hits = tmp_path / "hits.jsonl"
    argv, environment, pipes = turning(OUTPUT=str(hits), COLLECTOR=str(collector))
    try:
        with started(argv, environment, cwd=tmp_path, **pipes) as process:
            turns = Turns(process)

            def is_told() -> bool:
                turns.block()
                return len(blocks(read_events(hits))) > 0

            wait_until("raw lines", is_told, patience_s=400)  # 10 s of processor time
            # Thousands may wait to be written, longer than a program's end waits for them.
            wait_until("all of them", lambda: turns.flush() == "0")
            _, err = turns.end()
    finally:
        for pid in left_behind(tmp_path):
            os.kill(pid, signal.SIGKILL)
    assert err.count(f"{why}; writing raw JSON lines") == err.count("loophound:") == 1, err
    summary = of_type(read_events(hits), "summary")[0]
    assert len(blocks(read_events(hits))) + summary["dropped"] == summary["blocks"] == turns.blocks


def test_collector_that_comes_to_itself_too_late_tells_nothing_twice(tmp_path: Path) -> None:
    """It hung until the program had told all itself."""
    go_on = tmp_path / "go on"
    collector = tmp_path / "collector"
    collector.write_text(
        f"#!/bin/sh\nwhile ! [ -e '{go_on}' ]; do sleep 3600; done\nexec {COMMAND} collector\n"
    )
    collector.chmod(0o755)
    hits = tmp_path / "hits.jsonl"
    environment = preload_environment(
        STRICT="on", PLACES="each", CALLS="sleep", OUTPUT=str(hits), COLLECTOR=str(collector)
    )
    for _ in range(TRIES):
        run_short(tmp_path, environment)
        if hits.exists():
            break
        for pid in left_behind(tmp_path):
            os.kill(pid, signal.SIGKILL)
    before = hits.read_text()
    assert before.count('"type":"block"') == 1
    go_on.touch()
    for pid in left_behind(tmp_path):
        if Path(f"/proc/{pid}/comm").read_text() == "sleep\n":
            os.kill(pid, signal.SIGKILL)
    wait_until("its end", lambda: left_behind(tmp_path) == [])
    assert hits.read_text() == before


def limit_memory(megabytes: int) -> Callable[[], None]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

    return limit


@pytest.mark.parametrize("megabytes", [4, 6, 8, 12, 16, 24])
def test_program_short_of_memory_runs_as_without_the_library(megabytes: int) -> None:
    """Where no room is left for the ring, the program is not watched, and runs."""
    plain = subprocess.run(
        [LOOPS, "epoll"],
        preexec_fn=limit_memory(megabytes),
        capture_output=True,
        check=False,
        timeout=60,
    )
    if plain.returncode != 0:
        pytest.skip(f"the program itself needs more than {megabytes} MiB")
    environment = preload_environment(THRESHOLD="20ms")
    done = subprocess.run(
        [LOOPS, "epoll"],
        env=environment,
        preexec_fn=limit_memory(megabytes),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout), done.stderr
