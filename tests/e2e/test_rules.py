# SPDX-License-Identifier: Apache-2.0
"""Rules: what they match is quiet and counted; what is wrong is said before anything runs."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness import (
    PROGRAMS,
    PYTHON,
    ROOT,
    SLEEP,
    blocks,
    of_type,
    preload_environment,
    read_events,
    run_command,
    run_preloaded,
)

MISTAKES = ROOT / "tests" / "programs" / "python" / "mistakes.py"
LOOPS = PROGRAMS / "loops"
QUIET = "in:mistakes.py:load_models   # loaded once"


def run(*flags: str | Path, mistakes: tuple[str, ...], **options: Any) -> Any:
    return run_command("run", *flags, "--", PYTHON, MISTAKES, *mistakes, **options)


def last(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.splitlines()[-1]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "quiet.txt"
    path.write_text(f"# of the tests\n{QUIET}\n\ncall:flock\n")
    return path


def test_suppressed_block_is_not_shown_but_counted_and_the_rule_is_named(rules: Path) -> None:
    done = run("--no-stall", "--suppress", rules, mistakes=("load_models", "fetch"))
    assert "fetch" in done.stderr and "blocked" in done.stderr
    assert "mistakes.py:13" not in done.stderr  # where load_models sleeps
    assert (
        f"loophound: 1 matched by {rules}:2: in:mistakes.py:load_models # loaded once"
        in done.stderr.splitlines()
    )
    assert f"loophound: {rules}:4: never matched: call:flock" in done.stderr.splitlines()
    assert ", 1 block, 0 stalls, 1 suppressed, 0 dropped" in last(done)


def test_json_has_the_suppressed_event_with_its_rule(rules: Path, hits: Path) -> None:
    run("-o", hits, "--no-stall", "--suppress", rules, mistakes=("load_models", "fetch"))
    events = read_events(hits)
    quiet, loud = blocks(events)
    assert loud["suppressed"] is None
    assert quiet["suppressed"] == {
        "rule": "in:mistakes.py:load_models",
        "reason": "loaded once",
        "file": str(rules),
        "line": 2,
    }
    assert all(event["suppressed"] for event in of_type(events, "inflight")[:1])
    (summary,) = of_type(events, "summary")
    assert (summary["blocks"], summary["suppressed"]) == (1, 1)
    assert [rule["count"] for rule in summary["rules"]] == [1, 0]
    assert summary["blocked_ms"] == pytest.approx(loud["duration_ms"], abs=0.01)
    assert [call["count"] for call in summary["by_call"]] == [1]
    report = run_command("report", hits)
    assert "1 block, 0 stalls, 1 suppressed, 0 dropped" in report.stdout
    assert "load_models" not in report.stdout


def test_suppressed_ones_do_not_count_for_fail(rules: Path) -> None:
    quiet = run("--fail", "--no-stall", "--suppress", rules, mistakes=("load_models",))
    loud = run("--fail", "--no-stall", "--suppress", rules, mistakes=("load_models", "fetch"))
    assert (quiet.returncode, loud.returncode) == (0, 99), quiet.stderr + loud.stderr


def test_stall_is_suppressed_by_where_most_of_its_time_went(hits: Path) -> None:
    done = run("-o", hits, "--allow", "type:stall in:mistakes.py:compute", mistakes=("compute",))
    told = [stall for stall in of_type(read_events(hits), "stall") if stall["groups"]]
    assert any(stall["suppressed"] for stall in told), done.stderr


def test_exclamation_mark_reports_what_another_rule_keeps_quiet(hits: Path) -> None:
    rules = f"call:{SLEEP}; !in:mistakes.py:fetch # this one matters"
    done = run("-o", hits, "--no-stall", "--allow", rules, mistakes=("load_models", "fetch"))
    quiet, loud = blocks(read_events(hits))
    assert quiet["suppressed"]["file"] == "LOOPHOUND_ALLOW"
    assert loud["suppressed"] is None
    assert "loophound: 1 kept by LOOPHOUND_ALLOW:1: !in:mistakes.py:fetch # this one matters" in (
        done.stderr.splitlines()
    )


@pytest.mark.parametrize(
    ("rule", "mistake"),
    [
        (f"call:{SLEEP}", "fetch"),
        ("type:block group:sleep" if SLEEP != "select" else "type:block", "fetch"),
        ("at:mistakes.py:fetch", "fetch"),
        ("place:python/mistakes.py:fetch", "fetch"),
        ("in:asyncio/*:_run", "fetch"),
        ("thread:MainThread task:main", "fetch"),
        ("under:3600s", "fetch"),
        ("fd:socket call:recv", "receive"),
        ("test:tests/test_x.py::*", "fetch"),
    ],
)
def test_each_kind_of_fact_is_there_to_be_asked(rule: str, mistake: str, hits: Path) -> None:
    script = (
        "import ctypes, runpy, sys\n"
        "mark = ctypes.CDLL(None).loophound_mark\n"
        "mark(b'tests/test_x.py::test_y')\n"
        f"sys.argv = ['x', '{mistake}']\n"
        f"runpy.run_path({str(MISTAKES)!r}, run_name='__main__')\n"
    )
    run_command("run", "-o", hits, "--no-stall", "--allow", rule, "--", PYTHON, "-c", script)
    (block,) = (
        block for block in blocks(read_events(hits)) if block["call"] in {SLEEP, "recv", "recvfrom"}
    )
    assert block["suppressed"], block


def test_native_frames_are_asked_by_module_and_function(hits: Path) -> None:
    rules = "native:programs/loops!on_second_loop"
    run_command("run", "-t", "20ms", "-o", hits, "--allow", rules, "--", LOOPS, "epoll")
    quiet = {
        block["stack"][1]["function"]: block["suppressed"] is not None
        for block in blocks(read_events(hits))
    }
    assert quiet == {"on_loop": False, "on_second_loop": True}


def test_nothing_starts_where_a_rule_is_none(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text("call:open\n")
    bad.write_text("call:open\n  at:app/* clal:x\nmore\n")
    done = run_command("run", "--suppress", f"{good}:{bad}", "--", "echo", "started")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f'loophound: {bad}:2:12: "clal:x": expected one of call: group: ')
    assert line.endswith("; nothing started")


def test_nothing_starts_where_a_file_cannot_be_read(tmp_path: Path) -> None:
    for name, why in ((tmp_path / "missing", "No such file"), (tmp_path, "Is a directory")):
        done = run_command("run", "--suppress", name, "--", "echo", "started")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"loophound: cannot read the rules in {name}: {why}")


def test_variable_with_a_bad_rule_stops_run_as_a_flag_does() -> None:
    done = run_command("run", "--", "echo", "started", ALLOW="call:open;getcwd")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith('loophound: LOOPHOUND_ALLOW:1:11: "getcwd": expected a condition')


def test_flags_that_are_repeated_add_up(tmp_path: Path) -> None:
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text("in:mistakes.py:fetch\n")
    second.write_text("call:flock\n")
    done = run(
        *("--no-stall", "--suppress", first, "--suppress", second),
        *("--allow", "call:fsync", "--allow", "call:read; call:write"),
        mistakes=("fetch",),
    )
    assert f"1 matched by {first}:1: in:mistakes.py:fetch" in done.stderr
    for rule in ("call:flock", "call:fsync", "call:read", "call:write"):
        assert f"never matched: {rule}\n" in done.stderr, rule


def test_files_are_found_where_the_command_has_gone_elsewhere(rules: Path) -> None:
    script = "import os; print(os.environ['LOOPHOUND_SUPPRESS'])"
    names = f"{os.path.relpath(rules)}:{rules}"
    done = run_command("run", "--suppress", names, "--", PYTHON, "-c", script)
    first, second = done.stdout.strip().split(":")
    assert first.startswith("/") and Path(first).samefile(rules)
    assert second == str(rules)


def test_rules_are_for_every_process_of_the_tree(rules: Path) -> None:
    script = f"'{PYTHON}' '{MISTAKES}' load_models & '{PYTHON}' '{MISTAKES}' load_models & wait"
    done = run_command("run", "--no-stall", "--suppress", rules, "--", "sh", "-c", script)
    assert f"loophound: 2 matched by {rules}:2:" in done.stderr
    assert ", 0 blocks, 0 stalls, 2 suppressed, 0 dropped" in last(done)


def test_bare_preload_has_the_rules_too(rules: Path, hits: Path) -> None:
    argv: list[str | Path] = [PYTHON, MISTAKES, "load_models"]
    _, events = run_preloaded(argv, hits, STALL="off", SUPPRESS=os.path.relpath(rules))
    (block,) = blocks(events)
    assert block["suppressed"]["line"] == 2
    (summary,) = of_type(events, "summary")
    assert (summary["blocks"], summary["suppressed"]) == (0, 1)


def test_bare_preload_says_what_is_wrong_and_uses_no_rule_of_that_file(hits: Path) -> None:
    bad = hits.parent / "bad.txt"
    bad.write_text("in:mistakes.py\nnonsense\n")
    argv: list[str | Path] = [PYTHON, MISTAKES, "fetch", "load_models"]
    allow = "in:mistakes.py:fetch"
    done, events = run_preloaded(argv, hits, STALL="off", SUPPRESS=str(bad), ALLOW=allow)
    assert done.returncode == 0
    (start,) = of_type(events, "start")
    assert [
        f'{bad}:2:1: "nonsense": expected a condition such as call:flock or at:app/views.py; '
        "no rule of it is used"
    ] == [line for line in start["warnings"] if "bad.txt" in line]
    fetch, load_models = blocks(events)
    assert fetch["suppressed"] and not load_models["suppressed"]


def test_text_of_a_bare_preload_counts_what_it_does_not_show(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    environment = preload_environment(
        STALL="off", ALLOW="in:mistakes.py:load_models", OUTPUT=str(out)
    )
    argv = [PYTHON, str(MISTAKES), "load_models", "fetch"]
    subprocess.run(argv, env=environment, check=True, timeout=60)
    text = out.read_text()
    assert "load_models" not in text
    assert re.search(r"1 block and 0 stalls on 1 loop thread, .*; 1 suppressed; 0 reports", text)


def test_check_counts_rules_and_says_each_fault(rules: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text("call:open\nunder:soon\nfd:door\n")
    good = run_command("rules", "--check", rules)
    assert (good.returncode, good.stdout) == (0, f"{rules}: 2 rules, 0 faults\n")
    both = run_command("rules", "--check", rules, bad)
    assert both.returncode == 2
    assert both.stdout.splitlines()[1] == f"{bad}: 1 rule, 2 faults"
    assert [line.split(": ")[1] for line in both.stderr.splitlines()] == [
        f"{bad}:2:1",
        f"{bad}:3:1",
    ]
    assert run_command("rules", "--check", tmp_path / "missing").returncode == 125


@pytest.mark.parametrize(
    "arguments", [(), ("--check",), ("--check", "--explain", "x"), ("--explain", "x", "y"), ("-x",)]
)
def test_rules_needs_to_know_what_to_do(arguments: tuple[str, ...]) -> None:
    done = run_command("rules", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


@pytest.mark.parametrize("stacks", ["once", "inline"])
def test_explain_says_which_rule_would_keep_which_report_quiet(
    stacks: str, rules: Path, hits: Path
) -> None:
    rules.write_text(f"{rules.read_text()}!in:mistakes.py:fetch\ncall:{SLEEP}\n")
    mistakes = ("load_models", "load_models", "fetch")
    run("-o", hits, "--no-stall", "--stacks", stacks, mistakes=mistakes)
    done = run_command("rules", "--explain", hits, "--suppress", rules)
    lines = [re.sub(r" +", " ", line).strip() for line in done.stdout.splitlines()]
    assert len(lines) == 4, done.stdout
    assert lines[0].startswith(f"2 quiet {rules}:2: in:mistakes.py:load_models {SLEEP} ")
    assert lines[1].startswith(f"1 reported {rules}:5: !in:mistakes.py:fetch {SLEEP} ")
    assert lines[2] == f"{rules}:4: matches nothing: call:flock"
    assert lines[3] == "3 reports, 2 quiet"


def test_explain_says_which_class_of_noise_would_keep_a_report_quiet(tmp_path: Path) -> None:
    """One that is off; a rule that names it does so, too."""
    hits, rules = tmp_path / "hits.jsonl", tmp_path / "quiet.txt"
    program = tmp_path / "late.py"
    program.write_text(
        "import asyncio, os\n"
        "async def main():\n"
        "    import colorsys\n"
        "    os.stat(__file__)\n"
        "asyncio.run(main())\n"
    )
    options = ("--strict", "--noise", "-import,-memory-paths", "-t", "3600s")
    done = run_command("run", *options, "-o", hits, "--", PYTHON, program)
    assert done.returncode == 0, done.stderr
    explained = run_command("rules", "--explain", hits).stdout.splitlines()
    assert any(re.search(r"\d  reported  --noise \+import  stat  ", line) for line in explained)
    assert any(re.search(r"\d  reported  stat  \S*late.py:4 main", line) for line in explained)
    rules.write_text("noise:import  # as it is\n")
    ruled = run_command("rules", "--explain", hits, "--suppress", rules).stdout
    assert "--noise" not in ruled and f"quiet     {rules}:1: noise:import  stat  " in ruled


def test_explain_agrees_with_what_a_run_does(hits: Path, tmp_path: Path) -> None:
    rules = tmp_path / "all.txt"
    rules.write_text(
        "place:mistakes.py:fetch thread:MainThread type:block fd:socket\n"
        "place:mistakes.py:load_models at:mistakes.py\n"
    )
    mistakes = ("load_models", "fetch", "receive")
    run("-o", hits, "--no-stall", "--suppress", rules, mistakes=mistakes)
    suppressed = [block for block in blocks(read_events(hits)) if block["suppressed"]]
    done = run_command("rules", "--explain", hits, "--suppress", rules)
    assert done.stdout.splitlines()[-1].endswith(f", {len(suppressed)} quiet")
    assert len(suppressed) == 1


def test_explain_reads_what_is_no_event_of_ours_without_harm(tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text(
        '{"v":1,"type":"block","stack":5,"resource":[],"task":"x","labels":7,"duration_ms":"y"}\n'
        '{"v":1,"type":"stall","groups":[{"stack":[{"lang":3}]}]}\nnonsense\n'
        '{"v":1,"type":7}\n'
    )
    done = run_command("rules", "--explain", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "2 reports, 0 quiet"
    path.write_text("nonsense\n")
    assert run_command("rules", "--explain", path).returncode == 125


def test_reports_are_not_held_back_by_the_rate_where_rules_judge_them(hits: Path) -> None:
    """What is not told cannot be judged: the rate is off, unless the user has given one."""
    argv: list[str | Path] = [PYTHON, MISTAKES, *["fetch"] * 3]
    run_command("run", "-o", hits, "--no-stall", "--allow", "call:flock", "--", *argv, RATE="1/h")
    assert len(blocks(read_events(hits))) == 1
    script = "import os; print(os.environ.get('LOOPHOUND_RATE'))"
    done = run_command("run", "--allow", "call:flock", "--", PYTHON, "-c", script)
    assert done.stdout == "off\n"
    done = run_command("run", "--", PYTHON, "-c", script)
    assert done.stdout == "None\n"
