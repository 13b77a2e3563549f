# SPDX-License-Identifier: Apache-2.0
"""scripts/compat tells what the library changed from what changes by itself."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from harness import LIBRARY, ROOT, wait_until

sys.path.insert(0, str(ROOT / "scripts" / "compat.d"))

from comparing import Difference, Rule, read_rules
from report import Comparison
from running import Job, Runner
from suite import BARE, FAIL, MODES, PASS, WHOLE_RUN, Results, Suite, run_logged, with_end
from suite_cpython import read_report
from suite_redis import read_log, without_numbers

THRESHOLD = MODES[0]

# Each line of output is a test that passed. "sees": where the library is not; "turns": every second
# time, by itself; "alone": always but with the library and among others.
PROGRAM = """
ours=${LD_PRELOAD:+1}
count=$(cat ../count 2>/dev/null || echo 0)
echo $((count + 1)) >../count
echo steady
[ -n "$ours" ] || echo sees
[ $(((count + ${ours:-0}) % 2)) -eq 0 ] || echo turns
[ -n "$ours" ] && [ -z "$1" ] || echo alone
"""
TESTS = ("steady", "sees", "turns", "alone")


class Shell(Suite):
    """A suite of a few lines of shell."""

    name = "shell"

    def units(self, short: bool) -> list[str]:
        return ["unit"]

    def run(self, unit: str, where: Path, environment: dict[str, str], only: str | None) -> Results:
        command = ["/bin/sh", "-c", PROGRAM, "sh", only or ""]
        status = run_logged(command, where / "log", environment, where, 20)
        passed = (where / "log").read_text().splitlines()
        return with_end({test: PASS if test in passed else FAIL for test in TESTS}, status)


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    runner = Runner(LIBRARY, tmp_path)
    suite = Shell()
    runner.run_all([Job(suite, "unit", mode) for mode in (BARE, THRESHOLD)], 1)
    return Comparison(runner, suite, THRESHOLD, ["unit"])


def by_test(found: list[Difference]) -> dict[str, str]:
    return {difference.test: difference.verdict.split(",")[0] for difference in found}


def test_difference_is_told_from_a_flake_and_from_what_happened_once(
    comparison: Comparison,
) -> None:
    found = comparison.find()
    comparison.explain(found, [])
    assert by_test(found) == {"sees": "different", "turns": "flaky", "alone": "once"}
    cells = comparison.row(found).split()
    assert cells == ["shell", "threshold", "4", "3", "1", "1", "0", "1", "1", "0"]


def test_difference_that_is_written_down_is_expected(
    comparison: Comparison, tmp_path: Path
) -> None:
    written = tmp_path / "expected.txt"
    written.write_text(
        "# why\nshell | * | se* | it looks for us\nshell | strict | * | other mode\n"
    )
    rules = read_rules(written)
    found = comparison.find()
    assert comparison.explain(found, rules) == {Rule("shell", "*", "se*", "it looks for us")}
    assert by_test(found)["sees"] == "expected: it looks for us"
    assert by_test(found)["turns"] == "flaky"


def test_run_that_dies_has_failed_though_its_tests_passed(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "kill -SEGV $$"]
    status = run_logged(
        command, tmp_path / "log", BARE.environment(LIBRARY, tmp_path), tmp_path, 20
    )
    assert status == -signal.SIGSEGV
    assert with_end({"one": PASS}, status) == {"one": PASS, WHOLE_RUN: "fail, signal 11"}
    assert with_end({}, 3) == {WHOLE_RUN: "fail, status 3"}


def has_ended(pid: str) -> bool:
    """It is gone, or only its parent has not asked for its status yet: proc_pid_stat(5)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except OSError:
        return True


def test_run_that_does_not_end_is_ended_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = ["/bin/sh", "-c", f"sleep 1000 & echo $! >{pid}; wait"]
    environment = BARE.environment(LIBRARY, tmp_path)
    assert run_logged(command, tmp_path / "log", environment, tmp_path, 0.5) == -signal.SIGALRM
    assert wait_until("the end of the child", lambda: has_ended(pid.read_text().strip()))


def test_log_of_redis_is_read_by_test() -> None:
    log = "[\x1b[0;32;49mok\x1b[0m]: A (of B) (12 ms)\n[err]: C in tests/c.tcl\nwhy\n[ignore]: D\n"
    assert read_log(log) == {"A (of B)": "pass", "C": "fail", "D": "skip"}


def test_tests_with_random_numbers_are_one_test_which_fails_if_any_does() -> None:
    drawn = {"Set #0 as master": "pass", "Set #4 as master": "fail", "x = 350146": "pass"}
    assert without_numbers(drawn) == {"Set #N as master": "fail", "x = N": "pass"}


def test_half_a_report_of_cpython_is_no_report(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    whole = (
        '<testsuites><testcase name="a" /><testcase name="b"><failure /></testcase>'
        '<testcase name="c"><skipped /></testcase></testsuites>'
    )
    report.write_text(whole)
    assert read_report(report) == {"a": "pass", "b": "fail", "c": "skip"}
    report.write_text(whole[:60])
    assert read_report(report) == {}
    assert read_report(tmp_path / "none") == {}
