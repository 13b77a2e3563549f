# SPDX-License-Identifier: Apache-2.0
"""loophound export: every format of known events, and what a command must keep to."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import pty
import stat
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import exported
import pytest
from exported import Json, export
from harness import (
    COMMAND,
    PROGRAMS,
    blocks,
    clean_environment,
    read_events,
    run_command,
    run_preloaded,
)

FORMATS = list(exported.TOTALS)
HOSTILE = 'a;b|c`d"e<f>&,:%\n::error::\x1b[31m\u202e\x85\ufffe@all é'
IDS = itertools.count(1)


def frame(function: str, file: str, line: int, **more: object) -> Json:
    return {
        "lang": "python",
        "function": function,
        "file": file,
        "line": line,
        "module": None,
        "offset": None,
        **more,
    }


ASYNCIO_C = "/usr/lib/python3.12/lib-dynload/_asyncio.cpython-312-x86_64-linux-gnu.so"
STACK = [
    {
        **frame("PyEval", "ceval.c", 9),
        "lang": "native",
        "module": "/usr/bin/python3.12",
        "offset": 16,
    },
    frame("handler", "/srv/shop/app.py", 12, user=True, source="time.sleep(0.3)"),
    {"lang": "native", "function": None, "module": ASYNCIO_C, "offset": 31806},
    frame("Handle._run", "/usr/lib/python3.12/asyncio/events.py", 84),
    frame("main", "/srv/shop/main.py", 3),
]


def event(kind: str, at_ms: float, ms: float, **more: object) -> Json:
    """One that ended `at_ms` after eight o'clock."""
    begin = at_ms - ms

    def stamp(value: float) -> str:
        return f"2026-11-29T08:{int(value // 60000):02}:{value % 60000 / 1000:09.6f}Z"

    made: Json = {
        "v": 1,
        "type": kind,
        "time": stamp(at_ms),
        "start": stamp(begin),
        "pid": 7,
        "tid": 8,
        "thread": "Main",
        "id": next(IDS),
        "duration_ms": ms,
        "severity": "warn",
        "reason": "threshold",
        "ended": True,
        "call": None if kind == "stall" else "clock_nanosleep",
        "group": None if kind == "stall" else "sleep",
        "stack": STACK,
        "suppressed": None,
        "known": None,
    }
    return {**made, **more}


START = {
    "v": 1,
    "type": "start",
    "time": "2026-11-29T08:00:00Z",
    "pid": 7,
    "tid": 8,
    "thread": None,
    "run": "ab",
    "exe": "/usr/bin/python3.12",
    "cwd": "/srv/shop/bin",
    "root": "/srv/shop",
}


def stall(at_ms: float, ms: float, samples: list[tuple[float, list[Json]]], **more: object) -> Json:
    made = [{"count": 1, "ms": part, "stack": stack} for part, stack in samples]
    return {
        **event("stall", at_ms, ms, samples=made, groups=made[:1], oncpu_ms=ms, **more),
        "stack": None,
    }


def written(path: Path, *events: Json) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in (START, *events)))
    return path


def without(part: Json, *names: str) -> Json:
    return {key: value for key, value in part.items() if key not in names}


@pytest.mark.parametrize("name", FORMATS)
def test_weights_add_up_to_the_last_microsecond(name: str, hits: Path) -> None:
    """A call in flight and its end are one; one without an end counts as it stands; stalls are
    shared among their samples; what a rule keeps quiet has no weight."""
    other = [frame("other", "/srv/shop/app.py", 40, user=True), *STACK[2:]]
    wait = event("inflight", 1000, 200)
    written(
        hits,
        wait,
        {**wait, "type": "block", **without(event("block", 1100, 300.123), "id", "type")},
        event("block", 2000, 0.007),
        event("inflight", 3000, 50),
        stall(4000, 100, [(20, STACK), (10, other), (5, STACK)]),
        event(
            "block",
            5000,
            777,
            suppressed={"rule": "call:x", "reason": None, "file": "f", "line": 1},
        ),
    )
    data = export(name, hits)
    found, near = exported.total_ms(name, data)
    assert found == pytest.approx(300.123 + 0.007 + 50 + 100, abs=near)


@pytest.mark.parametrize("name", FORMATS)
def test_iteration_that_was_no_stall_in_the_end_has_no_weight(name: str, hits: Path) -> None:
    """Told in flight; then its block accounted for it, and the summary knows of no stall."""
    late = event("inflight", 1000, 200, call=None)
    end = {**without(event("summary", 2000, 0), "call", "stack"), "blocks": 0, "stalls": 0}
    assert exported.total_ms(name, export(name, written(hits, late)))[0] == pytest.approx(200)
    assert exported.total_ms(name, export(name, written(hits, late, end)))[0] == 0


@pytest.mark.parametrize("name", FORMATS)
def test_no_events_make_an_empty_file_of_the_format(name: str, hits: Path) -> None:
    data = export(name, written(hits))
    assert exported.total_ms(name, data)[0] == 0


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_names_stay_text(name: str, hits: Path) -> None:
    bad = [frame(HOSTILE, f"/srv/shop/{HOSTILE}.py", 1, user=True, source=HOSTILE)]
    odd: Json = {
        "resource": {"kind": "file", "path": HOSTILE},
        "task": {"name": HOSTILE, "coroutine": HOSTILE},
    }
    odd |= {
        "thread": HOSTILE,
        "labels": {HOSTILE: HOSTILE},
        "holder": {"tid": 3, "thread": HOSTILE},
    }
    odd |= {"advice": {"rule": HOSTILE, "text": HOSTILE}}
    data = export(
        name, written(hits, event("block", 1000, 10, stack=bad, call=HOSTILE, group=HOSTILE, **odd))
    )
    assert exported.total_ms(name, data)[0] == pytest.approx(10)
    text = (gzip.decompress(data) if name == "pprof" else data).decode(
        "utf-8", "strict" if name != "pprof" else "replace"
    )
    if name != "pprof":  # its bytes are read by programs alone
        assert not set(text) & set("\x1b\u202e\x85")
    if name == "github":
        assert all(line.startswith("::error ") for line in text.splitlines())
    if name == "folded":
        assert len(text.splitlines()) == 1 and text.count(";") == 2
    if name == "markdown":
        (row,) = (line for line in text.splitlines() if "ms |" in line)
        assert row.replace("\\|", "").count("|") == 7


def test_a_flame_begins_at_the_loop_and_has_no_frames_of_the_interpreter(hits: Path) -> None:
    written(hits, event("block", 1000, 10))
    ((stack, weight),) = exported.folded_lines(export("folded", hits))
    assert stack == [
        "Main",
        "Handle._run (events.py:84)",
        "handler (app.py:12)",
        "[clock_nanosleep]",
    ]
    assert weight == 10_000
    ((functions, values, labels),) = exported.pprof_samples(export("pprof", hits))
    assert functions == ["[clock_nanosleep]", "handler", "Handle._run"] and values == [
        1,
        10_000_000,
    ]
    assert labels == {"call": "clock_nanosleep", "group": "sleep", "thread": "Main"}


def test_a_stall_is_around_its_blocks(hits: Path) -> None:
    """Also where clocks disagree: slices that overlap would be thrown away."""
    inside = event("block", 1050, 50)
    around = stall(1200, 150, [(150, STACK)], start="2026-11-29T08:00:01.000000Z")
    late = event("block", 1250, 100)
    events = exported.slices(export("perfetto", written(hits, inside, around, late)))
    exported.check_nesting(events)
    assert [one["name"] for one in events] == ["stall", "clock_nanosleep", "clock_nanosleep"]
    assert [one["args"]["ms"] for one in events] == [150, 50, 100]
    assert events[0]["dur"] == 200_000


def test_repeated_calls_of_strict_mode_weigh_with_the_first(hits: Path) -> None:
    first = event("block", 1000, 1, reason="strict")
    more = {**without(first, "stack"), "type": "repeated", "count": 9, "total_ms": 4.5}
    written(hits, first, more)
    assert exported.total_ms("folded", export("folded", hits))[0] == pytest.approx(5.5)
    (sample,) = exported.pprof_samples(export("pprof", hits))
    assert sample[1] == [10, 5_500_000]


def test_files_are_named_from_the_root_of_the_project_on(hits: Path) -> None:
    relative = [frame("work", "../lib/a b.py", 5, user=True)]
    written(hits, event("block", 1000, 10), event("block", 2000, 20, stack=relative))
    github = export("github", hits).decode()
    assert "file=app.py,line=12" in github
    (run,) = json.loads(export("sarif", hits))["runs"]
    uris = [
        one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"]
    ]
    assert uris == ["bin/../lib/a%20b.py", "app.py"]
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == "file:///srv/shop/"


def many(count: int) -> list[Json]:
    stacks = [[frame(f"work{i}", f"/srv/shop/m{i}.py", 1, user=True)] for i in range(count)]
    return [event("block", 1000 + i, 1 + i / 1000, stack=stack) for i, stack in enumerate(stacks)]


def test_github_has_the_worst_nine_and_how_many_more(hits: Path) -> None:
    lines = export("github", written(hits, *many(25))).decode().splitlines()
    assert len(lines) == 10
    assert "m24.py" in lines[0] and lines[9].endswith(
        "16 more places block the event loop; all of them: loophound report"
    )


def test_sarif_has_five_thousand_results_and_says_so(hits: Path) -> None:
    (run,) = json.loads(export("sarif", written(hits, *many(5003))))["runs"]
    assert len(run["results"]) == 5000
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("3 places that took less are left out")


def test_junit_has_a_case_for_each_test_and_for_places_outside(hits: Path) -> None:
    written(
        hits,
        event("block", 1000, 10, test="t.py::test_a"),
        event("block", 2000, 20, test="t.py::test_a", call="poll"),
        event("block", 3000, 5, test="t.py::test_b", known=True),
        event("block", 4000, 7, call="read"),
    )
    cases = {
        case.attrib["name"]: case
        for case in ElementTree.fromstring(export("junit", hits)).iter("testcase")
    }
    assert set(cases) == {"t.py::test_a", "t.py::test_b", "read in app.py:12 handler"}
    assert cases["t.py::test_a"].attrib["time"] == "0.030000000"
    text = cases["t.py::test_a"].findtext("failure") or ""
    assert "poll blocked" in text and "clock_nanosleep blocked" in text


def test_known_places_are_no_failures_and_suppressed_ones_say_why(hits: Path) -> None:
    quiet = {"rule": "call:read", "reason": "a slow disk", "file": "rules", "line": 1}
    written(
        hits,
        event("block", 1000, 10, known=True),
        event("block", 2000, 10, call="read", suppressed=quiet),
    )
    (case,) = ElementTree.fromstring(export("junit", hits)).iter("testcase")
    assert case.find("skipped") is not None and case.find("failure") is None
    known, suppressed = json.loads(export("sarif", hits))["runs"][0]["results"]
    assert known["level"] == "note" and "suppressions" not in known
    assert suppressed["suppressions"] == [
        {"kind": "external", "justification": "call:read: a slow disk"}
    ]
    assert export("github", hits).startswith(b"::notice ")
    assert b"1 more are suppressed" in export("markdown", hits)


def test_only_what_lasted_in_a_time_is_exported(hits: Path) -> None:
    written(hits, event("block", 1000, 10), event("block", 5000, 20))
    said = "loophound: 1 events of another time are left out\n"
    data = export("folded", "--since", "2026-11-29T08:00:04Z", hits, said=said)
    assert exported.total_ms("folded", data)[0] == pytest.approx(20)
    data = export("folded", "--until", "2026-11-29T08:00:04Z", hits, said=said)
    assert exported.total_ms("folded", data)[0] == pytest.approx(10)


def test_top_limits_lists_of_places(hits: Path) -> None:
    written(hits, *many(5))
    assert export("github", "--top", "2", hits).count(b"::error") == 2
    assert len(json.loads(export("sarif", "-n", "2", hits))["runs"][0]["results"]) == 2


def calls_in(hits: Path) -> list[list[str]]:
    """The stacks of its blocks; a busy machine adds a stall now and then."""
    stacks = [stack for stack, _ in exported.folded_lines(export("folded", hits))]
    return [stack for stack in stacks if stack[-1] != "[stall]"]


def test_functions_are_looked_up_as_report_does(hits: Path, tmp_path: Path) -> None:
    """A line that the library has written itself has addresses alone."""
    program: list[str | Path] = [PROGRAMS / "deep_stack", "3"]
    run_preloaded(program, tmp_path / "full.jsonl", THRESHOLD="20ms")
    run_preloaded(program, hits, THRESHOLD="20ms", COLLECTOR="none")
    (raw,) = blocks(read_events(hits))
    assert raw["stack"][0]["function"] is None
    (full,) = calls_in(tmp_path / "full.jsonl")
    (completed,) = calls_in(hits)
    # The library's own walk ends earlier.
    assert completed[1:] == full[1 - len(completed) :] and "go_down (" in " ".join(completed)


def test_blocks_that_were_only_counted_are_told(hits: Path) -> None:
    summary = {**START, "type": "summary", "blocks": 3, "stalls": 0, "blocked_ms": 50.0}
    written(hits, event("block", 1000, 10), summary)
    export(
        "folded",
        hits,
        said="loophound: 2 blocks of 40.0 ms were counted only, and are not here: "
        "over the rate, or lost\n",
    )


def test_a_file_is_replaced_when_all_of_it_is_there(hits: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "hits.md"
    target.parent.mkdir()
    target.write_text("old")
    target.chmod(0o640)
    with target.open() as old:
        assert (
            run_command(
                "export", "-f", "markdown", "-o", target, written(hits, event("block", 1000, 10))
            ).returncode
            == 0
        )
        assert old.read() == "old"
    assert "`handler`" in target.read_text() or "handler" in target.read_text()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert os.listdir(target.parent) == ["hits.md"]


def test_a_new_file_is_for_its_owner(hits: Path, tmp_path: Path) -> None:
    target = tmp_path / "new.folded"
    run_command("export", "-f", "folded", "-o", target, written(hits, event("block", 1000, 10)))
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_what_cannot_be_written_is_said_and_leaves_nothing(hits: Path, tmp_path: Path) -> None:
    written(hits, event("block", 1000, 10))
    for target, why in (
        (tmp_path / "no" / "x", "No such file or directory"),
        (tmp_path, "Is a directory"),
    ):
        done = run_command("export", "-f", "folded", "-o", target, hits)
        assert done.returncode == 125
        assert done.stderr == f"loophound: cannot write to {target}: {why}\n"
    done = run_command("export", "-f", "folded", "-o", "/dev/full", hits)
    assert (done.returncode, done.stderr) == (
        125,
        "loophound: cannot write to /dev/full: No space left on device\n",
    )


def test_a_link_in_a_directory_of_others_is_not_followed(hits: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "hits.md").symlink_to(tmp_path / "victim")
    done = run_command(
        "export",
        "-f",
        "markdown",
        "-o",
        shared / "hits.md",
        written(hits, event("block", 1000, 10)),
    )
    assert done.returncode == 125 and "cannot write to" in done.stderr
    assert not (tmp_path / "victim").exists()


def on_a_terminal(*arguments: str | Path, stream: str) -> tuple[int, str]:
    """Its status, and what it printed with this stream on a terminal."""
    ours, theirs = pty.openpty()
    streams: dict[str, Any] = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        stream: theirs,
    }
    other = "stderr" if stream == "stdout" else "stdout"
    streams[other] = subprocess.PIPE
    process = subprocess.Popen(
        [COMMAND, *arguments], env=clean_environment(), stdin=subprocess.DEVNULL, **streams
    )
    os.close(theirs)
    text = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        while True:
            try:
                piece = terminal.read(4096)
            except OSError:  # EIO: nobody has it open any more
                break
            if not piece:
                break
            text += piece
    other_text = process.communicate()[0 if other == "stdout" else 1]
    return process.returncode, (text + other_text).decode()


def test_binary_is_not_for_a_terminal(hits: Path) -> None:
    written(hits, event("block", 1000, 10))
    status, text = on_a_terminal("export", "-f", "pprof", hits, stream="stdout")
    assert status == 2
    assert text == (
        "loophound: export: pprof is binary, and not for a terminal; "
        "expected --output FILE, such as hits.pb.gz; nothing written\n"
    )
    status, text = on_a_terminal("export", "-f", "folded", hits, stream="stdout")
    assert status == 0 and "handler" in text


@pytest.mark.parametrize("subcommand", [("report",), ("export", "-f", "folded")])
def test_a_terminal_is_told_how_far_the_reading_is(
    subcommand: tuple[str, ...], tmp_path: Path
) -> None:
    """The file is a pipe that is fed until the line has come."""
    fifo = tmp_path / "hits"
    os.mkfifo(fifo)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [COMMAND, *subcommand, fifo],
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        os.set_blocking(ours, False)
        line = (json.dumps(event("block", 1000, 10)) + "\n").encode()
        seen = b""
        with fifo.open("wb") as feed:
            for _ in range(10_000):
                feed.write(line * 100)
                feed.flush()
                try:
                    seen += os.read(ours, 4096)
                except OSError:
                    continue
                if b"lines" in seen:
                    break
        os.set_blocking(ours, True)
        while b"\r\x1b[K" not in seen:
            seen += os.read(ours, 4096)
        process.wait()
    os.close(ours)
    assert b"\rloophound: reading hits, " in seen and seen.endswith(b"\r\x1b[K")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no --format; expected html, "),
        (["-f", "pdf"], "--format pdf; expected html, "),
        (["-f", "folded", "--top", "x"], "--top x; expected a number"),
        (["-f", "folded", "--since", "x"], "--since x; expected a time such as"),
        (["-f", "folded", "-o", ""], "--output ; expected a file"),
    ],
)
def test_wrong_arguments_are_said_and_nothing_is_written(arguments: list[str], said: str) -> None:
    done = run_command("export", *arguments, "/dev/null")
    assert done.returncode == 2 and done.stderr.startswith(f"loophound: export: {said}")
    assert done.stderr.endswith("; nothing written\n") and done.stdout == ""


def test_a_file_without_events_fails(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    done = run_command("export", "-f", "folded", empty)
    assert (done.returncode, done.stderr) == (125, f"loophound: {empty} has no event of ours\n")
