# SPDX-License-Identifier: Apache-2.0
"""Which tests differ between two runs, and whether they do so again."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from suite import Results

REPEATS = 4
# A unit with more differences than this has one cause: it is not asked test by test.
MOST_REPEATED = 12

# Runs one test alone, without (False) or with the library, for the how-many-th time: its result.
RunAlone = Callable[[bool, int], str]

ABSENT = "not run"


@dataclass(frozen=True)
class Rule:
    """A line of expected.txt."""

    suite: str
    mode: str
    test: str
    reason: str


@dataclass
class Difference:
    """A test that did not have the same result with the library."""

    suite: str
    mode: str
    unit: str
    test: str
    bare: str
    ours: str
    verdict: str = "different"  # or "flaky", "once", "expected: REASON"

    def text(self) -> str:
        return (
            f"{self.mode}  {self.unit}  {self.test}: {self.bare} -> {self.ours}  [{self.verdict}]"
        )


def differing(bare: Results, ours: Results) -> list[tuple[str, str, str]]:
    """(test, result without, result with) of all that differ, by name."""
    pairs = [(test, bare.get(test, ABSENT), ours.get(test, ABSENT)) for test in bare | ours]
    return sorted(pair for pair in pairs if pair[1] != pair[2])


def judge(difference: Difference, run_alone: RunAlone) -> str:
    """Runs the test alone on both sides.

    flaky: it has been seen to give the other result without the library as well. different: the
    library changed its result again. once: neither, in all repetitions.
    """
    without = [run_alone(False, time) for time in range(REPEATS)]
    if difference.ours in without:
        return "flaky"
    known = {difference.bare, *without}
    again = sum(run_alone(True, time) not in known for time in range(REPEATS))
    return f"different, again {again} of {REPEATS} times" if again else "once"


def read_rules(path: Path) -> list[Rule]:
    rules = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = [column.strip() for column in line.split("|")]
        if len(columns) != 4:
            raise SystemExit(f"compat: {path.name}:{number}: four columns are wanted: {line}")
        rules.append(Rule(*columns))
    return rules


def rule_for(difference: Difference, rules: Sequence[Rule]) -> Rule | None:
    for rule in rules:
        wanted = (rule.suite, rule.mode, rule.test)
        found = (difference.suite, difference.mode, difference.test)
        if all(map(fnmatch.fnmatchcase, found, wanted)):
            return rule
    return None
