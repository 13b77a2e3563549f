# SPDX-License-Identifier: Apache-2.0
"""The differences of one suite in one mode, with their verdicts, and the table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from comparing import (
    ABSENT,
    MOST_REPEATED,
    Difference,
    Rule,
    RunAlone,
    differing,
    judge,
    rule_for,
)
from running import Job, Runner
from suite import BARE, PASS, Mode, Results, Suite

KINDS = ("different", "expected", "flaky", "once")
HEAD = ("suite", "mode", "tests", "passed", "same", *KINDS, "loops seen")
WIDTHS = (10, 9, 6, 6, 6, 9, 8, 5, 4, 10)
LEFT = 2  # columns that are names


@dataclass
class Comparison:
    """What one suite did in one mode, beside what it did without the library."""

    runner: Runner
    suite: Suite
    mode: Mode
    units: Sequence[str]
    repeated: dict[tuple[Job, int, str | None], Results] = field(default_factory=dict)

    def find(self) -> list[Difference]:
        found = []
        for unit in self.units:
            bare = self.runner.results[Job(self.suite, unit, BARE)]
            ours = self.runner.results[Job(self.suite, unit, self.mode)]
            for test, without, with_us in differing(bare, ours):
                difference = Difference(
                    self.suite.name, self.mode.name, unit, test, without, with_us
                )
                found.append(difference)
        return found

    def explain(self, found: Iterable[Difference], rules: Sequence[Rule]) -> set[Rule]:
        """Gives each difference its verdict; returns the rules that matched."""
        used = set()
        asked: dict[str, int] = {}
        for difference in found:
            rule = rule_for(difference, rules)
            if rule is not None:
                difference.verdict = f"expected: {rule.reason}"
                used.add(rule)
                continue
            asked[difference.unit] = asked.get(difference.unit, 0) + 1
            if self.suite.whole or asked[difference.unit] <= MOST_REPEATED:
                difference.verdict = judge(difference, self._alone(difference))
        return used

    def _alone(self, difference: Difference) -> RunAlone:
        def run(with_us: bool, time: int) -> str:
            job = Job(self.suite, difference.unit, self.mode if with_us else BARE)
            only = None if self.suite.whole else difference.test
            if (job, time, only) not in self.repeated:
                self.repeated[job, time, only] = self.runner.run(job, difference.test)
            return self.repeated[job, time, only].get(difference.test, ABSENT)

        return run

    def loops(self) -> int:
        return sum(self.runner.loops_seen(Job(self.suite, unit, self.mode)) for unit in self.units)

    def row(self, found: Sequence[Difference]) -> str:
        bare = [self.runner.results[Job(self.suite, unit, BARE)] for unit in self.units]
        tests = sum(len(results) for results in bare)
        passed = sum(list(results.values()).count(PASS) for results in bare)
        counts = [sum(each.verdict.startswith(kind) for each in found) for kind in KINDS]
        numbers = (tests, passed, tests - len(found), *counts, self.loops())
        return line((self.suite.name, self.mode.name, *map(str, numbers)))


def line(cells: Sequence[str]) -> str:
    placed = [
        cell.ljust(width) if column < LEFT else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    ]
    return "  ".join(placed).rstrip()


def head() -> str:
    return line(HEAD)
