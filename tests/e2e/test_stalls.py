# SPDX-License-Identifier: Apache-2.0
"""Iterations that take long without a block to tell why: found, measured, and their place named."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from harness import (
    ARM,
    EMULATED,
    LIBRARY,
    PATIENCE_S,
    PROGRAMS,
    PYTHON,
    READ_NUMBER,
    ROOT,
    TOLERANCE_MS,
    Event,
    blocks,
    describe,
    first_frame_in,
    functions,
    native_speed,
    of_type,
    preload_environment,
    read_events,
    run_command,
    run_preloaded,
    stalls_of,
    started,
    told_in_flight,
    wait_for_event,
    wait_until,
)
from pythons import READABLE

pytestmark = pytest.mark.alone  # what takes the processor away from them is in their reports

STALLS = PROGRAMS / "stalls"
APP = ROOT / "tests" / "programs" / "python" / "stalls.py"
WITH_A_GIL = [python for python in READABLE if not python.endswith("t")]


@dataclass
class Between:
    """Milliseconds, of which the least and the most that is true are known."""

    least: float
    most: float

    def has(self, value: float, part: float = 0.1, slack: float = max(5, TOLERANCE_MS)) -> bool:
        return self.least * (1 - part) - slack <= value <= self.most * (1 + part) + slack

    def __sub__(self, other: Between) -> Between:
        return Between(self.least - other.most, self.most - other.least)


class Truth:
    """How long the iteration took, as the program itself has measured: see stalls.c."""

    def __init__(self, out: str) -> None:
        inside, outside = (list(map(float, line.split())) for line in out.splitlines())
        self.wall, self.cpu, self.runqueue = map(Between, inside, outside)
        self.blocked = self.wall - self.cpu - self.runqueue

    def is_told_by(self, stall: Event) -> bool:
        return (
            self.wall.has(stall["duration_ms"])
            and self.cpu.has(stall["oncpu_ms"])
            and self.runqueue.has(stall["runqueue_ms"])
            and self.blocked.has(stall["blocked_ms"])
        )


def run_c(way: str, output: Path, **options: Any) -> tuple[Truth, list[Event]]:
    """What is true of the iteration, and the events."""
    done, events = run_preloaded([STALLS, way], output, **options)
    assert (done.returncode, done.stderr) == (0, "")
    return Truth(done.stdout), events


def run_python(way: str, output: Path, **options: Any) -> tuple[int, Between, list[Event]]:
    """The line to blame, the CPU time it took (or its wait for the GIL), and the events."""
    done, events = run_preloaded([PYTHON, APP, way], output, **options)
    assert (done.returncode, done.stderr) == (0, "")
    line, least_ms, most_ms = done.stdout.split()
    return int(line), Between(float(least_ms), float(most_ms)), events


def the_stall(events: list[Event]) -> Event:
    found = stalls_of(events)
    assert len(found) == 1, describe(events)
    return found[0]


def samples_in(stall: Event, function: str) -> int:
    return sum(
        sample["count"]
        for sample in stall["samples"]
        if function in [frame["function"] for frame in sample["stack"]]
    )


def test_iteration_that_computes_is_a_stall_on_the_cpu(hits: Path) -> None:
    truth, events = run_c("compute", hits)
    stall = the_stall(events)
    assert truth.is_told_by(stall), truth
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
        truth, events = run_c("compute", hits)
    assert truth.runqueue.least > 0.2 * truth.cpu.most, "the competitors took nothing away"
    assert truth.is_told_by(the_stall(events)), truth


def samples_ms(stall: Event, function: str) -> float:
    return sum(
        sample["ms"]
        for sample in stall["samples"]
        if function in [frame["function"] for frame in sample["stack"]]
    )


@native_speed
def test_samples_stand_for_the_waits_for_a_processor_of_what_they_show(hits: Path) -> None:
    with competitors(nice=5):
        truth, events = run_c("mixed", hits, THRESHOLD="200ms")
    assert truth.runqueue.least > 0.2 * truth.cpu.most, "the competitors took nothing away"
    stall = the_stall(events)
    slept_ms = sum(call["total_ms"] for call in stall["calls"])
    ran_ms = stall["duration_ms"] - slept_ms
    assert Between(ran_ms, ran_ms).has(samples_ms(stall, "compute_ms"), 0.2, 15)
    assert Between(slept_ms, slept_ms).has(samples_ms(stall, "sleeps"), 0.2, 15)


@pytest.mark.parametrize("turn", range(4))
def test_call_in_which_the_watchdog_got_no_processor_is_named(turn: int, hits: Path) -> None:
    """By its block where the watchdog has seen it all the same, else by the stall."""
    on_one = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    done, events = run_preloaded([*on_one, STALLS, "starved"], hits)
    assert done.returncode == 0
    named = blocks(events) or [stall["last_call"] for stall in of_type(events, "stall")]
    assert [event["call"] for event in named] == ["nanosleep"], describe(events)


def test_short_calls_add_up_to_a_stall_that_names_them(hits: Path) -> None:
    truth, events = run_c("sleeps", hits, THRESHOLD="200ms")
    stall = the_stall(events)
    assert blocks(events) == []
    (call,) = stall["calls"]
    assert call["call"] == "nanosleep"
    assert 120 <= call["count"] <= 150
    assert truth.wall.has(call["total_ms"])
    assert truth.is_told_by(stall), truth
    assert samples_in(stall, "sleeps") >= 20


def test_computing_and_waiting_are_told_apart(hits: Path) -> None:
    truth, events = run_c("mixed", hits, THRESHOLD="200ms")
    stall = the_stall(events)
    assert truth.is_told_by(stall), truth
    parts_ms = [stall[f"{part}_ms"] for part in ("oncpu", "blocked", "runqueue", "gil")]
    assert Between(sum(parts_ms), sum(parts_ms)).has(stall["duration_ms"], 0.01)
    assert samples_in(stall, "compute_ms") >= 5
    assert samples_in(stall, "sleeps") >= 10


def test_time_that_a_block_tells_is_not_told_again(hits: Path) -> None:
    _, events = run_c("block", hits, THRESHOLD="1s")
    assert of_type(events, "stall") == []
    assert len(blocks(events)) == 1


def test_iteration_with_a_block_and_more_tells_both_once(hits: Path) -> None:
    truth, events = run_c("both", hits)
    stall = the_stall(events)
    (block,) = blocks(events)
    assert truth.wall.has(stall["duration_ms"] + block["duration_ms"])
    assert truth.cpu.has(stall["oncpu_ms"])
    summary = of_type(events, "summary")[0]
    assert (summary["blocks"], summary["stalls"]) == (1, len(of_type(events, "stall")))


@pytest.mark.parametrize("way", ["clean", "allowed"])
def test_short_and_allowed_iterations_are_silent(way: str, hits: Path) -> None:
    _, events = run_c(way, hits, THRESHOLD="500ms")
    assert {event["type"] for event in events} == {"start", "loop", "summary"}, describe(events)


@pytest.mark.parametrize("options", [{"STALL": "off"}, {"STRICT": "on"}])
def test_stalls_can_be_switched_off_and_are_off_in_strict_mode(
    options: dict[str, str], hits: Path
) -> None:
    _, events = run_c("compute", hits, **options)
    assert {event["type"] for event in events} <= {"start", "loop", "block", "summary"}
    assert of_type(events, "summary")[0]["stalls"] == 0


def test_iteration_that_never_ends_is_told_while_it_lasts(hits: Path) -> None:
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="40ms")
    with started([STALLS, "forever"], environment):

        def reports() -> list[Event]:
            """Those of the last iteration that is told of: it is told of for ever."""
            told = of_type(read_events(hits), "inflight")
            return [event for event in told if event["id"] == told[-1]["id"]]

        told = wait_until("three reports", lambda: reports()[2:] and reports()[:3])
    assert [event["call"] for event in told] == [None] * 3
    assert [event["system_call"] for event in told] == [None] * 3
    assert told[0]["duration_ms"] >= 40
    assert told[1]["duration_ms"] >= 80
    # A thread without a processor cannot be seen; once it was, it is told where.
    unseen = [event for event in told if not event["stack"]]
    assert unseen == told[: len(unseen)] and all(event["no_stack"] for event in unseen)
    assert all("compute_ms" in functions(event) for event in told[len(unseen) :])


OTHER_SIGNAL = "loophound: the program uses signal 23 (LOOPHOUND_SIGNAL) itself: "


@pytest.mark.parametrize("way", ["handler", "ignored", "blocked_one"])
def test_signal_that_the_program_uses_itself_is_left_alone_and_another_one_found(
    way: str, hits: Path
) -> None:
    done, events = run_preloaded([STALLS, way], hits)
    assert done.returncode == 0
    assert done.stderr.count(OTHER_SIGNAL) == 1 == done.stderr.count("\n"), done.stderr
    assert samples_in(the_stall(events), "compute_ms") >= 10


def test_signal_that_the_program_takes_while_it_is_sampled_is_given_back(hits: Path) -> None:
    done, events = run_preloaded([STALLS, "later"], hits)
    assert done.returncode == 0
    assert samples_in(the_stall(events), "compute_ms") >= 10


def test_signal_without_a_handler_ends_the_program_as_ever(hits: Path) -> None:
    done, events = run_preloaded([STALLS, "sent"], hits, SIGNAL="64")
    assert done.returncode == -64
    assert {event["call"] for event in of_type(events, "inflight")} == {None}


@native_speed
def test_iteration_that_no_signal_can_sample_is_told_with_the_reason(hits: Path) -> None:
    truth, events = run_c("blocked", hits)
    stall = the_stall(events)
    assert stall["samples"] == []
    assert "uses or blocks every signal" in stall["no_stack"]
    assert truth.cpu.has(stall["oncpu_ms"])
    told = told_in_flight(events)
    assert told and {event["no_stack"] for event in told} == {stall["no_stack"]}


def test_python_that_no_signal_samples_is_seen_from_outside(hits: Path) -> None:
    line, _, events = run_python("hash", hits, SIGNAL="none")
    stall = the_stall(events)
    assert stall["no_stack"] is None
    # What came before and after it in the iteration takes long on a busy machine.
    there = [first_frame_in(sample, "stalls.py") for sample in stall["samples"]]
    assert all(there), stall["samples"]
    at_line_ms = sum(
        sample["ms"]
        for sample, frame in zip(stall["samples"], there, strict=True)
        if frame and frame["line"] == line
    )
    assert at_line_ms > 0.5 * sum(sample["ms"] for sample in stall["samples"]), stall["samples"]


def test_another_signal_can_be_chosen(hits: Path) -> None:
    _, events = run_c("handler", hits, SIGNAL="40")
    assert samples_in(the_stall(events), "compute_ms") >= 10


def test_without_a_signal_there_are_no_samples_of_machine_code(hits: Path) -> None:
    _, events = run_c("compute", hits, SIGNAL="none")
    stall = the_stall(events)
    assert (stall["samples"], stall["groups"]) == ([], [])
    assert "LOOPHOUND_SIGNAL is none" in stall["no_stack"]


def test_process_that_ends_in_a_long_iteration_ends_its_stall(hits: Path) -> None:
    done, events = run_preloaded([STALLS, "leave"], hits)
    assert done.returncode == 0
    stall = the_stall(events)
    assert {event["id"] for event in told_in_flight(events)} == {stall["id"]}
    assert Between(300, 300).has(stall["oncpu_ms"])


def assert_held_without_a_stall(out: str, held_ms: float, hits: Path) -> None:
    assert Truth(out).wall.least >= held_ms
    wait_for_event(hits, "summary")
    events = read_events(hits)
    assert {event["type"] for event in events} == {"start", "loop", "summary"}, describe(events)


@pytest.mark.parametrize(
    ("way", "threshold", "held_s"),
    [("stopped", "1s", 2), ("noted", "2s", 3)],
    ids=["the iteration ends at once", "the iteration ends later"],
)
def test_process_that_is_stopped_and_continued_has_no_stall(
    way: str, threshold: str, held_s: float, hits: Path
) -> None:
    """The loop thread sees by itself that it was held just now; of earlier it asks the watchdog."""
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD=threshold)
    with started([STALLS, way], environment) as process:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        time.sleep(held_s)  # the time it is held
        process.send_signal(signal.SIGCONT)
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert_held_without_a_stall(out, 1000 * held_s, hits)


def test_time_in_which_the_process_was_stopped_is_in_no_call(hits: Path) -> None:
    """What the call waits for is there before the process goes on, so that it ends at once."""
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="2s")
    with started([STALLS, "held_in_call"], environment, stdin=subprocess.PIPE) as process:
        assert process.stdout and process.stdin
        assert process.stdout.readline() == "hold me\n"
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        time.sleep(3)  # the time it is held
        process.stdin.write("x")
        process.stdin.flush()
        process.send_signal(signal.SIGCONT)
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert_held_without_a_stall(out, 3000, hits)


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
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="2s")
    with started([STALLS, "held"], environment) as process:
        assert process.stdout
        assert process.stdout.readline() == "hold me\n"
        with Debugger(process.pid):
            time.sleep(3)  # the time it is held
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert_held_without_a_stall(out, 3000, hits)


def test_fail_is_for_stalls_too() -> None:
    assert run_command("run", "--fail", "--", STALLS, "compute").returncode == 99
    assert run_command("run", "--fail", "-t", "1s", "--", STALLS, "clean").returncode == 0


def test_two_loops_that_compute_are_two_stalls(hits: Path) -> None:
    done, events = run_preloaded([STALLS, "threads"], hits)
    assert (done.returncode, done.stderr) == (0, "")
    found = stalls_of(events)
    assert len({stall["tid"] for stall in found}) == len(found) == 2, describe(events)
    for stall in found:
        assert samples_in(stall, "compute_ms") >= 10
        assert Between(300, 300).has(stall["oncpu_ms"])


@native_speed
def test_three_of_many_loops_stall_and_no_other(hits: Path) -> None:
    done, events = run_preloaded([PROGRAMS / "many_loops"], hits)
    assert done.returncode == 0
    assert of_type(events, "summary")[0]["loops"] == 64
    stalls = stalls_of(events)
    assert {stall["thread"] for stall in stalls} == {"stall-0", "stall-1", "stall-2"}
    assert len(stalls) == 3, describe(stalls)
    assert {block["call"] for block in blocks(events)} <= {"pthread_barrier_wait"}
    for stall in stalls:
        assert Between(200, 200).has(stall["oncpu_ms"])
        duration = Between(stall["duration_ms"], stall["duration_ms"])
        assert duration.has(stall["oncpu_ms"] + stall["runqueue_ms"])
        assert samples_in(stall, "compute_200_ms") >= 1


@native_speed
def test_exceptions_are_caught_while_their_unwinding_is_sampled(hits: Path) -> None:
    extra = {"LD_PRELOAD": f"{LIBRARY} {PROGRAMS / 'exceptions.so'}"}
    done, events = run_preloaded([PROGRAMS / "host"], hits, extra=extra)
    assert (done.returncode, done.stderr) == (0, "")
    _, cpu_ms, thrown = map(float, done.stdout.split())
    assert thrown >= 2000
    stall = the_stall(events)
    assert Between(cpu_ms, cpu_ms).has(stall["oncpu_ms"])
    assert samples_in(stall, "host_main") >= 10


SLOW_MODULE = PROGRAMS / "slow_module.so"


@pytest.mark.parametrize("way", [["own"], ["other", SLOW_MODULE], ["poll", SLOW_MODULE]])
def test_loop_is_sampled_while_the_loader_is_locked(way: list[str | Path], hits: Path) -> None:
    done, events = run_preloaded([PROGRAMS / "loader", *way], hits)
    assert (done.returncode, done.stderr) == (0, "")
    stall = the_stall(events)
    cpu_ms = float(done.stdout)
    assert Between(cpu_ms, cpu_ms).has(stall["oncpu_ms"])
    assert samples_in(stall, "compute") >= 10


def test_wait_in_an_inline_system_call_is_told_while_it_lasts(hits: Path) -> None:
    truth, events = run_c("inline", hits)
    stall = the_stall(events)
    assert truth.is_told_by(stall), truth
    assert samples_in(stall, "read_by_hand") >= 5
    # What its callers are is in a register there, which nobody can ask for: docs/limits.md.
    assert ARM or samples_in(stall, "run_loop") >= 5
    # An emulated thread may get to its call after the threshold.
    told = [e for e in told_in_flight(events) if e["system_call"] or not EMULATED]
    assert told and {event["id"] for event in told} == {stall["id"]}
    for event in told:
        assert event["call"] is None
        assert event["system_call"] == {"number": READ_NUMBER, "name": "read"}
        assert "read_by_hand" in functions(event)


def test_text_names_the_system_call_it_waits_in() -> None:
    environment = preload_environment()
    with started([STALLS, "inline"], environment, stderr=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=PATIENCE_S)
    assert f" in system call {READ_NUMBER} (read), not through libc (pipe:[" in err, err


def test_iterations_count_exactly_when_the_rate_lets_none_through(hits: Path) -> None:
    _, events = run_c("compute", hits, RATE="1/h", THRESHOLD="4ms")
    summary = of_type(events, "summary")[0]
    told = of_type(events, "stall") + blocks(events)
    assert summary["stalls"] + summary["blocks"] == len(told) + summary["dropped"]


def test_text_says_where_the_time_went(hits: Path) -> None:
    environment = preload_environment()
    with started([STALLS, "mixed"], environment, stderr=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=PATIENCE_S)
    line = next(line for line in err.splitlines() if " stalled " in line)
    assert " on the CPU, " in line and " blocked" in line, err
    assert "  nanosleep " in err
    assert " ms sampled:" in err or " s sampled:" in err


LONG = [pytest.param(way, marks=native_speed) for way in ("regex", "hash")]


@pytest.mark.parametrize("way", ["loop", "json", *LONG])
def test_python_that_computes_is_one_stall_at_its_line(way: str, hits: Path) -> None:
    line, cpu, events = run_python(way, hits)
    stall = the_stall(events)
    assert cpu.has(stall["oncpu_ms"])
    top = stall["groups"][0]
    frame = first_frame_in(top, "stalls.py")
    assert frame and frame["line"] == line, top


@native_speed
def test_python_that_reads_often_is_one_stall_that_names_read(hits: Path) -> None:
    line, _, events = run_python("reads", hits, THRESHOLD="200ms")
    stall = the_stall(events)
    call = stall["calls"][0]
    assert call["call"] == "read"
    assert 120 <= call["count"] <= 150
    assert Between(stall["duration_ms"], stall["duration_ms"]).has(call["total_ms"])
    frame = first_frame_in(stall["samples"][0], "stalls.py")
    assert frame and frame["line"] == line


def test_wait_for_the_gil_is_told_as_such(hits: Path) -> None:
    _, waited, events = run_python("gil", hits, THRESHOLD="300ms")
    stall = the_stall(events)
    tries_ms = stall["oncpu_ms"] if EMULATED else 0  # every 5 ms, and computing is slow there
    assert waited.has(stall["gil_ms"] + tries_ms), describe(events)
    assert blocks(events) == []
    assert first_frame_in(stall["samples"][0], "base_events.py")


@pytest.mark.parametrize("python", WITH_A_GIL)
def test_wait_for_the_gil_is_told_while_it_lasts_with_its_holder(python: str, hits: Path) -> None:
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="40ms")
    with started([python, APP, "hang"], environment) as process:
        assert process.stdout
        line = int(process.stdout.readline())

        def waits() -> list[Event]:  # not what a slow machine's start was told for
            found = of_type(read_events(hits), "inflight")
            return [event for event in found if event["waits_for_gil"]][:3]

        told = wait_until("three reports", lambda: waits() if len(waits()) == 3 else None)
    assert len({event["id"] for event in told}) == 1
    for event, least_ms in zip(told, (40, 80, 160), strict=True):
        assert event["duration_ms"] >= least_ms
        assert event["holder"]["thread"] == "scorer"
        frame = first_frame_in(event["holder"], "stalls.py")
        assert frame and (frame["function"], frame["line"]) == ("keep_it_for_ever", line)
        assert first_frame_in(event, "base_events.py")


def test_wait_for_the_gil_that_is_shorter_than_the_threshold_is_silent(hits: Path) -> None:
    _, _, events = run_python("gil", hits, THRESHOLD="10s")
    assert {event["type"] for event in events} == {"start", "loop", "summary"}, describe(events)


@native_speed
def test_wait_for_the_gil_after_a_park_is_counted_from_its_start(hits: Path) -> None:
    line, waited, events = run_python("score", hits)
    stall = the_stall(events)
    assert waited.has(stall["gil_ms"], 0.02)
    frame = first_frame_in(stall["holder"], "stalls.py")
    assert frame and (frame["function"], frame["line"]) == ("score", line)


def test_clean_iterations_of_python_are_silent(hits: Path) -> None:
    _, _, events = run_python("clean", hits)
    assert stalls_of(events) == []
