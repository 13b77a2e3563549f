# SPDX-License-Identifier: Apache-2.0
"""loophound report: reports read back, their stacks completed, the worst offenders as a table."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import PROGRAMS, Event, blocks, read_events, run_command, run_preloaded

PROGRAM = PROGRAMS / "deep_stack"


def place(frame: Event) -> tuple[str | None, str | None, int | None]:
    return frame["function"], Path(frame["file"]).name if frame["file"] else None, frame["line"]


def raw_report(program: Path, output: Path) -> Event:
    """The block as the library itself writes it, without a collector."""
    _, events = run_preloaded([program, "3"], output, THRESHOLD="20ms", COLLECTOR="none")
    (block,) = blocks(events)
    assert block["stack"][0]["function"] is None and block["stack"][0]["build_id"]
    return block


def completed(report: Path, *flags: str | Path) -> Event:
    done = run_command("report", "--format", "json", *flags, report)
    assert (done.returncode, done.stderr) == (0, "")
    (block,) = blocks([json.loads(line) for line in done.stdout.splitlines()])
    return block


def test_raw_line_is_completed_to_what_the_collector_says(hits: Path, tmp_path: Path) -> None:
    _, events = run_preloaded([PROGRAM, "3"], tmp_path / "full.jsonl", THRESHOLD="20ms")
    (full,) = blocks(events)
    raw = raw_report(PROGRAM, hits)
    block = completed(hits)
    assert place(block["stack"][0]) == place(full["stack"][0])
    assert block["stack"][0]["user"] is True and "build_id" not in block["stack"][0]
    for key in raw.keys() - {"stack"}:
        assert block[key] == raw[key]


def make_link(program: Path) -> None:
    program.rename(program.with_name("elsewhere"))
    program.symlink_to(program.with_name("elsewhere"))


def make_fifo(program: Path) -> None:
    program.unlink()
    os.mkfifo(program)


def give_away(program: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(program, 12345, 12345)


def let_all_write(program: Path) -> None:
    program.chmod(0o757)


@pytest.mark.parametrize("change", [make_link, make_fifo, give_away, let_all_write])
def test_file_that_others_may_have_made_is_not_opened_by_its_name_in_a_report(
    change: Callable[[Path], None], hits: Path, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    shutil.copy(PROGRAM, program)
    raw_report(program, hits)
    assert completed(hits)["stack"][0]["function"] == "go_down"
    change(program)
    assert completed(hits)["stack"][0]["function"] is None
    if change is not make_fifo:  # a directory that the reader names is as good as its word
        frame = completed(hits, "--symbols", tmp_path)["stack"][0]
        assert frame["function"] == "go_down"


def test_separate_debug_file_is_found_by_build_id(hits: Path, tmp_path: Path) -> None:
    """As on another machine: the program itself is gone, its debug file is kept."""
    program = tmp_path / "program"
    shutil.copy(PROGRAM, program)
    build_id = raw_report(program, hits)["stack"][0]["build_id"]
    debug = tmp_path / "symbols" / ".build-id" / build_id[:2] / f"{build_id[2:]}.debug"
    debug.parent.mkdir(parents=True)
    subprocess.run(["objcopy", "--only-keep-debug", program, debug], check=True)
    program.unlink()
    assert place(completed(hits)["stack"][0]) == (None, None, None)
    frame = completed(hits, "--symbols", tmp_path / "symbols")["stack"][0]
    assert place(frame)[:2] == ("go_down", "deep_stack.c")


def test_file_of_the_same_name_in_a_directory_of_symbols_is_found(
    hits: Path, tmp_path: Path
) -> None:
    program = tmp_path / "deep_stack"
    shutil.copy(PROGRAM, program)
    raw_report(program, hits)
    program.unlink()
    frame = completed(hits, "--symbols", PROGRAMS)["stack"][0]
    assert place(frame)[:2] == ("go_down", "deep_stack.c")


def test_file_of_another_build_is_never_used(hits: Path, tmp_path: Path) -> None:
    program = tmp_path / "program"
    shutil.copy(PROGRAM, program)
    raw_report(program, hits)
    program.unlink()
    shutil.copy(PROGRAMS / "loops", program)
    assert place(completed(hits)["stack"][0]) == (None, None, None)


def event(kind: str, **members: object) -> str:
    return json.dumps({"v": 1, "type": kind, "pid": 1, "tid": 1, **members}) + "\n"


def frame(function: str, line: int) -> Event:
    return {
        "lang": "python",
        "function": function,
        "file": "/app/app.py",
        "line": line,
        "module": None,
        "offset": None,
        "user": True,
    }


def test_without_a_frame_of_the_users_own_the_innermost_of_python_is_the_place(hits: Path) -> None:
    """What FastAPI was to encode took long: not in the interpreter's eyes, where each sample
    differs."""
    machine = {
        "lang": "native",
        "function": "gc_collect",
        "file": "Modules/gcmodule.c",
        "line": 1226,
        "module": "/usr/bin/python3.11",
        "offset": 4096,
    }
    packages = "/usr/lib/python3/dist-packages"
    library = [
        dict(frame(function, 307), user=False, file=f"{packages}/fastapi/encoders.py")
        for function in ("jsonable_encoder", "serialize_response")
    ]
    samples = [{"count": 3, "stack": [machine, *library]}]
    hits.write_text(event("stall", id=1, duration_ms=60, samples=samples))
    done = run_command("report", hits)
    assert "encoders.py:307 jsonable_encoder" in done.stdout, done.stdout + done.stderr


def test_table_adds_up_by_call_and_place_the_largest_total_first(hits: Path) -> None:
    lines = [event("start")]
    for number, (call, line, ms) in enumerate(
        [("read", 7, 100), ("read", 7, 150.5), ("recv", 9, 200), ("read", 8, 10)]
    ):
        stack = [frame("load", line)]
        lines.append(event("inflight", id=number, call=call, duration_ms=ms / 2, stack=stack))
        lines.append(event("block", id=number, call=call, duration_ms=ms, stack=stack))
    samples = [{"count": 3, "stack": [frame("compute", 20)]}]
    lines.append(event("stall", id=10, duration_ms=60, samples=samples))
    lines.append(event("inflight", id=11, call="poll", duration_ms=50, stack=[frame("ask", 30)]))
    lines.append(event("inflight", id=11, call="poll", duration_ms=80, stack=[frame("ask", 30)]))
    # One of an iteration that its block accounts for in the end.
    lines.append(event("inflight", id=12, call=None, duration_ms=70, stack=[frame("late", 40)]))
    lines.append(event("summary", loops=1, blocks=4, stalls=1, dropped=2))
    hits.write_text("".join(lines))
    done = run_command("report", hits)
    assert (done.returncode, done.stderr) == (0, "")
    heading, *rows, last = done.stdout.splitlines()
    assert heading.split() == ["TOTAL", "WORST", "COUNT", "CALL", "WHERE"]
    assert [" ".join(row.split()) for row in rows] == [
        "250.5 ms 150.5 ms 2 read /app/app.py:7 load",
        "200.0 ms 200.0 ms 1 recv /app/app.py:9 load",
        "80.0 ms 80.0 ms 1 poll (no end) /app/app.py:30 ask",
        "60.0 ms 60.0 ms 1 stall /app/app.py:20 compute",
        "10.0 ms 10.0 ms 1 read /app/app.py:8 load",
    ]
    assert last == "1 process, 4 blocks, 1 stall, 2 dropped"
    shortened = run_command("report", "--top", "2", hits).stdout.splitlines()
    assert [row.split() for row in shortened[1:3]] == [row.split() for row in rows[:2]]
    assert shortened[3] == "... and 3 more (--top 0 shows them)"


def test_place_of_a_stall_is_what_its_samples_have_in_common(tmp_path: Path) -> None:
    hits = tmp_path / "hits.jsonl"
    samples = [
        {"count": 3, "ms": 30, "stack": [frame("inner", 7), frame("compute", 21)]},
        {"count": 2, "ms": 20, "stack": [frame("other", 9), frame("compute", 20)]},
    ]
    groups = [{"count": 5, "ms": 50, "stack": [frame("compute", 20)]}]
    hits.write_text(event("stall", id=1, duration_ms=60, samples=samples, groups=groups))
    assert " /app/app.py:20 compute" in run_command("report", hits).stdout


def test_reports_are_read_from_standard_input_too(hits: Path) -> None:
    run_preloaded([PROGRAM, "3"], hits, THRESHOLD="20ms")
    expected = run_command("report", hits).stdout
    assert "nanosleep" in expected
    assert run_command("report", stdin=hits.read_text()).stdout == expected


def test_lines_that_are_no_events_are_said_once_and_left_out(hits: Path) -> None:
    good = event("block", id=1, call="read", duration_ms=1, stack=[])
    hits.write_text(f'{good}not json\n[1]\n{{"v": 2}}\n{good[:20]}')
    done = run_command("report", hits)
    assert done.returncode == 0
    first, second = done.stderr.splitlines()
    assert first.startswith(f"loophound: {hits}:2: not an event of ours (")
    assert first.endswith("); left out")
    assert second == f"loophound: {hits}: 4 lines in all were left out"
    assert "1.0 ms" in done.stdout


def test_empty_lines_are_nothing_to_speak_of(hits: Path) -> None:
    good = event("block", id=1, call="read", duration_ms=1, stack=[])
    hits.write_text(f"\n{good}\n\r\n{good}")
    done = run_command("report", hits)
    assert (done.returncode, done.stderr) == (0, "")
    hits.write_text("\n\n")
    assert run_command("report", hits).stderr == f"loophound: {hits} has no event of ours\n"


def test_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = run_command("report", tmp_path / "none.jsonl")
    assert done.returncode == 125
    assert (
        done.stderr == f"loophound: cannot read {tmp_path}/none.jsonl: No such file or directory\n"
    )


@pytest.mark.parametrize("flags", [["--format", "xml"], ["--top", "many"], ["--top", "-1"]])
def test_bad_flag_is_one_clear_line(flags: list[str]) -> None:
    done = run_command("report", *flags)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"loophound: report: {' '.join(flags)}; expected ")


def test_each_line_is_written_as_it_was_read(hits: Path) -> None:
    """Where nothing is to be completed, what goes in comes out."""
    run_preloaded([PROGRAM, "3"], hits, THRESHOLD="20ms")
    done = run_command("report", "--format", "json", hits)
    assert [json.loads(line) for line in done.stdout.splitlines()] == read_events(hits)
