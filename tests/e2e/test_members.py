# SPDX-License-Identifier: Apache-2.0
"""What an event says beside its stack: when it began, how bad it is, which place it is of."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from harness import (
    PROGRAMS,
    PYTHON,
    Event,
    blocks,
    of_type,
    read_events,
    run_command,
    run_preloaded,
    stalls_of,
)

NAP = """
import asyncio, time
{more}
def nap():
    time.sleep({seconds})
async def main():
    for _ in range(2):
        nap()
        await asyncio.sleep(0)
asyncio.run(main())
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def run_app(app: Path, output: Path, **options: Any) -> list[Event]:
    options = {"THRESHOLD": "20ms", "CALLS": "sleep", **options}
    done, events = run_preloaded([PYTHON, app], output, **options)
    assert done.returncode == 0, done.stderr
    return events


def nap(directory: Path, seconds: float = 0.25, more: str = "", name: str = "app.py") -> Path:
    return write(directory / name, NAP.format(more=more, seconds=seconds))


def seconds_of(event: Event) -> float:
    ended, began = (
        datetime.fromisoformat(event[key].replace("Z", "+00:00")) for key in ("time", "start")
    )
    return (ended - began).total_seconds()


def test_block_began_as_long_ago_as_it_took(hits: Path, tmp_path: Path) -> None:
    for block in blocks(run_app(nap(tmp_path), hits)):
        assert abs(seconds_of(block) * 1000 - block["duration_ms"]) < 0.01


STALL = """
import asyncio, time
def spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
async def main():
    spin(0.2)
    time.sleep(0.2)
    spin(0.2)
asyncio.run(main())
"""


def test_stall_began_with_its_iteration_also_where_a_block_is_in_that(
    hits: Path, tmp_path: Path
) -> None:
    events = run_app(write(tmp_path / "app.py", STALL), hits, THRESHOLD="100ms")
    (stall,) = stalls_of(events)
    (block,) = blocks(events)
    assert seconds_of(stall) * 1000 >= stall["duration_ms"] + block["duration_ms"] - 1
    assert stall["start"] < block["start"] < block["time"] < stall["time"]
    for progress in of_type(events, "inflight"):
        if progress["call"] is None:
            assert progress["id"] == stall["id"]
            assert abs(seconds_of(stall) - 0.6) < 30
            assert progress["start"] < block["start"]


@pytest.mark.parametrize(("threshold", "severity"), [("10ms", "error"), ("45ms", "warn")])
def test_five_thresholds_are_severe(
    threshold: str, severity: str, hits: Path, tmp_path: Path
) -> None:
    told = blocks(run_app(nap(tmp_path, 0.06), hits, THRESHOLD=threshold))
    limit_ms = float(threshold.removesuffix("ms"))
    expected = ["error" if block["duration_ms"] >= 5 * limit_ms else "warn" for block in told]
    assert [block["severity"] for block in told] == expected
    assert severity in expected, "this machine is very slow"
    for block in told:
        assert block["over_ms"] == pytest.approx(block["duration_ms"] - limit_ms, abs=0.002)


def test_what_took_less_than_the_threshold_is_not_over_it(hits: Path, tmp_path: Path) -> None:
    told = blocks(run_app(nap(tmp_path, 0.001), hits, STRICT="on", THRESHOLD="10s"))
    assert told
    assert {(block["reason"], block["over_ms"], block["severity"]) for block in told} == {
        ("strict", 0, "warn")
    }


def test_start_says_which_run_where_and_how(hits: Path, tmp_path: Path) -> None:
    app = nap(tmp_path)
    arguments = ["--name", "ein Bär", ""]
    done = run_command("run", "-o", hits, "--", PYTHON, app, *arguments)
    assert done.returncode == 0
    (start,) = of_type(read_events(hits), "start")
    assert start["host"] == socket.gethostname()
    assert start["argv"] == [PYTHON, str(app), *arguments]
    assert start["cwd"] == str(Path.cwd())
    assert re.fullmatch("[0-9a-f]{16}", start["run"])
    assert start["boot"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    version = [PYTHON, "-c", "import platform; print(platform.python_version())"]
    said = subprocess.run(version, capture_output=True, text=True, check=True).stdout.strip()
    assert start["runtime"] == {"name": "CPython", "version": said}


def test_runtime_of_a_program_without_a_language_is_null(hits: Path) -> None:
    _, events = run_preloaded([PROGRAMS / "deep_stack", "3"], hits, THRESHOLD="20ms")
    assert [start["runtime"] for start in of_type(events, "start")] == [None]


@pytest.mark.parametrize(
    ("there", "root"),
    [
        ([], None),
        (["shop/api/pyproject.toml"], "shop/api"),
        (["shop/pyproject.toml"], "shop"),
        (["shop/.git/HEAD", "shop/api/pyproject.toml"], "shop"),
        (["shop/package.json", "shop/api/src/package.json"], "shop/api/src"),
    ],
)
def test_root_is_what_git_keeps_or_else_where_a_package_begins(
    there: list[str], root: str | None, hits: Path, tmp_path: Path
) -> None:
    app = nap(tmp_path / "shop" / "api" / "src")
    for name in there:
        write(tmp_path / name, "")
    _, events = run_preloaded([PYTHON, app], hits, cwd=app.parent, THRESHOLD="20ms")
    (start,) = of_type(events, "start")
    assert start["root"] == (str(tmp_path / root) if root else None)


@pytest.mark.parametrize(
    ("options", "extra", "service"),
    [
        ({}, {}, None),
        ({}, {"OTEL_SERVICE_NAME": "shop"}, "shop"),
        ({"SERVICE": "till"}, {"OTEL_SERVICE_NAME": "shop"}, "till"),
        ({"SERVICE": "auto"}, {"OTEL_SERVICE_NAME": ""}, None),
        ({}, {"OTEL_SERVICE_NAME": "x" * 128}, None),
    ],
)
def test_service_is_what_the_environment_calls_it(
    options: dict[str, Any], extra: dict[str, str], service: str | None, hits: Path
) -> None:
    argv: list[str | Path] = [PROGRAMS / "deep_stack", "3"]
    _, events = run_preloaded(argv, hits, extra=extra, THRESHOLD="20ms", **options)
    assert [start["service"] for start in of_type(events, "start")] == [service]


def test_processes_of_one_run_have_its_id_and_the_next_run_another(hits: Path) -> None:
    program = PROGRAMS / "deep_stack"
    code = "import subprocess, sys\nfor _ in range(2): subprocess.run(sys.argv[1:], check=True)"
    for _ in range(2):
        run_command("run", "-o", hits, "--", PYTHON, "-c", code, program, "3")
    first, second, third, fourth = (start["run"] for start in of_type(read_events(hits), "start"))
    assert first == second != third == fourth


def test_long_command_line_is_cut_and_whole_otherwise(hits: Path, tmp_path: Path) -> None:
    _, events = run_preloaded([PYTHON, nap(tmp_path), "x" * 5000], hits, THRESHOLD="20ms")
    (start,) = of_type(events, "start")
    assert 1500 < len(start["argv"][2]) < 2048
    assert set(start["argv"][2]) == {"x"}


def fingerprints(events: list[Event]) -> set[str]:
    return {event["fingerprint"] for event in blocks(events)}


def test_fingerprint_stays_where_the_file_has_moved_by_a_line_and_to_another_directory(
    hits: Path, tmp_path: Path
) -> None:
    """As on another machine: a path is named from the working directory on."""
    for name, more in (("a", ""), ("b", "# one line\n# or two more")):
        app = nap(tmp_path / name, 0.3, more=more)
        _, events = run_preloaded(
            [PYTHON, app], hits, cwd=app.parent, THRESHOLD="20ms", CALLS="sleep"
        )
    assert len(blocks(events)) == 4
    assert len(fingerprints(events)) == 1


def test_inflight_has_the_fingerprint_of_its_block(hits: Path, tmp_path: Path) -> None:
    events = run_app(nap(tmp_path, 0.3), hits)
    told = of_type(events, "inflight")
    assert told
    assert {event["fingerprint"] for event in told} == fingerprints(events)


@pytest.mark.parametrize(
    "changed",
    [
        NAP.replace("nap", "doze"),
        NAP.replace("time.sleep({seconds})", "time.sleep({seconds} * 1)"),
        NAP.replace("time.sleep", "select.select([], [], [], ")
        .replace("[], ({", "[], {")
        .replace("import asyncio", "import select, asyncio"),
    ],
    ids=["function", "line", "call"],
)
def test_another_function_line_or_call_is_another_place(
    changed: str, hits: Path, tmp_path: Path
) -> None:
    run_app(nap(tmp_path), hits, CALLS="all")
    app = write(tmp_path / "app.py", changed.format(more="", seconds=0.25))
    assert len(fingerprints(run_app(app, hits, CALLS="all"))) == 2


def test_another_file_is_another_place(hits: Path, tmp_path: Path) -> None:
    run_app(nap(tmp_path), hits)
    assert len(fingerprints(run_app(nap(tmp_path, name="other.py"), hits))) == 2


CALLS_A_LIBRARY = """
import asyncio, sys
sys.path.insert(0, {packages!r})
import lazy.inner
async def main():
    lazy.inner.sleep()
asyncio.run(main())
"""


@pytest.fixture
def lazy(tmp_path: Path) -> Path:
    """A program that calls an installed package."""
    packages = tmp_path / "lib" / "python3.99" / "site-packages"
    write(packages / "lazy" / "__init__.py", "")
    code = "import time\ndef sleep():\n    deeper()\ndef deeper():\n    time.sleep(0.25)\n"
    write(packages / "lazy" / "inner.py", code)
    return write(tmp_path / "app.py", CALLS_A_LIBRARY.format(packages=str(packages)))


def packages_of(app: Path) -> Path:
    return app.parent / "lib" / "python3.99" / "site-packages"


def frame_of(events: list[Event], function: str) -> Event:
    frame: Event = next(f for f in blocks(events)[0]["stack"] if f["function"] == function)
    return frame


def test_api_is_what_the_user_called(hits: Path, lazy: Path) -> None:
    events = run_app(lazy, hits)
    (api,) = (frame for frame in blocks(events)[0]["stack"] if frame.get("api"))
    assert api["function"] == "sleep"
    assert frame_of(events, "main")["user"] is True


@pytest.mark.parametrize(
    ("made", "text"),
    [
        ("Lazy-1.2.3.dist-info/METADATA", ""),
        ("lazy-1.2.3.egg-info/PKG-INFO", ""),
        ("Lazy-1.2.3-py3.99.egg-info/PKG-INFO", ""),
        ("lazy_tools-1.2.3.dist-info/top_level.txt", "other\nlazy\n"),
    ],
)
def test_frame_of_a_package_has_its_name_and_version(
    made: str, text: str, hits: Path, lazy: Path
) -> None:
    write(packages_of(lazy) / "other-9.dist-info" / "top_level.txt", "another\n")
    write(packages_of(lazy) / made, text)
    frame = frame_of(run_app(lazy, hits), "deeper")
    assert (frame["library"], frame["version"]) == ("lazy", "1.2.3")


def test_version_that_is_not_known_is_not_guessed(hits: Path, lazy: Path) -> None:
    write(packages_of(lazy) / "lazybones-4.dist-info" / "METADATA", "")
    frame = frame_of(run_app(lazy, hits), "deeper")
    assert frame["library"] == "lazy" and "version" not in frame


def test_standard_library_has_the_version_of_its_python(hits: Path, tmp_path: Path) -> None:
    frame = frame_of(
        run_app(nap(tmp_path), hits), "Handle._run" if sys.version_info >= (3, 11) else "_run"
    )
    assert (frame["library"], frame["version"]) == ("asyncio", "%d.%d" % sys.version_info[:2])


def test_users_own_frames_are_of_no_library(hits: Path, tmp_path: Path) -> None:
    assert "library" not in frame_of(run_app(nap(tmp_path), hits), "nap")


def test_command_without_a_loop_has_a_summary_that_says_why(hits: Path) -> None:
    done = run_command("run", "-o", hits, "--", "sleep", "0.01")
    assert done.returncode == 0
    (summary,) = read_events(hits)
    assert (summary["type"], summary["loops"], summary["blocks"]) == ("summary", 0, 0)
    assert summary["why"].startswith("no thread called epoll_wait")
    report = run_command("report", hits)
    assert report.returncode == 0
    assert f"nothing was watched there: {summary['why']}" in report.stderr


def test_program_that_cannot_be_watched_says_so_in_its_summary(hits: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "static.c", "int main(void) { return 0; }\n")
    program = tmp_path / "static"
    assert os.system(f"cc -static {source} -o {program}") == 0
    run_command("run", "-o", hits, "--", program)
    (summary,) = read_events(hits)
    assert summary["why"].startswith(f"{program} is statically linked")


def test_text_has_no_such_line(tmp_path: Path) -> None:
    run_command("run", "-o", tmp_path / "hits.txt", "--", "sleep", "0.01")
    assert (tmp_path / "hits.txt").read_text() == ""


def test_summary_of_a_program_that_was_watched_has_no_why(hits: Path, tmp_path: Path) -> None:
    (summary,) = of_type(run_app(nap(tmp_path), hits), "summary")
    assert summary["why"] is None


def test_raw_lines_have_what_the_library_knows(hits: Path) -> None:
    _, events = run_preloaded(
        [PROGRAMS / "deep_stack", "3"], hits, THRESHOLD="20ms", COLLECTOR="none"
    )
    (start,), (block,) = of_type(events, "start"), blocks(events)
    assert start["argv"] == [str(PROGRAMS / "deep_stack"), "3"]
    assert start["run"] is None and block["fingerprint"] is None
    assert block["over_ms"] == pytest.approx(block["duration_ms"] - 20, abs=0.002)
    assert json.dumps(block["stack"])
