# SPDX-License-Identifier: Apache-2.0
"""The collector as a process among others: several, starved, stopped, orphaned; and its end."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from harness import (
    COMMAND,
    PROGRAMS,
    PYTHON,
    blocks,
    clean_environment,
    describe,
    functions,
    of_type,
    preload_environment,
    read_events,
    run_command,
    started,
    wait_for_event,
    wait_until,
)
from test_faults import Turns, collector_of, turning

LOOPS = PROGRAMS / "loops"
TGKILL = 234  # its number on x86-64

# Takes in all orphans of what it starts (PR_SET_CHILD_SUBREAPER), and says how each has ended.
REAPER = """
import ctypes, json, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
program = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
while True:
    try:
        pid, status = os.wait()
    except ChildProcessError:
        break
    print(json.dumps([pid == program, os.waitstatus_to_exitcode(status)]), flush=True)
"""

# Its collector does not run meanwhile.
BURST = """
import os, select, signal, sys, time
def down(depth):
    if depth > 0:
        return down(depth - 1)
    for _ in range(int(sys.argv[1])):
        time.sleep(1e-9)
loop = select.epoll()
loop.poll(0)
os.kill(os.getppid(), signal.SIGSTOP)
down(20)
os.kill(os.getppid(), signal.SIGCONT)
"""

BLOCK_AND = """
import asyncio, ctypes, os, signal, sys, time
async def main():
    await asyncio.sleep(0)
    time.sleep(0.06)
    await asyncio.sleep(0)
    while ctypes.CDLL(None).loophound_flush() != 0:
        pass
    {end}
asyncio.run(main())
"""


def with_preload(environment: dict[str, str]) -> list[str]:
    """The front of a command line that gives these variables to the rest of it alone."""
    ours = ("LD_PRELOAD", "LOOPHOUND_")
    return ["env", *(f"{k}={v}" for k, v in environment.items() if k.startswith(ours))]


def ends_of(argv: list[str]) -> list[tuple[bool, int]]:
    """Who has ended how, in this order: the program (true), and what it has left behind."""
    done = subprocess.run(
        [sys.executable, "-c", REAPER, *argv],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("pass", 0),
        ("os._exit(3)", 3),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os.abort()", -signal.SIGABRT),
    ],
)
def test_collector_outlives_the_program_tells_all_and_ends(
    end: str, status: int, hits: Path
) -> None:
    environment = preload_environment(OUTPUT=str(hits), STRICT="on", PLACES="each", CALLS="sleep")
    program = [PYTHON, "-c", BLOCK_AND.format(end=end)]
    ends = ends_of([*with_preload(environment), *program])
    assert [how for is_program, how in ends if is_program] == [status]
    left_behind = [how for is_program, how in ends if not is_program]
    # Two where the program ends so early that the parent of the collector was not gone yet.
    assert left_behind in ([0], [0, 0]), "the collector, and it ended well"
    events = read_events(hits)
    assert [block["call"] for block in blocks(events)] == ["clock_nanosleep"]
    assert events[-1]["type"] == "summary"


def test_collectors_of_many_programs_share_one_output(hits: Path) -> None:
    environment = preload_environment(OUTPUT=str(hits), STRICT="on", PLACES="each", CALLS="sleep")
    programs = [subprocess.Popen([LOOPS, "threads"], env=environment) for _ in range(8)]
    for program in programs:
        assert program.wait(timeout=60) == 0
        wait_for_event(hits, "summary", program.pid)
    events = read_events(hits)  # fails on a torn line
    for program in programs:
        own = [event for event in events if event["pid"] == program.pid]
        assert [len(of_type(own, kind)) for kind in ("start", "summary")] == [1, 1]
        assert len(blocks(own)) == own[-1]["blocks"] >= 2
        assert own[0]["type"] == "start" and own[-1]["type"] == "summary"


def test_collector_that_was_stopped_at_the_end_tells_it_when_it_goes_on(hits: Path) -> None:
    """The program ends without it, after a short wait; what it has left is told later."""
    argv, environment, pipes = turning(OUTPUT=str(hits))
    with started(argv, environment, **pipes) as process:
        turns = Turns(process)
        turns.block()
        assert turns.flush() == "0"
        collector = collector_of(process)
        os.kill(collector, signal.SIGSTOP)
        try:
            turns.block(5)
            out, err = process.communicate(timeout=60)  # to the end of both pipes
            assert (process.returncode, out, err) == (0, "end\n", "")
            assert of_type(read_events(hits), "summary") == []
        finally:
            os.kill(collector, signal.SIGCONT)
        summary = wait_for_event(hits, "summary", process.pid)
    assert len(blocks(read_events(hits))) == summary["blocks"] >= 6
    wait_until("the collector's end", lambda: has_ended(collector))


def has_ended(pid: int) -> bool:
    """Gone, or left to whoever takes in orphans here."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() == b""
    except OSError:
        return True


def starve(pid: int) -> None:
    """It runs when nobody else wants to, and its session has no fair share either: sched(7)."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setscheduler(int(thread.name), os.SCHED_IDLE, os.sched_param(0))
    with suppress(OSError):  # a kernel without groups by session
        Path(f"/proc/{pid}/autogroup").write_text("19")


@contextmanager
def busy_processors() -> Iterator[None]:
    """Something that computes, twice for each processor."""
    count = 2 * len(os.sched_getaffinity(0))
    busy = [subprocess.Popen([PYTHON, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


@pytest.mark.alone
def test_starved_collector_costs_the_program_nothing_but_reports(hits: Path) -> None:
    """It runs when nobody else wants to, and everybody does."""
    argv, environment, pipes = turning(OUTPUT=str(hits))
    with started(argv, environment, **pipes) as process:
        turns = Turns(process)
        turns.block()
        assert turns.flush() == "0"
        starve(collector_of(process))

        def does_not_wait_for_it() -> bool:
            turns.block(100)
            return len(blocks(read_events(hits))) < turns.blocks

        with busy_processors():
            wait_until("more blocks than are told", does_not_wait_for_it)
            turns.end()
        summary = wait_for_event(hits, "summary", process.pid)
    assert len(blocks(read_events(hits))) + summary["dropped"] == summary["blocks"] >= turns.blocks


# Its own children are all that a process is told of, before and after there is something to tell.
TAKES_IN_ORPHANS = """
import asyncio, ctypes, os, sys, time
PR_SET_CHILD_SUBREAPER = 36
if os.getpid() != 1:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
async def main():
    await asyncio.sleep(0)
    time.sleep(0.06)
    await asyncio.sleep(0)
    while ctypes.CDLL(None).loophound_flush() != 0:
        pass
    for status in (3, 4):
        if os.fork() == 0:
            os._exit(status)
    while True:
        try:
            print(os.wait()[1] >> 8)
        except ChildProcessError:
            break
    time.sleep(0.06)
    try:
        print(os.waitpid(-1, os.WNOHANG))
    except ChildProcessError:
        print("no child")
asyncio.run(main())
while ctypes.CDLL(None).loophound_flush() != 0:
    pass
"""

IN_NEW_PID_NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc"]


@pytest.mark.parametrize("front", [[], IN_NEW_PID_NAMESPACE], ids=["subreaper", "pid 1"])
def test_program_that_takes_in_orphans_has_no_children_but_its_own(
    front: list[str], hits: Path
) -> None:
    """It starts no collector, which would be one of them: it says so and writes raw lines."""
    if subprocess.run([*front, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("not allowed to make a pid namespace")
    environment = preload_environment(OUTPUT=str(hits), STRICT="on", PLACES="each", CALLS="sleep")
    argv = [*front, *with_preload(environment), PYTHON, "-c", TAKES_IN_ORPHANS]
    done = subprocess.run(
        argv,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, sorted(done.stdout.splitlines())) == (0, ["3", "4", "no child"])
    assert "pid 1 or a child subreaper" in done.stderr and "loophound run" in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    events = read_events(hits)
    assert [block["call"] for block in blocks(events)] == ["clock_nanosleep"] * 2
    frames = [frame for block in blocks(events) for frame in block["stack"]]
    assert any(frame["build_id"] for frame in frames if frame["lang"] == "native"), "raw"


def threads_that_take(pid: int, number: int) -> list[int]:
    """The threads that do not block this signal."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        blocked = int((task / "status").read_text().split("SigBlk:")[1].split()[0], 16)
        if not blocked & (1 << (number - 1)):
            found.append(int(task.name))
    return found


def test_fault_signal_that_was_sent_is_the_commands(hits: Path) -> None:
    """SIGBUS is the one that some of our threads do not block: the kernel may pick one of them."""
    script = (
        "import asyncio, signal, sys\n"
        "def end(*_):\n"
        "    print('got it', flush=True)\n"
        "    sys.exit(5)\n"
        "async def main():\n"
        "    asyncio.get_running_loop().add_signal_handler(signal.SIGBUS, end)\n"
        "    await asyncio.sleep(0)\n"
        "    print('ready', flush=True)\n"
        "    await asyncio.sleep(20)\n"
        "asyncio.run(main())\n"
    )
    argv: list[str | Path] = [COMMAND, "run", "-o", hits, "--", PYTHON, "-c", script]
    with started(argv, clean_environment(), stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        wait_for_event(hits, "loop")
        (thread,) = threads_that_take(process.pid, signal.SIGBUS)
        assert thread != process.pid
        assert ctypes.CDLL(None).syscall(TGKILL, process.pid, thread, signal.SIGBUS) == 0
        out, err = process.communicate(timeout=60)
    assert (out, process.returncode) == ("got it\n", 5), err


def test_thousand_captures_at_once_are_all_told(hits: Path) -> None:
    argv = [
        "run",
        "--strict",
        "--places",
        "each",
        "--rate",
        "off",
        "-o",
        str(hits),
        "--",
        PYTHON,
        "-c",
        BURST,
        "1000",
    ]
    done = run_command(*argv)
    assert done.returncode == 0, done.stderr
    events = read_events(hits)
    (summary,) = of_type(events, "summary")
    naps = [block for block in blocks(events) if block["call"] == "clock_nanosleep"]
    assert (len(naps), summary["dropped"]) == (1000, 0)
    assert all(functions(block).count("down") == 21 for block in naps), describe(naps[-5:])


def test_collector_has_as_many_descriptors_as_it_may(hits: Path) -> None:
    """It opens the files of the program's stacks; the program's own limit is its own."""
    argv, environment, pipes = turning(OUTPUT=str(hits))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))

    with started(argv, environment, preexec_fn=lower, **pipes) as process:
        turns = Turns(process)
        turns.block()
        wait_until(
            "the collector's own limit",
            lambda: resource.prlimit(collector_of(process), resource.RLIMIT_NOFILE)[0] == hard,
        )
        assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE)[0] == 64
        turns.end()
