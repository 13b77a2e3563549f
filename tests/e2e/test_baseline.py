# SPDX-License-Identifier: Apache-2.0
"""Baselines and budgets: known places pass, new ones fail, and the exit status says which."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from harness import PYTHON, ROOT, SLEEP, blocks, of_type, read_events, run_command
from terminal import on_terminal

MISTAKES = ROOT / "tests" / "programs" / "python" / "mistakes.py"
FIRST_LINE = "# loophound baseline"


def run(*flags: str | Path, mistakes: tuple[str, ...] = ("fetch",), **options: Any) -> Any:
    """Without stalls: a busy machine makes its own."""
    return run_command("run", "--no-stall", *flags, "--", PYTHON, MISTAKES, *mistakes, **options)


def told(stderr: str, kind: str) -> list[list[str]]:
    """The places that are told as NEW or GONE, a word an item."""
    return [line.split()[1:] for line in stderr.splitlines() if line.startswith(f"  {kind} ")]


def place(function: str) -> str:
    """As it is found from where the tests run."""
    file = os.path.relpath(MISTAKES) if MISTAKES.is_relative_to(Path.cwd()) else str(MISTAKES)
    return f"call:{SLEEP} place:{file}:{function}"


def rules_of(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if not line.startswith("#")]


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    """A baseline that knows fetch."""
    path = tmp_path / "known.txt"
    done = run("--baseline", path, "--update-baseline")
    assert done.returncode == 0, done.stderr
    return path


def test_update_writes_sorted_rules_without_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "known.txt"
    done = run("--baseline", path, "--update-baseline", mistakes=("load_models", "fetch", "fetch"))
    assert done.returncode == 0, done.stderr
    assert path.read_text().startswith(FIRST_LINE)
    assert rules_of(path) == [place("fetch"), place("load_models")]
    assert run_command("rules", "--check", path).stdout == f"{path}: 2 rules, 0 faults\n"


def test_known_place_passes_and_is_counted(baseline: Path, hits: Path) -> None:
    done = run("--baseline", baseline, "--fail", "-o", hits, mistakes=("fetch", "fetch"))
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1].endswith(", 0 blocks, 0 stalls, 2 known, 0 dropped")
    events = read_events(hits)
    assert [block["known"] for block in blocks(events)] == [True, True]
    (summary,) = of_type(events, "summary")
    assert (summary["known"], summary["blocks"]) == (2, 2)


def test_known_place_is_not_shown_in_text(baseline: Path) -> None:
    done = run("--baseline", baseline, mistakes=("fetch", "load_models"))
    reports = [line for line in done.stderr.splitlines() if line.startswith(("loophound[", ">"))]
    assert any("load_models" in line for line in reports)
    assert not any("fetch" in line for line in reports)


def test_new_place_fails_without_another_flag_and_is_named(baseline: Path, hits: Path) -> None:
    done = run("--baseline", baseline, "-o", hits, mistakes=("fetch", "load_models"))
    assert done.returncode == 99
    ((call, where, function),) = told(done.stderr, "NEW")
    assert (call, function) == (SLEEP, "load_models") and where.endswith("mistakes.py:12")
    assert "loophound: 1 NEW place blocks the loop, 1 known\n" in done.stderr
    assert [block["known"] for block in blocks(read_events(hits))] == [True, False]


def test_new_place_in_a_known_place_caller_is_new(baseline: Path) -> None:
    """A caller that is known makes nobody else known."""
    done = run("--baseline", baseline, mistakes=("load_models",))
    assert done.returncode == 99


def test_place_stays_known_where_its_lines_have_moved(tmp_path: Path) -> None:
    path, program = tmp_path / "known.txt", tmp_path / "app.py"
    program.write_text(MISTAKES.read_text())
    command = ("--no-stall", "--baseline", path, "--", PYTHON, program, "fetch")
    run_command("run", "--update-baseline", *command)
    program.write_text("# a new line\n\n" + MISTAKES.read_text())
    done = run_command("run", *command)
    assert done.returncode == 0, done.stderr


def test_place_that_is_gone_is_named_and_fails_where_that_was_asked(baseline: Path) -> None:
    plain = run("--baseline", baseline, mistakes=())
    strict = run("--baseline", baseline, "--strict-baseline", mistakes=())
    assert (plain.returncode, strict.returncode) == (0, 99), plain.stderr + strict.stderr
    file = place("fetch").split(":")[2]
    assert told(plain.stderr, "GONE") == [[SLEEP, file, "fetch", f"({baseline}:4)"]]
    assert "loophound: no NEW place blocks the loop, 0 known, 1 known place no longer does" in (
        plain.stderr
    )
    assert "remove it: loophound run --update-baseline --force" in plain.stderr


def test_nothing_is_said_to_be_gone_where_all_was_seen(baseline: Path) -> None:
    done = run("--baseline", baseline)
    assert "loophound: no NEW place blocks the loop, 1 known\n" in done.stderr
    assert "GONE" not in done.stderr and "NEW  " not in done.stderr


def test_new_place_is_told_with_its_worst_its_count_and_advice(baseline: Path) -> None:
    done = run("--baseline", baseline, mistakes=("load_models", "load_models", "receive"))
    lines = done.stderr.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("  NEW "))
    assert (
        lines[first - 1]
        == "loophound: 2 NEW places block the loop, 0 known, 1 known place no longer does"
    )
    assert re.fullmatch(r"        worst \d+\.\d ms, 2 times \(sleep .* ms\)", lines[first + 1])
    assert lines[first + 2] == "        advice: use await asyncio.sleep()  [ruff ASYNC251]"
    assert "  NEW   recv  " in lines[first + 3]
    assert re.fullmatch(r"        worst \d+\.\d ms, 1 time \(socket.*", lines[first + 4])


def test_place_of_strict_mode_counts_what_was_met_again(baseline: Path, tmp_path: Path) -> None:
    program = tmp_path / "short.py"
    program.write_text(
        "import asyncio, time\n"
        "async def main():\n"
        "    for _ in range(5):\n"
        "        time.sleep(0.001)\n"
        "        await asyncio.sleep(0)\n"
        "asyncio.run(main())\n"
    )
    command = ("run", "--strict", "--baseline", baseline, "--", PYTHON, program)
    new = run_command(*command).stderr.split("  NEW ")[1].splitlines()
    assert ", 5 times" in new[1], new


def test_names_that_would_drive_a_terminal_do_not_and_lines_fit(
    baseline: Path, tmp_path: Path
) -> None:
    program = tmp_path / "a\x1b[31mpp.py"
    program.write_text(MISTAKES.read_text())
    flags = ("run", "--no-stall", "--baseline", baseline, "-o", tmp_path / "x.jsonl")
    shown = on_terminal(*flags, "--", PYTHON, program, "load_models", columns=40)
    new = shown[shown.index("  NEW ") :].splitlines()[0]
    assert "\x1b" not in shown and len(new) == 40, shown


def test_update_adds_and_keeps_lines_and_reasons_but_force_drops(baseline: Path) -> None:
    baseline.write_text(baseline.read_text().rstrip() + " # we know\ncall:read place:gone.py:f\n")
    done = run("--baseline", baseline, "--update-baseline", mistakes=("load_models",))
    assert done.returncode == 0, done.stderr
    assert rules_of(baseline) == [
        f"{place('fetch')} # we know", place("load_models"), "call:read place:gone.py:f",
    ]  # fmt: skip
    assert f"{baseline}: 1 place added, 2 not seen and kept" in done.stderr
    done = run("--baseline", baseline, "--update-baseline", "--force", mistakes=("fetch",))
    assert rules_of(baseline) == [f"{place('fetch')} # we know"]
    assert f"{baseline}: 0 places added, 2 not seen and dropped" in done.stderr


def test_two_updates_write_the_same_file(baseline: Path) -> None:
    before = baseline.read_text()
    run("--baseline", baseline, "--update-baseline")
    assert baseline.read_text() == before
    assert list(baseline.parent.glob("known.txt?*")) == []


def test_file_that_is_no_baseline_is_written_over_by_force_only(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\n")
    done = run("--baseline", path, "--update-baseline")
    assert (done.returncode, path.read_text()) == (2, "my notes\n")
    assert "is no baseline of ours" in done.stderr and "nothing started" in done.stderr
    done = run("--baseline", path, "--update-baseline", "--force")
    assert done.returncode == 0, done.stderr
    assert rules_of(path) == [place("fetch")]


def test_baseline_that_is_missing_is_said_before_anything_runs(tmp_path: Path) -> None:
    done = run("--baseline", tmp_path / "known.txt")
    assert done.returncode == 2
    assert done.stderr == (
        f"loophound: there is no baseline {tmp_path}/known.txt; --update-baseline makes it; "
        "nothing started\n"
    )


def test_merge_conflict_in_a_baseline_is_said_with_its_line(baseline: Path) -> None:
    baseline.write_text(baseline.read_text() + "<<<<<<< HEAD\n")
    done = run("--baseline", baseline)
    assert done.returncode == 2
    assert done.stderr.startswith(f'loophound: {baseline}:5:1: "<<<<<<<": expected a condition')


def test_baseline_stays_as_it_was_where_nothing_was_watched(baseline: Path) -> None:
    before = baseline.read_text()
    flags = ("--baseline", baseline, "--update-baseline", "--force")
    done = run_command("run", *flags, "--", "true")
    assert baseline.read_text() == before
    assert f"loophound: nothing was watched: {baseline} is as it was" in done.stderr


def test_baseline_that_cannot_be_written_is_a_failure_of_ours(tmp_path: Path) -> None:
    done = run("--baseline", tmp_path / "no" / "known.txt", "--update-baseline")
    assert done.returncode == 125
    assert "cannot write" in done.stderr


def test_link_to_a_baseline_stays_one(baseline: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to(baseline)
    run("--baseline", link, "--update-baseline", mistakes=("load_models",))
    assert link.is_symlink()
    assert len(rules_of(baseline)) == 2


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--update-baseline",), "--update-baseline needs --baseline FILE"),
        (("--strict-baseline",), "--strict-baseline needs --baseline FILE"),
        (("--baseline", "none", "--update-baseline"), "--update-baseline needs --baseline FILE"),
        (("--baseline", "/dev/null"), "the rules in /dev/null: not a regular file"),
        (("--baseline", "x", "--force"), "--force needs --update-baseline"),
        (("--budget",), "--budget needs a value, TERMS"),
        (("--budget", "p99<5ms"), "--budget=p99<5ms: expected at most 16 terms such as"),
        (("--budget=",), "--budget=: expected at most 16 terms such as"),
    ],
)
def test_flags_that_cannot_be_are_2_and_nothing_starts(flags: tuple[str, ...], said: str) -> None:
    command = () if flags == ("--budget",) else ("--", "echo", "started")
    done = run_command("run", *flags, *command)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and "nothing started" in done.stderr


def test_budget_that_is_kept_passes_and_one_that_is_not_names_its_terms() -> None:
    kept = run("--budget", "worst<3600s,count<100,file.count<1")
    assert kept.returncode == 0, kept.stderr
    assert "over budget" not in kept.stderr
    broken = run("--budget=worst<100ms,total<1%,count<100")
    assert broken.returncode == 99
    said = [line for line in broken.stderr.splitlines() if "over budget" in line]
    assert [line.split(": ")[2] for line in said] == ["worst<100ms", "total<1%"]


def test_suppressed_ones_cost_no_budget_but_known_ones_do(baseline: Path) -> None:
    quiet = run("--budget", "count<1", "--allow", "in:mistakes.py:fetch")
    known = run("--budget", "count<1", "--baseline", baseline)
    assert (quiet.returncode, known.returncode) == (0, 99), quiet.stderr + known.stderr


def status(*arguments: str | Path) -> int:
    return run_command("run", *arguments).returncode


def test_exit_status_is_as_the_table_has_it(tmp_path: Path, baseline: Path) -> None:
    """docs/rules.md, from its first row to its last."""
    fetch = ("--no-stall", "--", PYTHON, MISTAKES, "fetch")
    failing = ("--", "sh", "-c", f"'{PYTHON}' '{MISTAKES}' fetch; exit 7")
    assert status(*fetch) == 0
    assert status("--fail", *failing) == 7
    assert status("--fail", *fetch) == 99
    assert status("--baseline", baseline, "--no-stall", "--", PYTHON, MISTAKES, "load_models") == 99
    assert status("--budget", "count<1", *fetch) == 99
    assert status("--require-loop", "--", "true") == 98
    assert status("--require-loop", *fetch) == 0
    assert status("--suppress", tmp_path / "missing", *fetch) == 2
    missing = tmp_path / "no" / "known.txt"
    assert status("--baseline", missing, "--update-baseline", *fetch) == 125
    assert status("--", tmp_path) == 126
    assert status("--", "there-is-no-such-command") == 127
    assert status("--", "sh", "-c", "kill -TERM $$") == 143


def test_lost_reports_make_a_strict_run_98() -> None:
    done = run("--strict", "-o", "/dev/full", mistakes=("fetch",))
    assert done.returncode == 98, done.stderr
    assert " lost, result not reliable" in done.stderr


def test_run_without_strict_says_what_was_dropped_and_is_0() -> None:
    done = run("--rate", "1/h", mistakes=("fetch", "fetch", "fetch"))
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1].endswith(", 2 dropped")
