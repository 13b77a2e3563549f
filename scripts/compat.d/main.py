# SPDX-License-Identifier: Apache-2.0
"""The command: its arguments and its order of work."""

from __future__ import annotations

import argparse
import fnmatch
import os
from collections.abc import Sequence
from pathlib import Path

import plugin
import strict
from comparing import Rule, read_rules
from report import Comparison, head
from running import Job, Runner
from suite import BARE, MODES, WHOLE_RUN, Mode, Suite
from suite_cpython import CPython
from suite_libuv import Libuv
from suite_redis import Redis
from suite_stress import StressNg

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = Path(__file__).with_name("expected.txt")


def parse_arguments() -> argparse.Namespace:
    jobs = (os.cpu_count() or 1) + 1  # most tests wait
    parser = argparse.ArgumentParser(description="other people's tests, without and with us")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--short", action="store_true", help="a part that takes some minutes")
    form.add_argument("--long", action="store_true", help="also every unit of Redis")
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--suite", action="append", help="only this one; may be repeated")
    parser.add_argument("--mode", action="append", choices=[mode.name for mode in MODES])
    parser.add_argument("--python", default="/usr/bin/python3.11", help="one that has its tests")
    parser.add_argument("--project", action="append", help="of strict and pytest: only this")
    parser.add_argument("--unit", default="*", help="only units like this glob")
    parser.add_argument("--jobs", type=int, default=jobs, help="units at once")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    build = (ROOT / arguments.build).resolve()
    for own in (strict, plugin):
        if own.NAME not in (arguments.suite or ()):
            continue
        if len(arguments.suite) > 1:
            raise SystemExit(f"compat: --suite {own.NAME} has a table of its own: alone, please")
        at_once = min(arguments.jobs, os.cpu_count() or 1)
        status: int = own.main(build, arguments.project or (), at_once)
        return status
    runner = Runner(build / "libloophound.so", build / "compat")
    if not runner.library.exists():
        raise SystemExit(f"compat: {runner.library} is not built: make")
    runner.work.mkdir(exist_ok=True)

    every: list[Suite] = [
        Redis(arguments.long),
        CPython(arguments.python, arguments.short),
        Libuv(arguments.short),
        StressNg(arguments.short),
    ]
    suites = [suite for suite in every if suite.name in (arguments.suite or (suite.name,))]
    modes = [mode for mode in MODES if mode.name in (arguments.mode or (mode.name,))]
    units = {}
    for suite in suites:
        suite.prepare(runner.work)
        wanted = suite.units(arguments.short)
        units[suite] = [unit for unit in wanted if fnmatch.fnmatch(unit, arguments.unit)]
    if not any(units.values()):
        raise SystemExit("compat: no such suite or unit")

    runner.run_all(
        [
            Job(suite, unit, mode)
            for suite in suites
            for unit in units[suite]
            for mode in (BARE, *modes)
        ],
        arguments.jobs,
    )
    return compare(runner, units, modes)


def compare(runner: Runner, units: dict[Suite, list[str]], modes: Sequence[Mode]) -> int:
    """Prints the table; the exit status is 1 if anything differs that is not expected."""
    rules = read_rules(EXPECTED)
    used: set[Rule] = set()
    different = 0
    loops = 0
    lines = [head()]
    for suite, names in units.items():
        for mode in modes:
            comparison = Comparison(runner, suite, mode, names)
            found = comparison.find()
            used |= comparison.explain(found, rules)
            different += sum(each.verdict.startswith("different") for each in found)
            loops += comparison.loops()
            lines.append(comparison.row(found))
            lines += [f"    {each.text()}" for each in found]
    print("\n".join(lines))
    for rule in rules:
        if rule not in used:
            print(f"compat: matched nothing here: {rule.suite} | {rule.mode} | {rule.test}")
    broken = [
        job for job, results in runner.results.items() if job.mode == BARE and WHOLE_RUN in results
    ]
    for job in broken:
        print(f"compat: {job.suite.name} {job.unit} does not run here, without the library as well")
    if loops == 0:
        print("compat: the library saw no loop thread in any of these: nothing is shown")
    print(f"compat: {different} different; logs are in {runner.work / 'runs'}")
    return 1 if different or broken or loops == 0 else 0
