# SPDX-License-Identifier: Apache-2.0
"""include/loophound.h: used without linking, with the library and without it; and from Python."""

from __future__ import annotations

import ctypes
import errno
import json
import re
import subprocess
from pathlib import Path

import pytest
from harness import (
    LIBRARY,
    PROGRAMS,
    PYTHON,
    ROOT,
    blocks,
    clean_environment,
    functions,
    of_type,
    preload_environment,
    read_events,
    run_preloaded,
    started,
)

API = PROGRAMS / "api"


def header_version() -> str:
    header = (ROOT / "include" / "loophound.h").read_text()
    found = re.search(r'^#define LOOPHOUND_VERSION\s+"(.+)"$', header, re.MULTILINE)
    assert found
    return found.group(1)


def test_without_the_library_every_function_does_nothing() -> None:
    done = subprocess.run([API, "absent"], capture_output=True, text=True, env=clean_environment())
    assert done.stdout == "0 0 0 0 0 none\n"


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
