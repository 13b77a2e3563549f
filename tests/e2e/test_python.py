# SPDX-License-Identifier: Apache-2.0
"""Debian's own Python under a bare LD_PRELOAD: the classic mistakes, and one that is stuck."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from harness import (
    COMMAND,
    EMULATED,
    PYTHON,
    ROOT,
    SLEEP,
    TOLERANCE_MS,
    blocks,
    clean_environment,
    describe,
    first_frame_in,
    of_type,
    preload_environment,
    read_events,
    run_command,
    run_preloaded,
    started,
    told_in_flight,
    wait_for_event,
    wait_until,
)

APPS = ROOT / "tests" / "programs" / "python"

# The mistake, the libc call it becomes, and the function of the app it is made in.
MISTAKES = [
    ("sleep", SLEEP),
    ("receive", "recv"),
    ("acquire", "sem_wait"),
    ("run", "waitpid"),
]


def run_classic(name: str, where: str, output: Path, **options: Any):
    done, events = run_preloaded([PYTHON, APPS / "classic.py", name, where], output, **options)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    true_ms, line = done.stdout.split()
    return float(true_ms), int(line), events


@pytest.mark.parametrize("where", ["on", "first"])
@pytest.mark.parametrize(("name", "call"), MISTAKES)
def test_mistake_in_a_coroutine_is_one_block_at_its_line(
    name: str, call: str, where: str, tmp_path: Path
) -> None:
    differences = []
    for attempt in range(10):  # the machine may take the processor away between two clock readings
        true_ms, line, events = run_classic(name, where, tmp_path / f"{attempt}.jsonl")
        found = blocks(events)
        assert [block["call"] for block in found] == [call], describe(events)
        frame = first_frame_in(found[0], "classic.py")
        assert frame, describe(found)
        assert (frame["lang"], frame["function"], frame["line"]) == ("python", name, line)
        assert found[0]["thread"] == "MainThread"
        differences.append(true_ms - found[0]["duration_ms"])
        if abs(differences[-1]) < 2 * TOLERANCE_MS:
            return
    pytest.fail(f"durations are off by {differences} ms")


@pytest.mark.parametrize(("name", "call"), MISTAKES)
def test_the_same_in_a_thread_is_silent(name: str, call: str, hits: Path) -> None:
    # On a busy machine the loop itself waits for the thread to begin; and the child ends meanwhile.
    true_ms, _, events = run_classic(name, "off", hits, THRESHOLD="200ms")
    assert true_ms > 200, "the scenario did not wait at all"
    assert len(of_type(events, "loop")) == 1
    assert blocks(events) == [], describe(events)


def test_inflight_is_repeated_at_doubling_times_and_the_block_has_its_id(hits: Path) -> None:
    _, _, events = run_classic("sleep", "on", hits, THRESHOLD="50ms")
    (block,) = blocks(events)
    # An emulated iteration's start may be told, too.
    inflight = [e for e in of_type(events, "inflight") if e["call"] is not None or not EMULATED]
    assert len(inflight) >= 2, describe(events)
    assert {event["id"] for event in inflight} == {block["id"]}
    durations = [event["duration_ms"] for event in inflight]
    assert durations[0] >= 50
    for earlier, later in zip(durations, durations[1:]):  # noqa: B905, RUF007 (3.9 has neither)
        assert later >= 1.5 * earlier, durations
    assert events.index(inflight[-1]) < events.index(block)


def test_event_ends_with_the_members_of_the_format(hits: Path) -> None:
    _, _, events = run_classic("receive", "on", hits)
    (start,), (loop,), (block,) = (of_type(events, kind) for kind in ("start", "loop", "block"))
    (summary,) = of_type(events, "summary")
    common = {"v", "type", "time", "pid", "tid", "thread"}
    assert set(loop) == common | {"how", "fd"}
    assert set(block) - common == {
        "id", "call", "group", "reason", "duration_ms", "ended", "errno", "resource", "holder",
        "waits_for", "victims", "task", "work", "stack", "note", "suppressed", "start",
        "fingerprint", "severity", "over_ms", "test", "labels", "advice", "known", "noise",
    }  # fmt: skip
    assert {"exe", "version", "threshold_ms", "strict", "warnings"} <= set(start)
    assert start["threshold_ms"] == 100 and start["strict"] is False
    assert loop["how"] == "epoll_wait"
    assert block["holder"] is None
    assert block["task"] == {"name": "Task-1", "coroutine": "main", "callback": None, "kind": None}
    assert not block["suppressed"]
    assert block["resource"]["kind"] == "socket" and block["resource"]["nonblocking"] is False
    assert {"loops", "blocks", "stalls", "suppressed", "dropped", "blocked_ms"} <= set(summary)
    assert (summary["loops"], summary["blocks"], summary["dropped"]) == (1, 1, 0)
    assert summary["blocked_ms"] == pytest.approx(block["duration_ms"], abs=0.01)
    frames = block["stack"]
    assert frames
    for frame in frames:
        assert {"lang", "function", "file", "line", "module", "offset"} <= set(frame)
        assert frame["lang"] in {"python", "native", "jit"}
    assert frames[0]["lang"] == "native", "the innermost frame is where C called libc"


def test_task_or_callback_that_blocked_is_named(hits: Path) -> None:
    argv: list[str | Path] = [PYTHON, APPS / "whose.py", "asyncio"]
    _, events = run_preloaded(argv, hits, CALLS="sleep", STALL="off")
    tasks = [event["task"] for event in blocks(events)]
    assert tasks[0] == {"name": "a request", "coroutine": "handler", "callback": None, "kind": None}
    callbacks = [task and task["callback"] for task in tasks[1:]]
    assert all(task is None or task["name"] is None for task in tasks[1:])
    qualified = sys.version_info >= (3, 11)
    tick = "Later.tick" if qualified else "tick"
    transport = "_SelectorSocketTransport._read_ready" if qualified else "_read_ready"
    assert callbacks == ["at_once", tick, "from_a_thread", None, transport], describe(events)


def test_text_names_the_task_or_the_callback() -> None:
    run = run_command("run", "--no-stall", "--", PYTHON, APPS / "whose.py", "asyncio")
    assert "\n  in task a request (coroutine handler)\n" in run.stderr
    assert "\n  in callback at_once\n" in run.stderr


@pytest.mark.parametrize("form", ["bare", "run"])
def test_coroutine_stuck_for_ever_is_inflight_and_killed_at_once(form: str, hits: Path) -> None:
    app = [PYTHON, str(APPS / "stuck.py")]
    if form == "bare":
        argv, environment = app, preload_environment(OUTPUT=str(hits))
    else:
        argv, environment = [str(COMMAND), "run", "-o", str(hits), "--", *app], clean_environment()
    with started(argv, environment) as process:
        assert process.stdout
        assert process.stdout.readline() == "stuck\n"
        event = wait_for_event(hits, "inflight")
        assert event["call"] == "recv"
        frame = first_frame_in(event, "stuck.py")
        assert frame and frame["function"] == "main"
        assert process.poll() is None

        begin = time.monotonic()
        os.kill(event["pid"], signal.SIGKILL)
        status = process.wait(timeout=60)
        assert time.monotonic() - begin < 4
    assert status == (-signal.SIGKILL if form == "bare" else 128 + signal.SIGKILL)
    # What it had said outlives it: the collector writes the summary of a killed process too.
    wait_for_event(hits, "summary", event["pid"])


def test_interrupts_end_a_stuck_coroutine_as_ever(hits: Path) -> None:
    """asyncio's first interrupt only cancels the task, the second raises (asyncio.Runner).

    The second comes when Python has seen the first, and called again: two of one kind that it has
    not seen are one (signal(7)).
    """
    argv, environment = [PYTHON, str(APPS / "stuck.py")], preload_environment(OUTPUT=str(hits))

    def stuck() -> int:
        told = told_in_flight(read_events(hits))
        return len({event["id"] for event in told if event["call"] == "recv"})

    with started(argv, environment, stderr=subprocess.PIPE) as process:
        wait_until("the call", lambda: stuck() == 1)
        process.send_signal(signal.SIGINT)
        wait_until("the next call", lambda: stuck() == 2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in err
    wait_for_event(hits, "summary", process.pid)
    received = [block for block in blocks(read_events(hits)) if block["call"] == "recv"]
    assert [block["errno"] for block in received] == ["EINTR", "EINTR"]


def test_raw_lines_where_no_collector_may_be_started(hits: Path) -> None:
    _, _, events = run_classic("sleep", "on", hits, COLLECTOR="none")
    (block,) = blocks(events)
    assert block["call"] == SLEEP
    assert 290 < block["duration_ms"] < 400
    native = [frame for frame in block["stack"] or [] if frame["lang"] == "native"]
    assert native, "a raw block carries where it was: module, offset, build-id"
    for frame in native:
        assert frame["function"] is None
        assert frame["module"] and frame["offset"]
        assert frame["build_id"]


def test_no_collector_is_left_behind(hits: Path) -> None:
    run_classic("sleep", "on", hits)

    def collectors() -> list[str]:
        found = []
        for path in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                if path.readlink() == hits:
                    found.append(path.parts[2])
            except OSError:
                continue
        return found

    wait_until("the collector to end", lambda: not collectors())


def test_main_thread_without_a_loop_has_python_frames(hits: Path, tmp_path: Path) -> None:
    """LOOPHOUND_LOOP=main makes a loop thread before there is an interpreter in it."""
    script = tmp_path / "plain.py"
    script.write_text("import time\n\n\ndef pause():\n    time.sleep(0.15)\n\n\npause()\n")
    _, events = run_preloaded([PYTHON, script], hits, LOOP="main")
    (loop,) = of_type(events, "loop")
    assert (loop["how"], loop["fd"]) == ("main", None)
    (block,) = blocks(events)
    frame = first_frame_in(block, "plain.py")
    assert frame and (frame["function"], frame["line"]) == ("pause", 5)


def test_wait_for_the_interpreters_own_lock_is_no_block(hits: Path, tmp_path: Path) -> None:
    """CPython waits for the GIL on a condition of its own, 5 ms at a time."""
    script = tmp_path / "busy.py"
    script.write_text(
        "import asyncio, threading\n"
        "stop = threading.Event()\n"
        "def compute():\n"
        "    while not stop.is_set():\n"
        "        sum(range(1000))\n"
        "async def main():\n"
        "    await asyncio.sleep(0)\n"
        "    threading.Thread(target=compute).start()\n"
        "    for _ in range(200):\n"
        "        sum(range(20000))\n"
        "    stop.set()\n"
        "asyncio.run(main())\n"
    )
    _, events = run_preloaded([PYTHON, script], hits, STRICT="on", THRESHOLD="1ms", RATE="off")
    assert of_type(events, "loop")
    assert not [b for b in blocks(events) if b["call"].startswith("pthread_cond")]
