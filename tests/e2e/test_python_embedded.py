# SPDX-License-Identifier: Apache-2.0
"""Python inside a C program, subinterpreters, and frames that are switched: greenlets."""

from __future__ import annotations

from pathlib import Path
from subprocess import PIPE

import pytest
from harness import (
    PROGRAMS,
    PYTHON,
    blocks,
    describe,
    functions,
    of_type,
    preload_environment,
    read_events,
    run_preloaded,
    started,
    wait_for_event,
    wait_until,
)
from pythons import KNOWN, READABLE

LIBRARIES = [
    library
    for version in sorted(KNOWN)
    for library in [
        *Path.home().glob(f".pyenv/versions/{version}.*/lib/libpython{version}.so.1.0"),
        *Path("/usr/lib/x86_64-linux-gnu").glob(f"libpython{version}.so.1.0"),
    ]
]
WAYS = [("local", "later"), ("global", "first"), ("global", "later")]
EMBEDDED = [(library, "local", "first") for library in LIBRARIES]
EMBEDDED += [(library, *way) for library in LIBRARIES[-1:] for way in WAYS]


@pytest.mark.parametrize(("library", "scope", "when"), EMBEDDED)
def test_a_plugin_of_a_c_program_has_python_frames(
    library: Path, scope: str, when: str, hits: Path
) -> None:
    home = {"PYTHONHOME": str(library.parents[1])} if "versions" in library.parts else {}
    program: list[str | Path] = [PROGRAMS / "embed_python", scope, library, when]
    done, events = run_preloaded(program, hits, extra=home)
    assert (done.returncode, done.stderr) == (0, "")
    (block,) = blocks(events)
    python = [frame for frame in block["stack"] if frame["lang"] == "python"]
    assert [frame["function"].split(".")[-1] for frame in python] == ["handle", "<module>"]
    assert [(frame["file"], frame["line"]) for frame in python] == [
        ("<string>", 4),
        ("<string>", 5),
    ]
    names = functions(block)
    assert names.index("<module>") < names.index("main"), describe(events)


@pytest.mark.parametrize("library", LIBRARIES)
def test_each_visit_of_a_foreign_thread_to_python_has_python_frames(
    library: Path, hits: Path
) -> None:
    home = {"PYTHONHOME": str(library.parents[1])} if "versions" in library.parts else {}
    program: list[str | Path] = [PROGRAMS / "embed_python", "global", library, "visits"]
    done, events = run_preloaded(program, hits, extra=home)
    assert (done.returncode, done.stderr) == (0, "")
    found = blocks(events)
    assert len(found) == 2, describe(events)
    for block in found:
        names = [f["function"] for f in block["stack"] if f["lang"] == "python"]
        assert [name.split(".")[-1] for name in names] == ["handle", "<module>"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_wait_of_a_c_loop_for_the_gil_is_told_while_it_lasts(library: Path, hits: Path) -> None:
    home = {"PYTHONHOME": str(library.parents[1])} if "versions" in library.parts else {}
    environment = dict(preload_environment(OUTPUT=str(hits), THRESHOLD="40ms"), **home)
    command: list[str | Path] = [PROGRAMS / "embed_python", "global", library, "hang"]
    with started(command, environment, stdin=PIPE) as process:
        wait_for_event(hits, "loop")
        assert process.stdin
        process.stdin.write("x")
        process.stdin.flush()
        wait_until("three reports", lambda: len(of_type(read_events(hits), "inflight")) >= 3)
    told = of_type(read_events(hits), "inflight")[:3]
    assert [event["waits_for_gil"] for event in told] == [True] * 3, describe(told)
    assert {event["holder"]["thread"] for event in told} == {"scorer"}
    assert all("keep_it" in functions(event["holder"]) for event in told), describe(told)


def test_a_library_was_there_to_embed() -> None:
    if not LIBRARIES:
        pytest.skip("no libpython on this machine")


GREENLET = """
import select, time
from greenlet import greenlet

def waits():
    time.sleep(0.4)

def starts():
    other.switch()
    waits()

def runs():
    one.switch()

loop = select.epoll()
loop.poll(0)
other = greenlet(runs)
one = greenlet(starts)
one.switch()
"""

GEVENT = """
import time
import gevent

def waits():
    time.sleep(0.4)

def serves():
    gevent.sleep(0.01)
    waits()

gevent.joinall([gevent.spawn(serves), gevent.spawn(gevent.sleep, 0.3)])
"""


def test_a_greenlet_has_its_own_frames(hits: Path, tmp_path: Path) -> None:
    pytest.importorskip("greenlet")
    script = tmp_path / "app.py"
    script.write_text(GREENLET)
    done, events = run_preloaded([PYTHON, script], hits, THRESHOLD="200ms")
    assert (done.returncode, done.stderr) == (0, "")
    (block,) = blocks(events)
    python = [frame for frame in block["stack"] if frame["lang"] == "python"]
    assert [(frame["function"], frame["line"]) for frame in python] == [
        ("waits", 6),
        ("starts", 10),
    ]


def test_a_gevent_handler_that_sleeps_is_named_with_its_line(hits: Path, tmp_path: Path) -> None:
    pytest.importorskip("gevent")
    script = tmp_path / "app.py"
    script.write_text(GEVENT)
    done, events = run_preloaded([PYTHON, script], hits, THRESHOLD="200ms")
    assert (done.returncode, done.stderr) == (0, "")
    (block,) = blocks(events)
    python = [frame for frame in block["stack"] if frame["lang"] == "python"]
    assert [(frame["function"], frame["line"]) for frame in python[:2]] == [
        ("waits", 6),
        ("serves", 10),
    ]
    assert all("gevent" in frame["file"] for frame in python[2:]), describe(events)


SUBINTERPRETER = """
import select, sys
loop = select.epoll()
loop.poll(0)
code = "import time\\ndef waits():\\n    time.sleep(0.4)\\nwaits()\\n"

def runs():
    if sys.version_info >= (3, 13):
        import _interpreters
        created = _interpreters.create()
        _interpreters.exec(created, code)
        _interpreters.destroy(created)
    else:
        import _xxsubinterpreters
        _xxsubinterpreters.run_string(_xxsubinterpreters.create(), code)

runs()
"""


@pytest.mark.parametrize("python", READABLE)
def test_frames_of_a_subinterpreter_stand_before_those_that_run_it(
    python: str, hits: Path, tmp_path: Path
) -> None:
    script = tmp_path / "app.py"
    script.write_text(SUBINTERPRETER)
    done, events = run_preloaded([python, script], hits, THRESHOLD="200ms")
    assert (done.returncode, done.stderr) == (0, "")
    (block,) = blocks(events)
    python_frames = [frame for frame in block["stack"] if frame["lang"] == "python"]
    source = "<script>" if "<script>" in python_frames[0]["file"] else "<string>"
    assert [(Path(frame["file"]).name, frame["function"]) for frame in python_frames] == [
        (source, "waits"),
        (source, "<module>"),
        ("app.py", "runs"),
        ("app.py", "<module>"),
    ]
    names = functions(block)
    between = block["stack"][names.index("<module>") : names.index("runs")]
    assert "native" in [frame["lang"] for frame in between]
    assert "_PyEval_EvalFrameDefault" not in names
