# SPDX-License-Identifier: Apache-2.0
"""What `loophound run` leaves beside its reports: files of other formats, and what GitHub shows."""

from __future__ import annotations

import os
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from harness import (
    COMMAND,
    PYTHON,
    ROOT,
    SLEEP,
    blocks,
    clean_environment,
    read_events,
    run_command,
)
from terminal import on_terminal

MISTAKES = ROOT / "tests" / "programs" / "python" / "mistakes.py"
ON_GITHUB = {"GITHUB_ACTIONS": "true"}


def run(*flags: str | Path, mistakes: tuple[str, ...] = ("fetch",), **options: Any) -> Any:
    """Without stalls: a busy machine makes its own."""
    return run_command("run", "--no-stall", *flags, "--", PYTHON, MISTAKES, *mistakes, **options)


def names_in(report: Path) -> list[str]:
    """Of the test cases of a JUnit file."""
    return [case.attrib["name"] for case in ET.parse(report).iter("testcase")]


def test_one_run_leaves_several_files_and_its_own_output(tmp_path: Path, hits: Path) -> None:
    files = {name: tmp_path / name for name in ("junit", "sarif", "folded")}
    flags = [f"--report={name}:{file}" for name, file in files.items()]
    done = run(*flags, "-o", hits)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "loophound: 1 process, 1 loop thread, 1 block, 0 stalls, 0 dropped\n"
    assert len(blocks(read_events(hits))) == 1
    assert any("fetch" in name for name in names_in(files["junit"]))
    for file in files.values():
        assert "fetch" in file.read_text()


def test_text_on_standard_error_is_as_it_was_without(tmp_path: Path) -> None:
    def shape(text: str) -> str:
        return re.sub(r"\d+(\.\d+)?", "N", text)

    report = tmp_path / "r.folded"
    plain, with_report = run(), run("--report", f"folded:{report}")
    assert "blocked" in plain.stderr and shape(plain.stderr) == shape(with_report.stderr)
    assert "fetch" in report.read_text()


def test_nothing_is_left_of_what_the_reports_are_made_from(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    done = run("--report", f"folded:{tmp_path}/r", extra={"TMPDIR": str(temporary)})
    assert done.returncode == 0, done.stderr
    assert list(temporary.iterdir()) == []
    assert (tmp_path / "r").exists()


def test_only_this_run_is_in_its_reports(tmp_path: Path, hits: Path) -> None:
    """Though -o goes on where it was."""
    run("-o", hits, mistakes=("load_models",))
    run("-o", hits, "--report", f"folded:{tmp_path}/r")
    assert len(blocks(read_events(hits))) == 2
    assert "fetch" in (tmp_path / "r").read_text()
    assert "load_models" not in (tmp_path / "r").read_text()


@pytest.mark.parametrize("output", ["x-%p.jsonl", "/dev/null", "stderr"])
def test_reports_do_not_depend_on_where_the_output_goes(output: str, tmp_path: Path) -> None:
    to = str(tmp_path / output) if output.startswith("x") else output
    done = run("-o", to, "--report", f"folded:{tmp_path}/r")
    assert done.returncode == 0, done.stderr
    assert "fetch" in (tmp_path / "r").read_text()


def test_no_rate_keeps_reports_from_being_whole(tmp_path: Path, hits: Path) -> None:
    program = tmp_path / "often.py"
    program.write_text(
        "import asyncio, time\n"
        "async def main():\n"
        "    for _ in range(70):\n"
        "        time.sleep(0.004)\n"
        "        await asyncio.sleep(0)\n"
        "asyncio.run(main())\n"
    )
    command = ("--no-stall", "-t", "2ms", "-o", hits, "--", PYTHON, program)
    assert not run_command("run", *command).stderr.splitlines()[-1].endswith(" 0 dropped")
    whole = run_command("run", "--report", f"folded:{tmp_path}/r", *command)
    assert whole.stderr.splitlines()[-1].endswith(" 0 dropped"), whole.stderr


def test_run_in_which_nothing_was_watched_leaves_a_report_that_says_nothing(
    tmp_path: Path,
) -> None:
    done = run_command("run", "--report", f"junit:{tmp_path}/r.xml", "--", "true")
    assert done.returncode == 0, done.stderr
    assert not any("fetch" in name for name in names_in(tmp_path / "r.xml"))


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("junk:x", "--report=junk:x: expected FORMAT:FILE, at most 16 of them, FORMAT one of"),
        ("junit", "--report=junit: expected FORMAT:FILE"),
        ("junit:", "--report=junit:: expected FORMAT:FILE"),
        ("junit:no/such/x.xml", "--report cannot write to no/such/x.xml: No such file"),
        ("junit:/", "--report cannot write to /: Is a directory"),
        ("junit:/proc/x.xml", "--report cannot write to /proc/x.xml: "),
    ],
)
def test_bad_format_or_path_is_said_before_anything_starts(report: str, said: str) -> None:
    if report == "junit:/proc/x.xml" and os.geteuid() == 0:
        pytest.skip("root may write anywhere, as far as access(2) knows")
    done = run_command("run", "--report", report, "--", "echo", "started")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert said in line and line.endswith("nothing started")


def test_two_that_go_to_one_file_are_refused(tmp_path: Path, hits: Path) -> None:
    twice = [f"--report=folded:{tmp_path}/r"] * 2
    done = run_command("run", *twice, "--", "echo", "started")
    assert (done.returncode, done.stdout) == (2, "")
    assert "something else of this run goes there" in done.stderr
    hits.touch()
    done = run_command("run", "-o", hits, "--report", f"folded:{hits}", "--", "echo", "started")
    assert (done.returncode, done.stdout) == (2, "")


def test_report_that_fails_at_the_end_is_one_line_and_125_unless_the_command_failed(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "gone"
    for command, status in (("rmdir", 125), ("exit 7; rmdir", 7)):
        directory.mkdir()
        script = f"'{PYTHON}' '{MISTAKES}' fetch; {command.replace('exit 7; ', '')} '{directory}'"
        script += "; exit 7" if status == 7 else ""
        flags = ("--no-stall", "-o", tmp_path / "x.jsonl", "--report", f"folded:{directory}/r")
        done = run_command("run", *flags, "--", "sh", "-c", script)
        assert done.returncode == status, done.stderr
        assert len([line for line in done.stderr.splitlines() if str(directory) in line]) == 1


def commands(stderr: str) -> list[str]:
    return [line for line in stderr.splitlines() if line.startswith("::")]


def test_annotations_and_summary_come_by_themselves_on_github(tmp_path: Path, hits: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("what was there\n")
    extra = {**ON_GITHUB, "GITHUB_STEP_SUMMARY": str(summary)}
    done = run("-o", hits, extra=extra)
    assert done.returncode == 0, done.stderr
    (annotation,) = commands(done.stderr)
    assert re.match(r"::(warning|error) file=[^,:]*mistakes\.py,line=16\b", annotation), annotation
    assert f"::{SLEEP} blocked the event loop for " in annotation
    assert "%0AUse await asyncio.sleep() [ruff ASYNC251]" in annotation
    assert done.stdout == "", "what the command writes stays whole"
    text = summary.read_text()
    assert text.startswith("what was there\n") and "fetch" in text


@pytest.mark.parametrize(
    ("flags", "actions", "shown"),
    [
        ([], "true", True),
        ([], "false", False),
        ([], "", False),
        (["--github", "off"], "true", False),
        (["--github=on"], "", True),
    ],
)
def test_github_is_shown_something_where_it_is_there_or_asked_for(
    flags: list[str], actions: str, shown: bool, hits: Path
) -> None:
    done = run(*flags, "-o", hits, extra={"GITHUB_ACTIONS": actions})
    assert done.returncode == 0, done.stderr
    assert bool(commands(done.stderr)) == shown


def test_github_is_not_shown_what_is_known_or_quiet(tmp_path: Path, hits: Path) -> None:
    known = tmp_path / "known.txt"
    run("--baseline", known, "--update-baseline", "-o", hits)
    done = run("--baseline", known, "-o", hits, extra=ON_GITHUB)
    assert (done.returncode, commands(done.stderr)) == (0, [])
    done = run("--allow", "in:mistakes.py:fetch", "-o", hits, extra=ON_GITHUB)
    assert commands(done.stderr) == []


def test_worst_nine_are_annotated_and_the_others_counted(tmp_path: Path, hits: Path) -> None:
    program = tmp_path / "many.py"
    names = [f"f{number}" for number in range(12)]
    functions = "\n".join(f"def {name}():\n    time.sleep(0.03)" for name in names)
    turns = "\n".join(f"    {name}(); await asyncio.sleep(0)" for name in names)
    program.write_text(
        f"import asyncio, time\n{functions}\nasync def main():\n{turns}\nasyncio.run(main())\n"
    )
    flags = ("--no-stall", "-t", "20ms", "-o", hits)
    done = run_command("run", *flags, "--", PYTHON, program, extra=ON_GITHUB)
    told = commands(done.stderr)
    assert len(told) == 10, done.stderr
    assert "3 more" in told[-1]


def test_names_of_files_cannot_give_commands(tmp_path: Path, hits: Path) -> None:
    program = tmp_path / "a,b:c%0A::error ::x.py"
    program.write_text(MISTAKES.read_text())
    done = run_command(
        "run", "--no-stall", "-o", hits, "--", PYTHON, program, "fetch", extra=ON_GITHUB
    )
    (annotation,) = commands(done.stderr)
    assert "a%2Cb%3Ac%250A%3A%3Aerror %3A%3Ax.py,line=16" in annotation, annotation


def test_summary_that_is_not_there_is_said_and_fails_only_where_it_was_asked_for(
    tmp_path: Path, hits: Path
) -> None:
    extra = {**ON_GITHUB, "GITHUB_STEP_SUMMARY": f"{tmp_path}/no/such"}
    for flags, status in (([], 0), (["--github", "on"], 125)):
        done = run(*flags, "-o", hits, extra=extra)
        assert done.returncode == status, done.stderr
        assert "loophound: cannot write GITHUB_STEP_SUMMARY: No such file" in done.stderr


def test_command_without_a_loop_shows_github_nothing(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    extra = {**ON_GITHUB, "GITHUB_STEP_SUMMARY": str(summary)}
    done = run_command("run", "--", "true", extra=extra)
    assert (done.returncode, commands(done.stderr), summary.exists()) == (0, [], False)


def test_nothing_that_comes_by_itself_keeps_a_command_from_running(tmp_path: Path) -> None:
    """In a sandbox that has no room for a file."""
    if os.geteuid() != 0:
        pytest.skip("only root can take the directories away")
    hide = "; ".join(
        f"mount -t tmpfs -o size=0,nr_inodes=1 x {d}" for d in ("/tmp", "/var/tmp", "/dev/shm")
    )
    command = f"'{COMMAND}' run --no-stall -o /dev/null {{}} -- '{PYTHON}' '{MISTAKES}' fetch"
    if "/tmp" in str(MISTAKES):
        pytest.skip("what is run lies there itself")
    for flags, status, said in (
        ("", 0, "GitHub gets no annotations"), ("--report=folded:/r", 125, "nothing started")
    ):  # fmt: skip
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", f"{hide}; {command.format(flags)}"],
            env={**clean_environment(), **ON_GITHUB},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if "unshare" in done.stderr or "mount:" in done.stderr:
            pytest.skip("no mounts here")
        assert done.returncode == status, done.stderr
        assert said in done.stderr and commands(done.stderr) == []


def test_next_command_is_said_on_a_terminal_once_and_only_of_a_file(tmp_path: Path) -> None:
    flags = ("run", "--no-stall", "-o", tmp_path / "x.jsonl")
    command = ("--", PYTHON, MISTAKES)
    see = f"see it: loophound export -f html {tmp_path}/x.jsonl -o {tmp_path}/x.html"
    assert on_terminal(*flags, *command, "fetch").splitlines().count(see) == 1
    assert "see it" not in on_terminal(*flags, *command), "nothing was reported"
    assert "see it" not in on_terminal("run", "--no-stall", *command, "fetch"), "it is there"
    assert "see it" not in run(*flags[2:]).stderr, "nobody reads it"
    report = on_terminal("report", tmp_path / "x.jsonl")
    assert report.splitlines().count(see) == 1
    assert "see it" not in run_command("report", tmp_path / "x.jsonl").stdout


def test_no_command_is_said_that_a_shell_would_take_otherwise(tmp_path: Path) -> None:
    hits = tmp_path / "x; rm y.jsonl"
    run("-o", hits)
    assert "see it" not in on_terminal("report", hits)
