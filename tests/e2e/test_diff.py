# SPDX-License-Identifier: Apache-2.0
"""loophound diff: what is new, worse, better and gone from one run to another."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness import PYTHON, ROOT, Event, run_command
from terminal import on_terminal

MISTAKES = ROOT / "tests" / "programs" / "python" / "mistakes.py"


def block(number: int, function: str, ms: float = 100, **members: Any) -> Event:
    frame = {
        "lang": "python", "function": function, "file": f"{members.pop('root', '/a')}/app.py",
        "line": members.pop("line", 7), "module": None, "offset": None, "user": True,
        "source": members.pop("source", "wait()"),
    }  # fmt: skip
    return {
        "v": 1, "type": "block", "time": "2026-11-29T08:00:30.000000Z", "pid": 1, "tid": 1,
        "id": number, "call": "recv", "duration_ms": ms, "stack": [frame], **members,
    }  # fmt: skip


def run_of(
    blocks: list[Event], seconds: int = 60, root: str = "/a", strict: bool = False
) -> list[Event]:
    """What a program wrote that was watched so long."""
    common = {"v": 1, "pid": 1, "tid": 1}
    start = {
        **common, "type": "start", "time": "2026-11-29T08:00:00.000000Z", "run": "r",
        "cwd": root, "root": root, "strict": strict,
    }  # fmt: skip
    end = f"2026-11-29T08:{seconds // 60:02}:{seconds % 60:02}.000000Z"
    summary = {**common, "type": "summary", "time": end, "loops": 1, "blocks": len(blocks)}
    return [start, *blocks, summary]


def times(count: int, function: str, ms: float = 100, **members: Any) -> list[Event]:
    return [block(number, function, ms, **members) for number in range(count)]


def text_of(events: list[Event]) -> str:
    return "".join(json.dumps(event) + "\n" for event in events)


def write(path: Path, events: list[Event]) -> Path:
    path.write_text(text_of(events))
    return path


class Runs:
    """Two files, and what diff says of them."""

    def __init__(self, folder: Path) -> None:
        self.a, self.b = folder / "a.jsonl", folder / "b.jsonl"

    def diff(self, a: list[Event], b: list[Event], *flags: str) -> Any:
        write(self.a, a)
        write(self.b, b)
        return run_command("diff", *flags, self.a, self.b)

    def lines(self, a: list[Event], b: list[Event], *flags: str) -> list[str]:
        done = self.diff(a, b, *flags)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return [" ".join(line.split()) for line in done.stdout.splitlines()]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def test_places_are_told_in_words_the_worst_first_and_the_net_last(runs: Runs) -> None:
    peer: Event = {
        "resource": {"kind": "socket", "fd": 3, "peer": "10.0.0.7:443", "nonblocking": False}
    }
    advice: Event = {"advice": {"text": "use asyncio", "rule": "ASYNC210"}}
    before = [*times(4, "price", **peer), *times(6, "backoff", 20), *times(5, "steady")]
    after = [
        *times(9, "price", 200, **peer), *times(2, "load", 40, **advice), *times(5, "steady", 101),
        *times(1, "backoff", 20),
    ]  # fmt: skip
    assert runs.lines(run_of(before), run_of(after)) == [
        "worse +1400 ms/min recv → 10.0.0.7:443 app.py:7 price",
        "4 → 9 times, worst 100 → 200 ms",
        "new +80 ms/min recv app.py:7 load",
        "2 times, worst 40 ms",
        "advice: use asyncio [ruff ASYNC210]",
        "better -100 ms/min recv app.py:7 backoff",
        "6 → 1 times, worst 20 → 20 ms",
        "net +1385 ms/min: 1 worse, 1 new, 1 better, 1 as before",
    ]
    back = runs.lines(run_of(after), run_of(before))
    assert [line for line in back if not line[0].isdigit() and "advice" not in line] == [
        "worse +100 ms/min recv app.py:7 backoff",
        "gone -80 ms/min recv app.py:7 load",
        "better -1400 ms/min recv → 10.0.0.7:443 app.py:7 price",
        "net -1385 ms/min: 1 worse, 1 better, 1 gone, 1 as before",
    ]


def test_nothing_that_changed_is_one_line(runs: Runs) -> None:
    same = run_of(times(5, "steady"))
    assert runs.lines(same, same, "--fail") == ["net +0 ms/min: 1 as before"]


def test_a_run_twice_as_long_is_none_the_worse(runs: Runs) -> None:
    """By minute, not in all."""
    short, long = run_of(times(5, "f"), 60), run_of(times(10, "f"), 120)
    assert runs.lines(short, long, "--fail") == ["net +0 ms/min: 1 as before"]
    assert runs.lines(short, run_of(times(10, "f"), 60))[0].startswith("worse +500 ms/min")


def test_place_that_moved_or_lies_elsewhere_or_reads_otherwise_is_the_same(runs: Runs) -> None:
    before = run_of(times(3, "f"))
    moved = times(3, "f", root="/ci/build", line=99, source="wait(1)")
    assert runs.lines(before, run_of(moved, root="/ci/build")) == ["net +0 ms/min: 1 as before"]


@pytest.mark.parametrize("change", [{"call": "send"}, {"function": "g"}, {"file": "/a/b.py"}])
def test_another_call_function_or_file_is_another_place(runs: Runs, change: Event) -> None:
    after = times(3, "f")
    for event in after:
        part = event if "call" in change else event["stack"][0]
        part.update(change)
    kinds = [line.split()[0] for line in runs.lines(run_of(times(3, "f")), run_of(after))]
    assert [kind for kind in kinds if kind in ("new", "gone")] == ["new", "gone"]


def verdict(runs: Runs, before: int, after: int, *flags: str) -> str:
    return runs.lines(run_of(times(before, "f")), run_of(times(after, "f")), *flags)[0].split()[0]


def test_worse_is_more_than_the_margin_and_often_enough(runs: Runs) -> None:
    assert verdict(runs, 4, 6) == "net"
    assert verdict(runs, 4, 7) == "worse"
    assert verdict(runs, 4, 6, "--margin", "40%") == "worse"
    assert verdict(runs, 4, 7, "--margin", "100%") == "net"
    assert verdict(runs, 1, 2) == "net"
    assert verdict(runs, 1, 2, "--least", "2") == "worse"
    assert verdict(runs, 7, 4) == "better"
    assert verdict(runs, 2, 1) == "net"


def status(runs: Runs, before: list[Event], after: list[Event]) -> tuple[int, str]:
    done = runs.diff(before, after, "--fail")
    return done.returncode, done.stdout.splitlines()[-1]


def test_new_or_worse_fails_where_that_was_asked_and_nothing_else_does(runs: Runs) -> None:
    few, many, none = run_of(times(3, "f")), run_of(times(9, "f")), run_of([])
    assert status(runs, none, few) == (99, "net +300 ms/min: 1 new, 0 as before; exit 99")
    assert status(runs, few, many)[0] == 99
    assert status(runs, many, few) == (0, "net -600 ms/min: 1 better, 0 as before")
    assert status(runs, few, none) == (0, "net -300 ms/min: 1 gone, 0 as before")
    done = runs.diff(none, many)
    assert (done.returncode, "exit" in done.stdout) == (0, False)


def test_run_that_watched_nothing_is_not_better(runs: Runs) -> None:
    blind = [{"v": 1, "type": "summary", "time": "2026-11-29T08:00:00Z", "pid": 1, "loops": 0}]
    done = runs.diff(run_of(times(3, "f")), blind, "--fail")
    assert done.returncode == 98
    assert f"{runs.b}: nothing was watched there" in done.stderr
    assert runs.diff(run_of(times(3, "f")), blind).returncode == 0


def test_counts_are_compared_where_it_is_not_known_how_long_was_watched(runs: Runs) -> None:
    killed = run_of(times(9, "f"))[:-1]
    done = runs.diff(run_of(times(3, "f")), killed)
    assert f"{runs.b}: how long its programs were watched is not known" in done.stderr
    assert str(runs.a) not in done.stderr
    assert " ".join(done.stdout.splitlines()[0].split()) == "worse +6 times recv app.py:7 f"


def test_counts_are_compared_of_strict_mode(runs: Runs) -> None:
    """There times say nothing."""
    before = run_of(times(4, "f", 0.01), strict=True)
    after = run_of(times(4, "f", 5), strict=True)
    done = runs.diff(before, after, "--fail")
    assert (done.returncode, done.stdout) == (0, "net +0 times: 1 as before\n")
    assert "of strict mode counts are compared" in done.stderr


def test_an_exec_goes_on_and_another_run_of_the_same_pid_is_one_more(runs: Runs) -> None:
    once = run_of(times(3, "f"))
    execed = [once[0], {**once[0], "time": "2026-11-29T08:00:10Z"}, *once[1:]]
    assert runs.lines(once, execed) == ["net +0 ms/min: 1 as before"]
    other = [{**event, "run": "s"} if event["type"] == "start" else event for event in once]
    assert runs.lines(once, once + other)[-1] == "net +0 ms/min: 1 as before"
    cut = once[:-1] + other
    assert "not known" in runs.diff(once, cut).stderr


def test_reports_that_were_not_written_are_said(runs: Runs) -> None:
    events = run_of(times(3, "f"))
    events[-1]["blocks"] = 10
    done = runs.diff(events, run_of(times(3, "f")))
    assert f"{runs.a}: 7 reports were counted and not written" in done.stderr
    assert str(runs.b) not in done.stderr


def test_suppressed_ones_do_not_count(runs: Runs) -> None:
    quiet = times(5, "f", suppressed={"rule": "x", "reason": None, "file": "y", "line": 1})
    after = run_of(quiet)
    after[-1]["blocks"] = 0
    assert runs.lines(run_of([]), after) == ["net +0 ms/min: 0 as before"]


def test_compressed_files_and_standard_input_are_read(runs: Runs) -> None:
    plain = text_of(run_of(times(3, "f"))).encode()
    runs.a.write_bytes(gzip.compress(plain))
    runs.b.write_bytes(
        subprocess.run(["zstd", "-qc"], input=plain, check=True, stdout=subprocess.PIPE).stdout
    )
    assert run_command("diff", runs.a, runs.b).stdout == "net +0 ms/min: 1 as before\n"
    assert (
        run_command("diff", "-", runs.b, stdin=plain.decode()).stdout
        == "net +0 ms/min: 1 as before\n"
    )


BASELINE = "# loophound baseline: ...\n"


def test_baselines_are_compared_by_their_places(tmp_path: Path) -> None:
    a, b = tmp_path / "a.txt", tmp_path / "b.txt"
    a.write_text(f"{BASELINE}call:open place:x.py:f\ncall:recv place:x.py:g # known\n")
    b.write_text(f"{BASELINE}call:recv place:x.py:g\ntype:stall place:y.py:C.h\n")
    done = run_command("diff", a, b, "--fail")
    assert (done.returncode, done.stderr) == (99, "")
    assert done.stdout == (
        "new     stall  y.py C.h\ngone    open   x.py f\n1 new, 1 gone, 1 in both; exit 99\n"
    )
    same = run_command("diff", a, a, "--fail")
    assert (same.returncode, same.stdout) == (0, "2 in both\n")


def test_baseline_and_events_are_not_compared(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "known.txt").write_text(BASELINE)
    write(runs.a, run_of([]))
    done = run_command("diff", runs.a, tmp_path / "known.txt")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "loophound: diff: one of them is a baseline and the other is not: two of a kind can be "
        "compared; nothing compared\n"
    )


def test_json_has_all_places_and_their_figures(runs: Runs) -> None:
    before, after = run_of(times(4, "f")), run_of([*times(4, "f"), *times(1, "g", 7.5)], 120)
    made = json.loads(runs.diff(before, after, "--format", "json").stdout)
    places = {place["where"]: place for place in made.pop("places")}
    assert made == {
        "v": 1, "type": "diff", "measure": "ms_per_min", "net": -196.25, "failed": True,
        "before": {"file": str(runs.a), "programs": 1, "watched_s": 60, "unwritten": 0},
        "after": {"file": str(runs.b), "programs": 1, "watched_s": 120, "unwritten": 0},
    }  # fmt: skip
    assert places["app.py:7 g"] == {
        "change": "new", "by": 3.75, "call": "recv", "on": None, "where": "app.py:7 g",
        "source": "wait()", "advice": None, "before": None,
        "after": {"count": 1, "total_ms": 7.5, "worst_ms": 7.5},
    }  # fmt: skip
    assert places["app.py:7 f"]["change"] == "better"


def members_of(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(members_of, value))
    if isinstance(value, dict):
        return set(value).union(*map(members_of, value.values()))
    return set()


def test_page_has_every_member_of_the_json(runs: Runs) -> None:
    page = (ROOT / "docs" / "diff.md").read_text()
    made = json.loads(runs.diff(run_of([]), run_of(times(1, "f")), "--format", "json").stdout)
    assert len(members_of(made)) > 15
    assert [name for name in sorted(members_of(made)) if f"`{name}`" not in page] == []


def test_markdown_is_a_table_in_which_names_mean_nothing(runs: Runs) -> None:
    hostile = times(3, "f|`x`\n# </td>@you")
    out = runs.diff(run_of([]), run_of(hostile), "--format", "markdown").stdout
    head, rule, row, blank, last = out.splitlines()
    assert (head.count("|"), rule.count("|")) == (7, 7)
    assert row == ("| **new** | +300 | `recv` | `` app.py:7 f\\|`x`?# </td>@you `` | 3 | 100 ms |")
    assert (blank, last) == (
        "", "loophound: net **+300 ms/min**, 0 worse, 1 new, 0 better, 0 gone"
    )  # fmt: skip


def test_lines_fit_a_terminal_and_names_do_not_drive_it(runs: Runs) -> None:
    write(runs.a, run_of([]))
    write(runs.b, run_of(times(3, "f\x1b[31m" + "long" * 40)))
    shown = on_terminal("diff", runs.a, runs.b, columns=80)
    assert "\x1b" not in shown
    assert max(len(line) for line in shown.splitlines()) == 80
    piped = run_command("diff", runs.a, runs.b).stdout
    assert "long" * 40 in piped


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--margin", "half"], "--margin half; expected a number of percent, such as 50%"),
        (["--margin", "50"], "--margin 50; expected"),
        (["--least", "-1"], "--least -1; expected a number"),
        (["--format", "xml"], "--format xml; expected text, markdown or json"),
        (["one"], "expected two files, A and B"),
        (["one", "two", "three"], "expected two files, A and B"),
    ],
)
def test_bad_arguments_are_one_clear_line(arguments: list[str], said: str) -> None:
    done = run_command("diff", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"loophound: diff: {said}") and line.endswith("; nothing compared")


def test_file_that_cannot_be_read_is_said_and_fails(runs: Runs, tmp_path: Path) -> None:
    write(runs.a, run_of([]))
    done = run_command("diff", runs.a, tmp_path / "none")
    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr == f"loophound: cannot read {tmp_path}/none: No such file or directory\n"


def test_two_real_runs_are_compared(tmp_path: Path) -> None:
    for name, mistakes in (("a.jsonl", ("fetch",)), ("b.jsonl", ("fetch", "load_models"))):
        run_command("run", "--no-stall", "-o", tmp_path / name, "--", PYTHON, MISTAKES, *mistakes)
    done = run_command("diff", "--fail", tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert done.returncode == 99, done.stdout + done.stderr
    new, *_, last = done.stdout.splitlines()
    assert new.startswith("new ") and new.endswith(" load_models")
    assert last.endswith("1 new, 1 as before; exit 99")
