# SPDX-License-Identifier: Apache-2.0
"""loophound report --tree: where the time went, from the user's outermost function to the calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness import Event, run_command
from terminal import on_terminal


def frame(function: str, line: int, file: str = "app.py", **members: Any) -> Event:
    return {
        "lang": "python", "function": function, "file": f"/srv/{file}", "line": line,
        "module": None, "offset": None, **members,
    }  # fmt: skip


LIBRARY = frame("get", 5, "lib/python3/dist-packages/requests/api.py")
LOOP = frame("_run", 80, "usr/lib/python3.11/asyncio/events.py")
NATIVE = {
    "lang": "native", "function": "recv", "file": None, "line": None,
    "module": "/lib/x86_64-linux-gnu/libc.so.6", "offset": 4096,
}  # fmt: skip


def block(number: int, ms: float, *stack: Event, **members: Any) -> Event:
    """Innermost first."""
    return {
        "v": 1, "type": "block", "time": "2026-11-29T08:00:30.000000Z", "pid": 1, "tid": 1,
        "start": "2026-11-29T08:00:29.000000Z", "thread": "Main", "id": number, "call": "recv",
        "duration_ms": ms, "stack": list(stack), **members,
    }  # fmt: skip


START = {
    "v": 1, "type": "start", "time": "2026-11-29T08:00:00Z", "pid": 1, "tid": 1, "cwd": "/srv",
    "root": "/srv", "threshold_ms": 100,
}  # fmt: skip


def tree(hits: Path, *events: Event, flags: tuple[str, ...] = ()) -> list[str]:
    hits.write_text("".join(json.dumps(event) + "\n" for event in (START, *events)))
    done = run_command("report", "--tree", *flags, hits)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return [line[22:] for line in done.stdout.splitlines()]


def mine(function: str, line: int, source: str) -> Event:
    return frame(function, line, user=True, source=source)


def test_a_row_is_a_function_of_the_users_and_ends_in_the_call_that_blocked(hits: Path) -> None:
    outer = frame("main", 20), LOOP
    events = [
        block(1, 100, NATIVE, LIBRARY, mine("load", 7, "get(a)"), frame("page", 11), *outer),
        block(2, 200, NATIVE, LIBRARY, mine("load", 7, "get(a)"), frame("page", 12), *outer),
        block(3, 50, NATIVE, mine("save", 9, "put()"), frame("page", 13), *outer),
    ]
    assert tree(hits, *events) == [
        "main  app.py",
        "  page  app.py",
        "    load  app.py",
        "      recv, 2 times  app.py:7  get(a)",
        "    save  app.py",
        "      recv  app.py:9  put()",
    ]


def test_time_and_share_stand_in_each_row_the_largest_first(hits: Path) -> None:
    events = [block(1, 25, mine("b", 1, "x")), block(2, 75, mine("a", 2, "y"))]
    hits.write_text("".join(json.dumps(event) + "\n" for event in (START, *events)))
    rows = run_command("report", "--tree", hits).stdout.splitlines()
    assert [" ".join(row.split()[:4]) for row in rows] == [
        "75.0 ms 75 %", "75.0 ms 75 %", "25.0 ms 25 %", "25.0 ms 25 %"
    ]  # fmt: skip
    assert rows[0].endswith("a  app.py") and rows[2].endswith("b  app.py")


def test_what_is_no_code_of_the_users_stands_at_its_place(hits: Path) -> None:
    (row,) = tree(hits, block(1, 100, NATIVE, LIBRARY, LOOP))
    assert row.startswith("recv  ") and "requests/api.py:5" in row and row.endswith(" get")
    assert tree(hits, block(1, 100)) == ["recv"]


def test_stall_has_the_time_of_its_samples(hits: Path) -> None:
    samples = [
        {"count": 3, "ms": 30, "stack": [mine("inner", 3, "x"), frame("main", 20)]},
        {"count": 1, "ms": 10, "stack": [mine("other", 4, "y"), frame("main", 20)]},
    ]
    stall = block(1, 40, type="stall", call=None, samples=samples, groups=[])
    del stall["stack"]
    assert tree(hits, stall) == [
        "main  app.py", "  inner  app.py", "    stall  app.py:3  x", "  other  app.py",
        "    stall  app.py:4  y",
    ]  # fmt: skip


def test_what_a_rule_keeps_quiet_is_not_there(hits: Path) -> None:
    quiet = {"rule": "x", "reason": None, "file": "y", "line": 1}
    events = [block(1, 10, mine("a", 1, "x")), block(2, 90, mine("b", 2, "y"), suppressed=quiet)]
    assert tree(hits, *events)[0] == "a  app.py"


def test_small_parts_are_put_together_unless_all_is_asked_for(hits: Path) -> None:
    events = [block(n, 1 if n else 1000, mine(f"f{n}", n + 1, "x")) for n in range(4)]
    rows = tree(hits, *events)
    assert rows == ["f0  app.py", "  recv  app.py:1  x", "... 3 more (--top 0 shows them)"]
    assert len(tree(hits, *events, flags=("--top", "0"))) == 8


def test_rows_fit_a_terminal_and_names_do_not_drive_it(hits: Path) -> None:
    deep = [mine("f\x1b[31m0", 1, "x" * 100)] + [frame(f"f{n}", n) for n in range(1, 60)]
    tree(hits, block(1, 100, *deep))
    shown = on_terminal("report", "--tree", hits, columns=80)
    assert "\x1b" not in shown
    assert 70 < max(map(len, shown.splitlines())) <= 80
    assert len(shown.splitlines()) == 61


def test_time_range_is_heeded(hits: Path) -> None:
    tree(hits, block(1, 100, mine("a", 1, "x")))
    done = run_command("report", "--tree", "--until", "2026-11-29T07:00:00Z", hits)
    assert done.stdout == ""


@pytest.mark.parametrize("flag", [["--by", "call"], ["--advice"], ["--format", "json"]])
def test_flag_that_a_tree_has_no_use_for_is_refused(flag: list[str], hits: Path) -> None:
    done = run_command("report", "--tree", *flag, hits)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"loophound: report: --tree has no {flag[0]}; nothing read\n"
