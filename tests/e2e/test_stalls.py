"""Iterations that take long without a block to tell why: found, measured, and their place named."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from harness import (
    LIBRARY,
    PROGRAMS,
    PYTHON,
    ROOT,
    Event,
    blocks,
    describe,
    first_frame_in,
    functions,
    of_type,
    preload_environment,
    read_events,
    run_command,
    run_preloaded,
    started,
    wait_until,
)

pytestmark = pytest.mark.alone  # what takes the processor away from them is in their reports

STALLS = PROGRAMS / "stalls"
APP = ROOT / "tests" / "programs" / "python" / "stalls.py"


def run_c(way: str, output: Path, **options: Any) -> tuple[float, float, list[Event]]:
    """The iteration's true wall and CPU time in ms, and the events."""
    done, events = run_preloaded([STALLS, way], output, **options)
    assert (done.returncode, done.stderr) == (0, "")
    wall_ms, cpu_ms = map(float, done.stdout.split())
    return wall_ms, cpu_ms, events


def run_python(way: str, output: Path, **options: Any) -> tuple[int, float, list[Event]]:
    """The line to blame, the CPU time it took in ms, and the events."""
    done, events = run_preloaded([PYTHON, APP, way], output, **options)
    assert (done.returncode, done.stderr) == (0, "")
    line, cpu_ms = done.stdout.split()
    return int(line), float(cpu_ms), events


def the_stall(events: list[Event]) -> Event:
    found = of_type(events, "stall")
    assert len(found) == 1, describe(events)
    return found[0]


def about(value: float, truth: float, part: float = 0.1, slack: float = 5) -> bool:
    return abs(value - truth) <= part * truth + slack


def samples_in(stall: Event, function: str) -> int:
    return sum(
        sample["count"]
        for sample in stall["samples"]
        if function in [frame["function"] for frame in sample["stack"]]
    )


def test_iteration_that_computes_is_a_stall_on_the_cpu(hits: Path) -> None:
    wall_ms, cpu_ms, events = run_c("compute", hits)
    stall = the_stall(events)
    assert about(stall["duration_ms"], wall_ms)
    assert about(stall["oncpu_ms"], cpu_ms)
    assert stall["gil_ms"] == 0
    assert stall["calls"] == []
    assert blocks(events) == []
    total = sum(sample["count"] for sample in stall["samples"])
    assert total >= 10
    assert samples_in(stall, "compute_ms") >= 0.9 * total
    assert samples_in(stall, "run_loop") >= 0.9 * total


@contextmanager
def competitors(nice: int) -> Iterator[None]:
    """Three processes for each processor that compute all the time."""
    argv = ["nice", "-n", str(nice), PYTHON, "-c", "print(flush=True)\nwhile True: pass"]
    with ExitStack() as stack:
        for _ in range(3 * (os.cpu_count() or 1)):
            process = stack.enter_context(started(argv, dict(os.environ)))
            assert process.stdout
            process.stdout.readline()
        yield


def test_wait_for_a_processor_is_told_apart_from_computing(hits: Path) -> None:
    with competitors(nice=5):
        wall_ms, cpu_ms, events = run_c("compute", hits)
    assert wall_ms > 1.2 * cpu_ms, "the competitors took nothing away"
    stall = the_stall(events)
    assert about(stall["duration_ms"], wall_ms)
    assert about(stall["oncpu_ms"], cpu_ms)
    assert about(stall["runqueue_ms"], wall_ms - cpu_ms)
    assert about(stall["blocked_ms"], 0)


def test_short_calls_add_up_to_a_stall_that_names_them(hits: Path) -> None:
    wall_ms, _, events = run_c("sleeps", hits)
    stall = the_stall(events)
    assert blocks(events) == []
    (call,) = stall["calls"]
    assert call["call"] == "nanosleep"
    assert 50 <= call["count"] <= 60
    assert about(call["total_ms"], wall_ms)
    assert about(stall["blocked_ms"], wall_ms)
    assert samples_in(stall, "sleeps") >= 10


def test_computing_and_waiting_are_told_apart(hits: Path) -> None:
    wall_ms, cpu_ms, events = run_c("mixed", hits)
    stall = the_stall(events)
    parts = [stall[f"{part}_ms"] for part in ("oncpu", "blocked", "runqueue", "gil")]
    assert about(stall["duration_ms"], wall_ms)
    assert about(stall["oncpu_ms"], cpu_ms)
    assert about(sum(parts), stall["duration_ms"], 0.01)
    assert samples_in(stall, "compute_ms") >= 5
    assert samples_in(stall, "sleeps") >= 10


def test_time_that_a_block_tells_is_not_told_again(hits: Path) -> None:
    _, _, events = run_c("block", hits)
    assert of_type(events, "stall") == []
    assert len(blocks(events)) == 1


def test_iteration_with_a_block_and_more_tells_both_once(hits: Path) -> None:
    wall_ms, cpu_ms, events = run_c("both", hits)
    stall = the_stall(events)
    (block,) = blocks(events)
    assert about(stall["duration_ms"] + block["duration_ms"], wall_ms)
    assert about(stall["oncpu_ms"], cpu_ms)
    summary = of_type(events, "summary")[0]
    assert (summary["blocks"], summary["stalls"]) == (1, 1)


@pytest.mark.parametrize("way", ["clean", "allowed"])
def test_short_and_allowed_iterations_are_silent(way: str, hits: Path) -> None:
    _, _, events = run_c(way, hits)
    assert {event["type"] for event in events} == {"start", "loop", "summary"}, describe(events)


@pytest.mark.parametrize("options", [{"STALL": "off"}, {"STRICT": "on"}])
def test_stalls_can_be_switched_off_and_are_off_in_strict_mode(
    options: dict[str, str], hits: Path
) -> None:
    _, _, events = run_c("compute", hits, **options)
    assert {event["type"] for event in events} <= {"start", "loop", "block", "summary"}
    assert of_type(events, "summary")[0]["stalls"] == 0


def test_iteration_that_never_ends_is_told_while_it_lasts(hits: Path) -> None:
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="40ms")
    with started([STALLS, "forever"], environment):
        wait_until("three reports", lambda: len(of_type(read_events(hits), "inflight")) >= 3)
        told = of_type(read_events(hits), "inflight")[:3]
    assert [event["call"] for event in told] == [None] * 3
    assert [event["system_call"] for event in told] == [None] * 3
    assert len({event["id"] for event in told}) == 1
    assert told[0]["duration_ms"] >= 40
    assert told[1]["duration_ms"] >= 80
    assert "compute_ms" in [frame["function"] for frame in told[0]["stack"]]


@pytest.mark.parametrize("way", ["handler", "blocked"])
def test_signal_that_the_program_uses_itself_is_left_alone(way: str, hits: Path) -> None:
    _, cpu_ms, events = run_c(way, hits)
    stall = the_stall(events)
    assert stall["samples"] == []
    assert about(stall["oncpu_ms"], cpu_ms)


def test_another_signal_can_be_chosen(hits: Path) -> None:
    _, _, events = run_c("handler", hits, SIGNAL="40")
    assert samples_in(the_stall(events), "compute_ms") >= 10


def test_without_a_signal_there_are_no_samples(hits: Path) -> None:
    _, _, events = run_c("compute", hits, SIGNAL="none")
    assert the_stall(events)["samples"] == []


def test_process_that_ends_in_a_long_iteration_ends_its_stall(hits: Path) -> None:
    done, events = run_preloaded([STALLS, "leave"], hits)
    assert done.returncode == 0
    stall = the_stall(events)
    assert {event["id"] for event in of_type(events, "inflight")} == {stall["id"]}
    assert about(stall["oncpu_ms"], 300)


def assert_held_without_a_stall(out: str, held_ms: float, hits: Path) -> None:
    wall_ms, _ = map(float, out.split())
    assert wall_ms >= held_ms
    events = read_events(hits)
    assert of_type(events, "summary")
    assert of_type(events, "stall") == [], describe(events)


def test_process_that_is_stopped_and_continued_has_no_stall(hits: Path) -> None:
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="40ms")
    with started([STALLS, "stopped"], environment) as process:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        time.sleep(0.3)  # the time it is held
        process.send_signal(signal.SIGCONT)
        out, _ = process.communicate(timeout=30)
    assert_held_without_a_stall(out, 300, hits)


class Debugger:
    """Holds a process as a debugger does, thread by thread: ptrace(2)."""

    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
    ALL_KINDS = 0x40000000  # __WALL: threads, too, that libc did not make

    def __init__(self, pid: int) -> None:
        self.tids = [int(entry.name) for entry in Path(f"/proc/{pid}/task").iterdir()]

    def ask(self, request: int, tid: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.ptrace(request, tid, None, None) != 0:
            raise OSError(ctypes.get_errno(), f"ptrace {request:#x}")

    def __enter__(self) -> None:
        for tid in self.tids:
            self.ask(self.SEIZE, tid)
            self.ask(self.INTERRUPT, tid)
            os.waitpid(tid, self.ALL_KINDS)

    def __exit__(self, *unused: object) -> None:
        for tid in self.tids:
            self.ask(self.DETACH, tid)


def test_process_that_a_debugger_held_has_no_stall(hits: Path) -> None:
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="1s")
    with started([STALLS, "held"], environment) as process:
        assert process.stdout
        assert process.stdout.readline() == "hold me\n"
        with Debugger(process.pid):
            time.sleep(1.5)  # the time it is held
        out, _ = process.communicate(timeout=30)
    assert_held_without_a_stall(out, 1500, hits)


def test_fail_is_for_stalls_too() -> None:
    assert run_command("run", "--fail", "--", STALLS, "compute").returncode == 99
    assert run_command("run", "--fail", "--", STALLS, "clean").returncode == 0


def test_two_loops_that_compute_are_two_stalls(hits: Path) -> None:
    done, events = run_preloaded([STALLS, "threads"], hits)
    found = of_type(events, "stall")
    assert len({stall["tid"] for stall in found}) == 2
    for stall in found:
        assert samples_in(stall, "compute_ms") >= 10
        assert about(stall["oncpu_ms"], 300)


def test_three_of_many_loops_stall_and_no_other(hits: Path) -> None:
    done, events = run_preloaded([PROGRAMS / "many_loops"], hits)
    assert done.returncode == 0
    assert of_type(events, "summary")[0]["loops"] == 64
    stalls = of_type(events, "stall")
    assert {stall["thread"] for stall in stalls} == {"stall-0", "stall-1", "stall-2"}
    assert len(stalls) == 3, describe(stalls)
    assert blocks(events) == []
    for stall in stalls:
        assert about(stall["oncpu_ms"], 200)
        assert about(stall["oncpu_ms"] + stall["runqueue_ms"], stall["duration_ms"])
        assert samples_in(stall, "compute_200_ms") >= 1


def test_exceptions_are_caught_while_their_unwinding_is_sampled(hits: Path) -> None:
    extra = {"LD_PRELOAD": f"{LIBRARY} {PROGRAMS / 'exceptions.so'}"}
    done, events = run_preloaded([PROGRAMS / "host"], hits, extra=extra)
    assert (done.returncode, done.stderr) == (0, "")
    _, cpu_ms, thrown = map(float, done.stdout.split())
    assert thrown >= 2000
    stall = the_stall(events)
    assert about(stall["oncpu_ms"], cpu_ms)
    assert samples_in(stall, "host_main") >= 10


SLOW_MODULE = PROGRAMS / "slow_module.so"


@pytest.mark.parametrize("way", [["own"], ["other", SLOW_MODULE], ["poll", SLOW_MODULE]])
def test_loop_is_sampled_while_the_loader_is_locked(way: list[str | Path], hits: Path) -> None:
    done, events = run_preloaded([PROGRAMS / "loader", *way], hits)
    assert (done.returncode, done.stderr) == (0, "")
    stall = the_stall(events)
    assert about(stall["oncpu_ms"], float(done.stdout))
    assert samples_in(stall, "compute") >= 10


def test_wait_in_an_inline_system_call_is_told_while_it_lasts(hits: Path) -> None:
    wall_ms, cpu_ms, events = run_c("inline", hits)
    stall = the_stall(events)
    assert about(stall["duration_ms"], wall_ms)
    assert about(stall["oncpu_ms"], cpu_ms)
    assert about(stall["blocked_ms"], wall_ms)
    assert samples_in(stall, "read_by_hand") >= 5
    assert samples_in(stall, "run_loop") >= 5
    told = of_type(events, "inflight")
    assert told and {event["id"] for event in told} == {stall["id"]}
    for event in told:
        assert event["call"] is None
        assert event["system_call"] == {"number": 0, "name": "read"}
        assert "read_by_hand" in functions(event)


def test_text_names_the_system_call_it_waits_in() -> None:
    environment = preload_environment()
    with started([STALLS, "inline"], environment, stderr=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=30)
    assert " in system call 0 (read), not through libc  #1\n" in err, err


def test_iterations_count_exactly_when_the_rate_lets_none_through(hits: Path) -> None:
    _, _, events = run_c("compute", hits, RATE="1/h", THRESHOLD="4ms")
    summary = of_type(events, "summary")[0]
    told = of_type(events, "stall") + blocks(events)
    assert summary["stalls"] + summary["blocks"] == len(told) + summary["dropped"]


def test_text_says_where_the_time_went(hits: Path) -> None:
    environment = preload_environment()
    with started([STALLS, "mixed"], environment, stderr=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=30)
    line = next(line for line in err.splitlines() if " stalled " in line)
    assert " on the CPU, " in line and " blocked" in line, err
    assert "  nanosleep " in err
    assert " samples:" in err


@pytest.mark.parametrize("way", ["loop", "regex", "json", "hash"])
def test_python_that_computes_is_one_stall_at_its_line(way: str, hits: Path) -> None:
    line, cpu_ms, events = run_python(way, hits)
    stall = the_stall(events)
    assert about(stall["oncpu_ms"], cpu_ms)
    top = stall["samples"][0]
    frame = first_frame_in(top, "stalls.py")
    assert frame and frame["line"] == line, top


def test_python_that_reads_often_is_one_stall_that_names_read(hits: Path) -> None:
    line, _, events = run_python("reads", hits)
    stall = the_stall(events)
    call = stall["calls"][0]
    assert call["call"] == "read"
    assert 50 <= call["count"] <= 60
    assert about(call["total_ms"], stall["duration_ms"])
    frame = first_frame_in(stall["samples"][0], "stalls.py")
    assert frame and frame["line"] == line


def test_wait_for_the_gil_is_told_as_such(hits: Path) -> None:
    _, _, events = run_python("gil", hits)
    stall = the_stall(events)
    assert about(stall["gil_ms"], 300)
    assert blocks(events) == []


def test_wait_for_the_gil_after_a_park_is_counted_from_its_start(hits: Path) -> None:
    line, waited_ms, events = run_python("score", hits)
    assert waited_ms > 150, "the score was too quick to be waited for"
    stall = the_stall(events)
    assert about(stall["gil_ms"], waited_ms, 0.02)
    frame = first_frame_in(stall["holder"], "stalls.py")
    assert frame and (frame["function"], frame["line"]) == ("score", line)


def test_clean_iterations_of_python_are_silent(hits: Path) -> None:
    _, _, events = run_python("clean", hits)
    assert of_type(events, "stall") == []
