# SPDX-License-Identifier: Apache-2.0
"""loophound report: what its rows are, which events it takes, from which files."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import pty
import re
import subprocess
import termios
from pathlib import Path
from typing import Any

import pytest
from harness import COMMAND, Event, clean_environment, run_command, wait_until

ZSTD = ["zstd", "-q", "-c"]


def event(number: int, minute: int = 0, **members: Any) -> Event:
    common = {
        "v": 1, "type": "block", "time": f"2026-11-29T08:{minute:02}:10.000000Z",
        "start": f"2026-11-29T08:{minute:02}:09.500000Z", "pid": 1, "tid": 1, "thread": "Main",
        "id": number, "call": "recv", "duration_ms": 100, "fingerprint": f"{number:016x}",
        "stack": [],
    }  # fmt: skip
    return {**common, **members}


def write(path: Path, *events: Event) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in events))
    return path


def report(*arguments: str | Path, stdin: str | None = None) -> list[str]:
    """The table without its last line, each row with single blanks."""
    done = run_command("report", *arguments, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return [" ".join(row.split()) for row in done.stdout.splitlines()[:-1]]


def frame(line: int, source: str) -> Event:
    return {
        "lang": "python", "function": "load", "file": "/app/app.py", "line": line, "module": None,
        "offset": None, "user": True, "source": source,
    }  # fmt: skip


def test_events_of_one_fingerprint_are_one_row_wherever_their_line_is(hits: Path) -> None:
    stacks = [[frame(7, "read()")], [frame(9, "read()")], [frame(9, "other()")]]
    events = [
        event(number, fingerprint=f"{same:016x}", stack=stack)
        for number, (same, stack) in enumerate(zip([1, 1, 2], stacks, strict=True))
    ]
    assert report(write(hits, *events))[1:] == [
        "200.0 ms 100.0 ms 2 recv /app/app.py:9 load read()",
        "100.0 ms 100.0 ms 1 recv /app/app.py:9 load other()",
    ]


BY: dict[str, tuple[str, Event, Event, str, str]] = {
    "call": ("CALL", {"call": "recv"}, {"call": "open"}, "recv", "open"),
    "peer": (
        "PEER",
        {"resource": {"kind": "socket", "fd": 3, "peer": "10.0.0.7:443", "nonblocking": False}},
        {"resource": {"kind": "name", "host": "db.example"}},
        "10.0.0.7:443",
        "db.example",
    ),
    "task": (
        "TASK",
        {"task": {"name": "Task-5", "coroutine": "handler"}},
        {"task": {"name": "Warmup", "coroutine": None}},
        "handler",
        "Warmup",
    ),
    "thread": ("THREAD", {"thread": "Main"}, {"thread": "io-1"}, "Main", "io-1"),
    "test": (
        "TEST",
        {"test": "test_a.py::test_x"},
        {"test": "test_b"},
        "test_a.py::test_x",
        "test_b",
    ),
}


@pytest.mark.parametrize("by", BY)
def test_rows_are_of_what_was_asked_for(by: str, hits: Path) -> None:
    heading, one, other, name_of_one, name_of_other = BY[by]
    write(hits, event(1, **one), event(2, **other), event(3, **one))
    assert report("--by", by, hits) == [
        f"TOTAL WORST COUNT {heading}",
        f"200.0 ms 100.0 ms 2 {name_of_one}",
        f"100.0 ms 100.0 ms 1 {name_of_other}",
    ]


@pytest.mark.parametrize("by", ["peer", "task", "test"])
def test_events_without_it_have_a_row_that_says_so(by: str, hits: Path) -> None:
    assert report("--by", by, write(hits, event(1, task=None)))[1:] == [
        f"100.0 ms 100.0 ms 1 (no {by})"
    ]


def counted(*arguments: str | Path) -> tuple[str, str]:
    done = run_command("report", *arguments)
    assert done.returncode == 0
    return done.stdout.splitlines()[-1], done.stderr


@pytest.mark.parametrize(
    ("limits", "count"),
    [
        (["--since", "2026-11-29T08:20:10Z"], 2),
        (["--since", "2026-11-29T08:20:10.000001Z"], 1),
        (["--since", "2026-11-29T10:20:10+02:00"], 2),
        (["--since", "2026-11-29 08:30"], 1),
        (["--since", "2026-11-29", "--until", "2026-11-30"], 3),
        (["--until", "2026-11-29T08:20:09.500000Z"], 1),
        (["--until", "2026-11-29T08:20:09.6Z"], 2),
        (["--since", "2026-11-29T08:20", "--until", "2026-11-29T08:21"], 1),
        (["--until", "2000-01-01"], 0),
    ],
)
def test_only_what_lasted_in_the_time_that_was_asked_for_counts(
    limits: list[str], count: int, hits: Path
) -> None:
    events = [event(number, minute=10 * number) for number in (1, 2, 3)]
    summary = {**event(4), "type": "summary", "blocks": 99}
    line, said = counted(*limits, write(hits, *events, summary))
    assert f" {count} block{'' if count == 1 else 's'}, " in line
    left_out = [word for word in said.split() if word.isdigit()]
    assert sum(map(int, left_out)) in (3 - count, 4 - count)


def test_time_before_now_is_a_limit_too(hits: Path) -> None:
    write(
        hits,
        event(1, time="2001-01-01T00:00:00.000000Z"),
        event(2, time="2999-01-01T00:00:00.000000Z"),
    )
    assert " 1 block, " in counted("--since", "2h", hits)[0]


@pytest.mark.parametrize(
    "flags",
    [["--since", "yesterday"], ["--since", "2026-13-01"], ["--until", "5x"], ["--by", "colour"]],
)
def test_bad_value_is_one_clear_line(flags: list[str], hits: Path) -> None:
    done = run_command("report", *flags, write(hits, event(1)))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"loophound: report: {' '.join(flags)}; expected ")


def test_compressed_files_are_read_as_plain_ones_are(hits: Path, tmp_path: Path) -> None:
    plain = report(write(hits, *(event(number) for number in range(2000))))
    zipped = tmp_path / "hits.jsonl.gz"
    zipped.write_bytes(gzip.compress(hits.read_bytes()))
    assert report(zipped) == plain
    zstd = tmp_path / "hits.jsonl.zst"
    zstd.write_bytes(subprocess.run([*ZSTD, hits], check=True, stdout=subprocess.PIPE).stdout)
    assert report(zstd) == plain


def through(data: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [COMMAND, "report", "--top", "0"],
        input=data,
        capture_output=True,
        env=clean_environment(),
        check=False,
    )


def test_compressed_parts_put_together_are_read_to_the_end(hits: Path, tmp_path: Path) -> None:
    for compress in (
        gzip.compress,
        lambda data: subprocess.run(ZSTD, input=data, check=True, stdout=subprocess.PIPE).stdout,
    ):
        parts = [compress(write(hits, event(number)).read_bytes()) for number in (1, 2)]
        done = through(b"".join(parts))
        assert (done.returncode, done.stderr) == (0, b"")
        assert b" 2 blocks, " in done.stdout


def test_what_is_cut_off_or_damaged_is_said_and_fails(hits: Path) -> None:
    data = write(hits, *(event(number) for number in range(2000))).read_bytes()
    zstd = subprocess.run(ZSTD, input=data, check=True, stdout=subprocess.PIPE).stdout
    for whole in (gzip.compress(data), zstd):
        broken = bytearray(whole)
        broken[len(whole) // 2] ^= 0xFF
        for part in (whole[: len(whole) // 2], bytes(broken)):
            done = through(part)
            assert done.returncode == 125
            assert (
                b"standard input: what is compressed is damaged, or ends too early" in done.stderr
            )


@pytest.mark.parametrize("text", ["", "not json\n", '{"v": 2}\n[1]\n'])
def test_file_without_any_event_of_ours_fails(text: str, hits: Path, tmp_path: Path) -> None:
    hits.write_text(text)
    done = run_command("report", hits, write(tmp_path / "good.jsonl", event(1)))
    assert done.returncode == 125
    assert f"loophound: {hits} has no event of ours" in done.stderr
    assert " 1 block, " in done.stdout, "the others are read all the same"


def test_terminal_without_a_file_gets_the_usage() -> None:
    ours, terminal = pty.openpty()
    try:
        done = subprocess.run(
            [COMMAND, "report"], stdin=terminal, capture_output=True, text=True, timeout=60,
            env=clean_environment(), check=False,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(terminal)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: loophound report ")


def test_text_of_the_line_comes_from_the_event_not_from_the_file(
    hits: Path, tmp_path: Path
) -> None:
    app = tmp_path / "app.py"
    app.write_text("now it is another\n")
    old = dict(frame(1, "then()"), file=str(app))
    assert report(write(hits, event(1, stack=[old])))[1].endswith("load then()")
    del old["source"]
    assert report(write(hits, event(1, stack=[old])))[1].endswith("load")


def test_numbers_that_cannot_be_do_not_break_the_table(tmp_path: Path) -> None:
    """Of a file that anybody may have written."""
    durations = [1e300, 1.7e308, 1.7e308, 99999999.0, 12345678901.5, -1e300, 12.5]
    events = [
        event(number, call=f"c{number}", duration_ms=ms) for number, ms in enumerate(durations)
    ]
    huge = 9223372036854775807
    summary = event(0, type="summary", blocks=huge, stalls=huge, dropped=huge)
    hits = write(tmp_path / "hits", *events, *[{**summary, "pid": pid} for pid in range(3)])
    done = run_command("report", hits)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    heading, *rows, last = done.stdout.splitlines()
    call_at = heading.index("CALL")
    assert len(rows) == len(durations)
    for row in rows:
        assert row[call_at - 1] == " " and row[call_at] == "c", done.stdout
        assert all(row[at : at + 4] == " ms " for at in (9, 22)), done.stdout
    assert len(last) < 80, last


def test_fifo_is_read_to_its_end(tmp_path: Path) -> None:
    hits = write(tmp_path / "hits", event(1), event(2))
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["sh", "-c", 'cat "$1" > "$2"', "sh", hits, fifo]):
        done = run_command("report", fifo)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run_command("report", hits).stdout


def test_line_without_an_end_does_not_take_all_memory(tmp_path: Path) -> None:
    compressed = tmp_path / "zeros.gz"
    with gzip.open(compressed, "wb") as file:
        for _ in range(20):
            file.write(bytes(1 << 20))
    for path in ("/dev/zero", compressed):
        done = run_command("report", path)
        assert done.returncode == 125
        line = f"loophound: cannot read all of {path}: a line is longer than 16 MiB\n"
        assert line in done.stderr, done.stderr


def line(kind: str, number: int, **members: Any) -> str:
    return json.dumps({"v": 1, "type": kind, "id": f"{number:016x}", **members}) + "\n"


def named_frame(number: int) -> Event:
    return {"lang": "python", "function": f"f{number}", "file": f"/app/{number}.py", "line": 1}


def test_stack_that_goes_on_in_others_is_put_together(hits: Path) -> None:
    """Each stack is one frame, and all of the one before: more of them than are followed."""
    count = 60
    lines = [line("frame", n, **named_frame(n)) for n in range(1, count + 1)]
    for n in range(1, count + 1):
        outer = {"outer": f"{n - 1:016x}", "outer_frames": n - 1} if n > 1 else {}
        lines.append(line("stack", n, frames=[f"{n:016x}"], cut=n == 1, **outer))
    without = {key: value for key, value in event(1).items() if key != "stack"}
    lines.append(json.dumps({**without, "stack_id": f"{count:016x}"}) + "\n")
    # Of the last but one only the outermost half.
    half = {"outer": f"{count:016x}", "outer_frames": count // 2}
    lines.append(line("stack", count + 1, frames=[f"{count:016x}"], cut=False, **half))
    lines.append(json.dumps({**without, "id": 2, "stack_id": f"{count + 1:016x}"}) + "\n")
    hits.write_text("".join(lines))
    done = run_command("report", "--format", "json", hits)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    stacks = [json.loads(text)["stack"] for text in done.stdout.splitlines()]
    names = [[frame["function"] for frame in stack] for stack in stacks]
    whole = [f"f{n}" for n in range(count, 0, -1)]
    assert names == [whole, [f"f{count}", *whole[count // 2 :]]]


def peak_bytes(lines: list[str]) -> int:
    """Of a report that has read all of this, but not its end."""
    with subprocess.Popen(
        [COMMAND, "report", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=clean_environment(),
        text=True,
    ) as process:
        stdin = process.stdin
        assert stdin
        stdin.write("".join(lines))
        stdin.flush()

        def is_read() -> bool:
            unread = fcntl.ioctl(stdin, termios.FIONREAD, bytes(4))
            return not any(unread)

        wait_until("all is read", is_read)
        status = Path(f"/proc/{process.pid}/status").read_text()
        stdin.close()
        assert process.wait() == 0
    (peak_kb,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(peak_kb) * 1024


def test_many_places_and_stacks_take_little_memory_each() -> None:
    """100 MB may have 50,000 of each: report is to stay near 20 MB."""
    frames = [line("frame", n, **named_frame(n)) for n in range(1, 501)]
    peaks = []
    for count in (1, 10_000):
        lines = list(frames)
        for number in range(10_000):
            which = number % count
            picked = [f"{1 + which * (2 * k + 1) % 500:016x}" for k in range(30)]
            if number < count:
                lines.append(line("stack", 1000 + which, frames=picked, cut=False))
            told = event(number, fingerprint=f"{which:016x}", stack_id=f"{1000 + which:016x}")
            del told["stack"]
            lines.append(json.dumps(told) + "\n")
        peaks.append(peak_bytes(lines))
    few, many = peaks
    assert many - few < 10_000 * 600


def test_line_is_a_row_a_line_in_columns_for_other_tools(hits: Path) -> None:
    events = [
        event(1, duration_ms=12.5, stack=[frame(7, "a\tb")], advice={"text": "no", "rule": "X1"}),
        event(2, duration_ms=1),
    ]
    out = run_command("report", "--format", "line", write(hits, *events)).stdout
    assert out == "12.5\t12.5\t1\trecv\t/app/app.py:7 load\ta b\n1.0\t1.0\t1\trecv\t?\t\n"
    advised = run_command("report", "--format", "line", "--advice", "--top", "1", hits).stdout
    assert advised.endswith("\ta b\tno  [ruff X1]\n") and advised.count("\n") == 1
    by = run_command("report", "--format", "line", "--by", "thread", hits).stdout
    assert by == "13.5\t12.5\t2\t\tMain\t\n"


def test_markdown_is_a_table_in_which_names_mean_nothing(hits: Path) -> None:
    hostile = dict(frame(7, "x | `y` </b>"), function="f|g\n\n# h")
    advice = {"text": "use *this* | that", "rule": None}
    write(hits, event(1, stack=[hostile], advice=advice))
    lines = run_command("report", "--format", "markdown", "--advice", hits).stdout.splitlines()
    assert lines == [
        "| TOTAL | WORST | COUNT | CALL | WHERE | LINE |",
        "| ---: | ---: | ---: | --- | --- | --- |",
        "| 100.0 ms | 100.0 ms | 1 | `recv` | `/app/app.py:7 f\\|g??# h` |"
        " `` x \\| `y` </b> ``<br>use \\*this\\* \\| that |",
        "", "1 process, 1 block, 0 stalls, 0 dropped",
    ]  # fmt: skip
    plain = run_command("report", "--format", "markdown", hits).stdout
    assert "this" not in plain


def test_markdown_of_nothing_has_no_table(hits: Path) -> None:
    write(hits, {**event(1), "type": "start"})
    out = run_command("report", "--format", "markdown", hits).stdout
    assert "|" not in out and out.endswith("1 process, 0 blocks, 0 stalls, 0 dropped\n")
