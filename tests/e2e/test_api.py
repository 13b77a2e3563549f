# SPDX-License-Identifier: Apache-2.0
"""include/loophound.h: used without linking, with the library and without it; and from Python."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harness import (
    LIBRARY,
    PATIENCE_S,
    PROGRAMS,
    PYTHON,
    ROOT,
    Event,
    blocks,
    clean_environment,
    functions,
    of_type,
    preload_environment,
    read_events,
    run_command,
    run_preloaded,
    started,
    wait_until,
)
from test_faults import collector_of

API = PROGRAMS / "api"


def header_version() -> str:
    header = (ROOT / "include" / "loophound.h").read_text()
    found = re.search(r'^#define LOOPHOUND_VERSION\s+"(.+)"$', header, re.MULTILINE)
    assert found
    return found.group(1)


def test_without_the_library_every_function_does_nothing() -> None:
    done = subprocess.run([API, "absent"], capture_output=True, text=True, env=clean_environment())
    assert done.stdout == "0 0 0 0 0 0 0 0 0 0 0 0 0 none\n"


@pytest.mark.parametrize("optimise", ["-O0", "-O2"])
@pytest.mark.parametrize("position", ["-pie -fPIE", "-no-pie -fno-pie"])
@pytest.mark.parametrize("compiler", ["gcc", "g++"])
def test_calls_reach_the_library_from_every_kind_of_executable(
    compiler: str, position: str, optimise: str, tmp_path: Path
) -> None:
    source = tmp_path / ("x.c" if compiler == "gcc" else "x.cc")
    source.write_text(
        '#include <stdio.h>\n#include "loophound.h"\n'
        "int main(void)\n{\n"
        "    const char *version = loophound_version();\n"
        '    puts(version ? version : "none");\n'
        "    return loophound_allow_begin() + loophound_allow_end();\n}\n"
    )
    flags = [*position.split(), optimise, "-Wall", "-Wextra", "-Werror", "-pedantic"]
    program = tmp_path / "x"
    argv = [compiler, *flags, f"-I{ROOT / 'include'}", str(source), "-o", str(program)]
    subprocess.run(argv, check=True)
    said = {}
    for name, environment in (("bare", clean_environment()), ("with", preload_environment())):
        done = subprocess.run([program], env=environment, capture_output=True, text=True)
        assert done.returncode == 0
        said[name] = done.stdout.strip()
    assert said == {"bare": "none", "with": header_version()}


def test_version_of_the_command_is_that_of_the_header() -> None:
    done = subprocess.run(
        [LIBRARY.parent / "loophound", "--version"], capture_output=True, text=True
    )
    assert done.stdout == f"loophound {header_version()}\n"


@pytest.mark.parametrize("loop", ["auto", "none"])
def test_entered_thread_is_watched_until_it_leaves_but_for_allowed_scopes(
    loop: str, hits: Path
) -> None:
    done, events = run_preloaded([API, "scopes"], hits, THRESHOLD="20ms", LOOP=loop)
    assert done.returncode == 0
    assert [functions(block)[1] for block in blocks(events)] == ["after_enter", "after_scopes"]
    (found,) = of_type(events, "loop")
    assert found["how"] == "api" and found["fd"] is None
    results = [int(result) for result in done.stdout.split()]
    assert results == [0, 0, 0, 0, 0, 0, -errno.EINVAL, 0, 0]


@pytest.mark.parametrize("collector", ["auto", "none"])
def test_flush_returns_when_all_is_written(collector: str, hits: Path) -> None:
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="20ms", COLLECTOR=collector)
    program = [str(API), "flush"]
    with started(program, environment) as process:
        assert process.stdout
        before, after = process.stdout.readline().split()
        found = blocks(read_events(hits))
    assert int(after) == 0
    assert int(before) == -errno.ENOTCONN, "nothing is attached before there is a loop thread"
    assert [block["call"] for block in found] == ["nanosleep"]


def test_flush_waits_no_longer_than_it_is_told(hits: Path) -> None:
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="20ms", STALL="off")
    with started([API, "waits"], environment, stdin=subprocess.PIPE) as process:
        assert process.stdout and process.stdin
        assert process.stdout.readline() == "stop the collector\n"
        collector = collector_of(process)
        os.kill(collector, signal.SIGSTOP)
        try:
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "let it go on\n"
        finally:
            os.kill(collector, signal.SIGCONT)
        out, _ = process.communicate("\n", timeout=PATIENCE_S)
    late = -errno.ETIMEDOUT
    assert [int(result) for result in out.split()] == [
        -errno.ENOTCONN, 0, 0, -errno.EINVAL, late, late, 0
    ]  # fmt: skip


def by_function(events: list[Event], member: str) -> dict[str, Any]:
    """Of each function that blocked: this member, which its reports in flight have as well."""
    found: dict[str, Any] = {}
    for event in events:
        if event["type"] in ("block", "inflight"):
            value = found.setdefault(functions(event)[1], event[member])
            assert event[member] == value, event
    return found


@pytest.mark.parametrize("collector", ["auto", "none"])
def test_report_has_the_test_that_was_marked_when_it_began(collector: str, hits: Path) -> None:
    options: dict[str, Any] = {"THRESHOLD": "20ms", "COLLECTOR": collector}
    done, events = run_preloaded([API, "marks"], hits, **options)
    assert done.returncode == 0
    wait_until("the summary of the child", lambda: len(of_type(read_events(hits), "summary")) == 2)
    events = read_events(hits)
    tests = [block["test"] for block in blocks(events)]
    assert sorted(tests, key=str) == sorted(
        ["test_early", "test_first", "x" * 255, None, "test_of_child", "test_of_child"], key=str
    ), tests
    if collector == "auto":
        assert by_function(events, "test")["after_enter"] == "test_first"
        assert by_function(events, "test")["after_leave"] == "test_of_child"


def test_reports_have_the_labels_of_their_thread(hits: Path) -> None:
    done, events = run_preloaded([API, "labels"], hits, THRESHOLD="20ms", CALLS="sleep")
    full = -errno.ENOSPC
    assert [int(result) for result in done.stdout.split()] == [
        *[0] * 5, *[0] * 7, full, full, full, -errno.EINVAL, 0
    ]  # fmt: skip
    many = {"tenant": '"7"', "a": "y" * 128, **dict.fromkeys("bcdefg", "x")}
    assert by_function(events, "labels") == {
        "before_enter": {"route": "/price"},
        "after_enter": {"route": "/pay", "tenant": '"7"'},
        "in_scope": {"tenant": '"7"'},
        "after_scopes": many,
        "in_outer_scope": None,
        "in_inner_scope": {"only": "of this thread"},
    }


@pytest.mark.parametrize("mode", [{"THRESHOLD": "20ms", "RATE": "1/h"}, {"STRICT": "on"}])
def test_thread_can_count_its_reports(mode: dict[str, Any], hits: Path) -> None:
    done, events = run_preloaded([API, "count"], hits, **mode)
    assert done.stdout.split() == ["0", "1", "1", "3", "3"]
    assert of_type(events, "summary")[0]["blocks"] == 3


MARKED = """
import asyncio, ctypes, sys, time

library = ctypes.CDLL(None)

def compute():
    end = time.thread_time() + 0.2
    while time.thread_time() < end:
        sum(range(1000))

async def turn(act):
    await asyncio.sleep(0)
    act()
    await asyncio.sleep(0)

with asyncio.Runner() as runner:
    for name, act in {"test_a": lambda: time.sleep(0.1), "test_b": compute}.items():
        library.loophound_mark(name.encode())
        before = library.loophound_count()
        runner.run(turn(act))
        library.loophound_mark(None)
        print(library.loophound_count() - before)
    runner.run(turn(lambda: time.sleep(0.1)))
"""


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.Runner")
def test_report_adds_up_by_the_tests_that_were_marked(hits: Path) -> None:
    program = [PYTHON, "-c", MARKED]
    done, events = run_preloaded(program, hits, THRESHOLD="50ms", CALLS="sleep")
    assert done.returncode == 0, done.stderr
    assert [int(count) >= 1 for count in done.stdout.split()] == [True, True]
    told = {(event["type"], event["test"]) for event in blocks(events) + of_type(events, "stall")}
    assert {("block", "test_a"), ("stall", "test_b"), ("block", None)} <= told
    report = run_command("report", "--by", "test", hits).stdout
    rows = {line.split(maxsplit=5)[5] for line in report.splitlines()[1:-1]}
    assert {"test_a", "test_b", "(no test)"} <= rows


def test_python_reaches_the_functions_by_ctypes(hits: Path) -> None:
    program = (
        "import ctypes, json, time\n"
        "library = ctypes.CDLL(None)\n"
        "library.loophound_version.restype = ctypes.c_char_p\n"
        "entered = library.loophound_loop_enter()\n"
        "library.loophound_allow_begin()\n"
        "time.sleep(0.2)\n"
        "library.loophound_allow_end()\n"
        "time.sleep(0.2)\n"
        "flushed = library.loophound_flush()\n"
        "print(json.dumps([entered, flushed, library.loophound_version().decode()]))\n"
    )
    done, events = run_preloaded([PYTHON, "-c", program], hits, THRESHOLD="20ms")
    entered, flushed, version = json.loads(done.stdout)
    assert (entered, flushed) == (0, 0)
    assert version.count(".") == 2
    (block,) = blocks(events)
    assert block["resource"]["kind"] == "duration"
    assert block["duration_ms"] >= 50
    assert not hasattr(ctypes.CDLL(None), "loophound_version"), "the test itself runs without it"
