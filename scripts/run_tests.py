#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every test that has been built and ends with one line: N passed, N failed.

Unit tests are cmocka programs (build/unit/test_*), run one by one; end to end tests are pytest's
(tests/e2e), and so are those of real event loops (tests/runtimes), of Node.js's versions
(tests/node), of servers in TypeScript (tests/node_servers), of exported formats (tests/export), of
native stacks (tests/stacks) and of the Python package (tests/python), which run only where they are
asked for: `make test-runtimes`, `make test-node`, `make test-node-servers`, `make test-export`,
`make test-stacks`, `make test-python`.
Nothing is skipped silently: skipped tests are in the last line too.

With LOOPHOUND_TEST_AGAIN=1, as .ci/run has it, a test that fails is run once more when the others
have ended, alone: one run of thousands of tests, many of other people's servers, decides there. One
that passes then counts as passed, and a line names it as unsteady. `make test` has no second run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Sanitized, or in an emulated machine (scripts/arm_tests.py): some ten times slower.
UNIT_TIMEOUT_S = {False: 120, True: 600}
# Most of these tests wait; those of real loops compute more, and a file's share what they build.
# Some are marked as being alone.
AT_ONCE = {"e2e": ["-n", "4"], "python": ["-n", "3"], "runtimes": ["-n", "2", "--dist", "loadfile"]}
HAS_ALONE = {"e2e"}
# Of a run that has ended, what failed, alone.
AGAIN = ["--last-failed", "--last-failed-no-failures", "none"]
# A sanitizer cannot be in the library; what is left of the end to end tests are the hard ones.
SUITES = {None: ["unit", "e2e"], "sanitized": ["unit", "e2e/test_stress.py"]}


@dataclass
class Totals:
    """What the last line says."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Totals) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def line(self) -> str:
        text = f"{self.passed} passed, {self.failed} failed"
        return f"{text}, {self.skipped} skipped" if self.skipped else text


def has_second_run() -> bool:
    return os.environ.get("LOOPHOUND_TEST_AGAIN") == "1"


def unsteady(first: Totals, second: Totals, what: str) -> Totals:
    """What counts where all that failed has been run again: a test that failed twice has failed."""
    if second.passed + second.failed < first.failed or not second.passed:
        return first
    print(f"UNSTEADY: {second.passed} passed when run again, of: {what}", flush=True)
    return Totals(first.passed + second.passed, second.failed, first.skipped)


def run_unit(program: Path, timeout_s: int) -> Totals:
    """Runs one cmocka program, and once more where that is wanted."""
    totals = run_unit_once(program, timeout_s)
    if not totals.failed or not has_second_run():
        return totals
    second = run_unit_once(program, timeout_s)
    if second.failed:
        return totals
    return unsteady(totals, Totals(totals.failed), program.name)


def run_unit_once(program: Path, timeout_s: int) -> Totals:
    """Runs one cmocka program; its TAP output is counted, and shown where something failed."""
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    try:
        done = subprocess.run(
            [program],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
        output, status = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        output, status = f"no end after {timeout_s} s", -1

    skipped = len(re.findall(r"^(?:not )?ok \d+ .*# SKIP", output, re.MULTILINE))
    passed = len(re.findall(r"^ok \d+(?! .*# SKIP)", output, re.MULTILINE))
    failed = len(re.findall(r"^not ok \d+(?! .*# SKIP)", output, re.MULTILINE))  # cmocka's skip
    plan = re.search(r"^1\.\.(\d+)", output, re.MULTILINE)
    planned = int(plan.group(1)) if plan else 0
    # A program that died, or that ran nothing, has failed even if no line says so.
    failed = max(failed, planned - passed - skipped)
    if failed == 0 and (status != 0 or planned == 0):
        failed = 1

    print(f"{program.name}: {passed} passed" + (f", {failed} FAILED" if failed else ""))
    if failed:
        print(output.rstrip(), f"\n{program.name} ended with status {status}", flush=True)
    return Totals(passed, failed, skipped)


def run_suite(suite_name: str, build: Path, extra: list[str]) -> Totals:
    """Runs a suite, in one part or two; leaves one report of all of it, <suite>.xml."""
    parts = [extra or AT_ONCE.get(suite_name, [])]
    if suite_name in HAS_ALONE and not extra:
        parts = [["-m", "not alone", *parts[0]], ["-m", "alone"]]
    whole = build / f"{Path(suite_name).stem}.xml"
    whole.unlink(missing_ok=True)
    reports = [whole.with_suffix(f".{number}.xml") for number in range(1, len(parts) + 1)]
    totals = Totals()
    failed_of(build).unlink(missing_ok=True)
    for report, part in zip(reports, parts):  # noqa: B905, strict= is new in 3.10
        totals.add(run_pytest(suite_name, build, report, part))
    merge_reports(reports, whole)
    if totals.failed and has_second_run():
        names = (
            ", ".join(json.loads(failed_of(build).read_text())) if failed_of(build).exists() else ""
        )
        second = run_pytest(suite_name, build, whole.with_suffix(".again.xml"), AGAIN)
        return unsteady(totals, second, names)
    return totals


def failed_of(build: Path) -> Path:
    """Where pytest notes what failed."""
    return build / "pytest-cache" / "v" / "cache" / "lastfailed"


def merge_reports(parts: list[Path], whole: Path) -> None:
    """JUnit's form: one <testsuites> with the <testsuite> of each part. Removes the parts."""
    root = ElementTree.Element("testsuites")
    for part in parts:
        if part.exists():
            root.extend(ElementTree.parse(part).getroot().findall("testsuite"))
            part.unlink()
    ElementTree.ElementTree(root).write(whole, encoding="utf-8", xml_declaration=True)


def run_pytest(suite_name: str, build: Path, report: Path, extra: list[str]) -> Totals:
    """Runs pytest in this interpreter's environment and adds up its report."""
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "--durations=5"]
    command += ["-o", f"cache_dir={build / 'pytest-cache'}"]
    is_named = any(word.startswith("tests/") for word in extra)
    command += [f"--junitxml={report}", *([] if is_named else [f"tests/{suite_name}"]), *extra]
    status = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ, LOOPHOUND_TEST_BUILD=str(build)), check=False
    ).returncode
    if not report.exists():
        print(f"pytest ended with status {status} and wrote no report")
        return Totals(failed=1)
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None
    count = {name: int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    return Totals(
        passed=max(count["tests"] - failed - count["skipped"], 0),
        failed=max(failed, 1 if status != 0 else 0),
        skipped=count["skipped"],
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument(
        "--only",
        choices=[
            "unit",
            "e2e",
            "runtimes",
            "export",
            "node",
            "node_servers",
            "stacks",
            "wheel",
            "python",
            "sanitized",
        ],
    )
    words = "passed on to pytest, after --; with files of the suite: only these"
    parser.add_argument("pytest", nargs="*", help=words)
    arguments = parser.parse_args()
    build = (ROOT / arguments.build).resolve()

    # A shell without job control has what it starts in the background ignore Ctrl-C; the servers
    # under test are ended by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    totals = Totals()
    suites = SUITES.get(arguments.only, [arguments.only])
    slow = arguments.only == "sanitized" or os.environ.get("LOOPHOUND_TEST_EMULATED") == "1"
    if "unit" in suites:
        programs = sorted(path for path in (build / "unit").glob("test_*") if not path.suffix)
        for program in programs:
            if (ROOT / "tests" / "unit" / f"{program.name}.c").exists():
                totals.add(run_unit(program, UNIT_TIMEOUT_S[slow]))
    for suite in suites:
        if suite != "unit":
            totals.add(run_suite(suite, build, arguments.pytest))
    if totals.passed + totals.failed == 0:
        print("no test was run")
        totals.failed = 1
    print(totals.line(), flush=True)
    return 1 if totals.failed else 0


if __name__ == "__main__":
    sys.exit(main())
