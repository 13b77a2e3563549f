# SPDX-License-Identifier: Apache-2.0
"""Strict mode: classes of noise are quiet and counted, and a place is told once."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from harness import (
    PROGRAMS,
    PYTHON,
    ROOT,
    blocks,
    describe,
    functions,
    of_type,
    read_events,
    run_command,
)

APPS = ROOT / "tests" / "programs" / "python"
NOT_ALLOWED = 77

# By src/noise.def, which says when each is on.
CLASSES = dict(
    re.findall(r'^NOISE\(\w+, "([\w-]+)", (\w+),', (ROOT / "src/noise.def").read_text(), re.M)
)

# These have no switch: whoever asks for them to be told is asked for another option.
SWITCHED = {name for name, when in CLASSES.items() if when != "ALWAYS"}

# Of these the program is a library's loop: how it is run, and which loops are wanted.
LIBRARIES = {"guest": ("here", "auto"), "native-loop": ("thread", "poller")}


def run_strict(
    command: Sequence[str | Path], output: Path, noise: str = "auto", **variables: str
) -> list[dict[str, Any]]:
    """No call takes the threshold, and a directory in memory counts as one on a disk."""
    done = run_command(
        *("run", "--strict", "-t", "3600s", "--noise", noise, "-o"),
        output,
        "--",
        *command,
        extra=variables,
    )
    assert done.returncode == 0, done.stderr
    events = read_events(output)
    assert all(summary["dropped"] == 0 for summary in of_type(events, "summary"))
    return events


def quiet(events: Sequence[dict[str, Any]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for summary in of_type(events, "summary"):
        for name, count in summary["quiet"].items():
            counts[name] = counts.get(name, 0) + count
    return counts


def copied(name: str, tmp_path: Path) -> Path:
    """The program where no directory has the name of tests."""
    return Path(shutil.copy(APPS / name, tmp_path))


def run_noise(name: str, noise: str, tmp_path: Path) -> list[dict[str, Any]]:
    """A class that no program is known for fails."""
    hits = tmp_path / "hits.jsonl"
    if name in LIBRARIES:
        way, loops = LIBRARIES[name]
        poller: list[str | Path] = [PYTHON, APPS / "poller.py", PROGRAMS / "poller.so", way]
        return run_strict(poller, hits, noise, LOOPHOUND_LOOP=loops)
    others = "" if name == "memory-paths" else ",-memory-paths"
    command: list[str | Path] = [PYTHON, copied("noise.py", tmp_path), name, tmp_path]
    return run_strict(command, hits, noise + others)


def test_all_classes_are_tried_here() -> None:
    assert len(CLASSES) == 15 and set(CLASSES) > set(LIBRARIES)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_class_is_quiet_and_counted_where_it_is_on(name: str, tmp_path: Path) -> None:
    events = run_noise(name, f"auto,+{name}", tmp_path)
    assert quiet(events).get(name, 0) > 0, describe(events)
    assert not blocks(events), describe(events)


@pytest.mark.parametrize("name", sorted(SWITCHED))
def test_class_is_told_where_it_is_off(name: str, tmp_path: Path) -> None:
    events = run_noise(name, f"tests,-{name}", tmp_path)
    assert name not in quiet(events)
    assert {block["noise"] for block in blocks(events)} == {name}, describe(events)


@pytest.mark.parametrize("name", sorted(set(CLASSES) - SWITCHED))
def test_class_without_a_switch_is_quiet_whatever_is_asked(name: str, tmp_path: Path) -> None:
    events = run_noise(name, "none", tmp_path)
    assert quiet(events).get(name, 0) > 0, describe(events)
    refused = run_command("run", "--strict", "--noise", f"-{name}", "--", "true")
    assert refused.returncode == 2 and name in refused.stderr


@pytest.mark.parametrize(
    ("state", "beside"),
    [("not-in-loop", "finalize"), ("gil", "lock-handoff"), ("guest", "a handler")],
)
def test_class_of_a_state_holds_for_it_alone(state: str, beside: str, tmp_path: Path) -> None:
    """The same call in the loop; a lock of the program's own; Python that a library calls."""
    if state == "guest":
        hits = tmp_path / "hits.jsonl"
        events = run_strict([PYTHON, APPS / "poller.py", PROGRAMS / "poller.so", "handler"], hits)
    else:
        events = run_noise(beside, f"auto,-{beside}", tmp_path)
    assert blocks(events), describe(events)
    assert all(block["noise"] != state for block in blocks(events))


@pytest.mark.parametrize("name", sorted(SWITCHED))
@pytest.mark.parametrize(
    ("mode", "on"), [("auto", {"STRICT"}), ("tests", {"STRICT", "TESTS"}), ("none", set())]
)
def test_mode_says_which_classes_are_on(mode: str, on: set[str], name: str, tmp_path: Path) -> None:
    events = run_noise(name, mode, tmp_path)
    assert (name in quiet(events)) == (CLASSES[name] in on), quiet(events)


def run_libuv(noise: str, tmp_path: Path, **variables: str) -> list[dict[str, Any]]:
    command: list[str | Path] = [PROGRAMS / "uring", "libuv"]
    if subprocess.run(command, capture_output=True).returncode == NOT_ALLOWED:
        pytest.skip("io_uring is not allowed here")
    return run_strict(command, tmp_path / "hits.jsonl", noise, **variables)


def test_function_of_libuv_is_known_by_its_name(tmp_path: Path) -> None:
    """To the collector, which counts it as the library counts noise; the program's own is told."""
    events = run_libuv("auto", tmp_path)
    (block,) = blocks(events)
    assert "uv__epoll_ctl_flush" not in functions(block) and block["noise"] is None
    assert not of_type(events, "repeated")
    (summary,) = of_type(events, "summary")
    assert (summary["blocks"], summary["quiet"]) == (1, {"loop-own": 3}), summary
    assert [(row["call"], row["count"]) for row in summary["by_call"]] == [("io_uring_enter", 1)]


@pytest.mark.parametrize(
    ("noise", "rule"), [("auto,-loop-own", ""), ("auto", "!noise:loop-own"), ("none", "")]
)
def test_function_of_libuv_is_told_where_that_is_wanted(
    noise: str, rule: str, tmp_path: Path
) -> None:
    events = run_libuv(noise, tmp_path, LOOPHOUND_ALLOW=rule)
    of_class = [block for block in blocks(events) if block["noise"] == "loop-own"]
    assert of_class and all("uv__epoll_ctl_flush" in functions(block) for block in of_class)
    (summary,) = of_type(events, "summary")
    assert (summary["blocks"], summary["quiet"]) == (4, {}), summary


def test_last_line_counts_what_the_collector_has_found_to_be_noise(tmp_path: Path) -> None:
    run_libuv("auto", tmp_path)
    done = run_command("run", "--strict", "--fail", "--", PROGRAMS / "uring", "libuv")
    assert ", 1 block, " in done.stderr.splitlines()[-1]
    assert done.stderr.endswith(", 3 calls quiet (loop-own 3)\n")


def test_clean_program_is_silent(tmp_path: Path) -> None:
    events = run_strict([PYTHON, copied("clean.py", tmp_path)], tmp_path / "hits.jsonl")
    assert not blocks(events), describe(events)
    assert {"import", "thread-start", "traceback"} <= set(quiet(events))


CASES = """
import asyncio, unittest

class Tests(unittest.IsolatedAsyncioTestCase):
    async def test(self):
        await asyncio.sleep(0)

for number in range(100):
    setattr(Tests, f"test_{number}", Tests.test)
unittest.main()
"""


@pytest.mark.parametrize("debug", ["", "1"])
def test_empty_tests_on_a_loop_that_stays_open_are_silent(debug: str, tmp_path: Path) -> None:
    """In debug mode, as the runner has it, asyncio reads the source for each handle."""
    program = tmp_path / "cases.py"
    program.write_text(CASES)
    events = run_strict(
        [PYTHON, program], tmp_path / "hits.jsonl", "tests", PYTHONASYNCIODEBUG=debug
    )
    assert not blocks(events), describe(events)
    assert quiet(events)["traceback"] > 1000


def test_place_is_told_once_in_each_test_and_counted(tmp_path: Path) -> None:
    events = run_strict([PYTHON, copied("once.py", tmp_path)], tmp_path / "hits.jsonl")
    told = blocks(events)
    assert [(block["test"], block["call"]) for block in told] == [
        ("test_first", "stat"),
        ("test_second", "stat"),
        ("test_second", "stat"),
        (None, "stat"),
        (None, "stat"),
    ], describe(events)
    again = {line["id"]: line for line in of_type(events, "repeated")}
    assert [(again.get(block["id"]) or {}).get("count", 0) for block in told] == [4, 2, 0, 2, 0]
    assert again[told[0]["id"]]["test"] == "test_first"
    (summary,) = of_type(events, "summary")
    assert summary["blocks"] == 5 + 4 + 4


def test_report_counts_what_was_met_again(tmp_path: Path) -> None:
    hits = tmp_path / "hits.jsonl"
    run_strict([PYTHON, copied("once.py", tmp_path)], hits)
    table = run_command("report", hits).stdout
    counts = dict(re.findall(r"(\d+)  stat  \S*/once\.py:(\d+)", table))
    assert sorted(counts) == ["11", "2"], table
    assert table.splitlines()[-1].startswith("1 process, 13 blocks")


def test_text_counts_it_too(tmp_path: Path) -> None:
    done = run_command("run", "--strict", "-t", "3600s", "--", PYTHON, copied("once.py", tmp_path))
    assert re.search(r"^ .* 11  stat  \S*/once\.py", done.stderr, re.M), done.stderr
    assert "13 blocks" in done.stderr.splitlines()[-1]


MANY = """
import asyncio, os, sys
lines = ["def look(stat=__import__('os').stat):"] + ["    stat('/')"] * int(sys.argv[1])
open(sys.argv[2], "w").write("\\n".join(lines) + "\\n")
names = {}
exec(compile(open(sys.argv[2]).read(), sys.argv[2], "exec"), names)
async def main():
    names["look"]()
asyncio.run(main())
"""


def test_nothing_is_lost_where_there_are_more_places_than_are_counted(tmp_path: Path) -> None:
    places = 6000
    program = tmp_path / "many.py"
    program.write_text(MANY)
    command: list[str | Path] = [PYTHON, program, str(places), tmp_path / "made.py"]
    events = run_strict(command, tmp_path / "hits.jsonl", LOOPHOUND_STACK_BYTES="4K")
    again = sum(line["count"] for line in of_type(events, "repeated"))
    stats = [block for block in blocks(events) if block["call"] == "stat"]
    assert len(stats) + again == places
    assert len({block["id"] for block in stats}) == len(stats)


IMPORTS = """
import asyncio, ctypes, sys
library = ctypes.CDLL(None)
async def main():
    if sys.argv[1] == "allowed":
        library.loophound_allow_begin()
    import colorsys
    if sys.argv[1] == "allowed":
        library.loophound_allow_end()
asyncio.run(main())
"""


@pytest.mark.parametrize("where", ["allowed", "not allowed"])
def test_what_is_allowed_is_not_looked_at_for_noise(where: str, tmp_path: Path) -> None:
    program = tmp_path / "imports.py"
    program.write_text(IMPORTS)
    noise = "auto,-memory-paths"
    events = run_strict([PYTHON, program, where], tmp_path / "hits.jsonl", noise)
    assert ("import" in quiet(events)) == (where == "not allowed"), quiet(events)
    assert not blocks(events), describe(events)


def test_last_line_says_what_was_quiet(tmp_path: Path) -> None:
    command: list[str | Path] = [PYTHON, copied("noise.py", tmp_path), "import", tmp_path]
    done = run_command("run", "--strict", "-o", tmp_path / "hits.jsonl", "--", *command)
    assert re.search(r", 0 dropped, \d+ calls? quiet \(.*import \d+.*\)$", done.stderr.strip())


@pytest.mark.parametrize(
    ("rule", "told", "suppressed"),
    [("!noise:import", True, False), ("!call:mkdir", False, False), ("!in:no.py", False, True)],
    ids=["it matches", "the library knows that it does not", "the collector knows that"],
)
def test_rule_with_a_mark_has_noise_told_where_it_matches_alone(
    rule: str, told: bool, suppressed: bool, tmp_path: Path
) -> None:
    command: list[str | Path] = [PYTHON, copied("noise.py", tmp_path), "import", tmp_path]
    noise = "auto,-memory-paths"
    events = run_strict(command, tmp_path / "hits.jsonl", noise, LOOPHOUND_ALLOW=rule)
    rules = [block["suppressed"] and block["suppressed"]["rule"] for block in blocks(events)]
    assert (None in rules, "noise:import" in rules) == (told, suppressed)
    assert ("import" in quiet(events)) == (not told and not suppressed)
