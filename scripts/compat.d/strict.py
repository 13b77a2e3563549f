# SPDX-License-Identifier: Apache-2.0
"""`scripts/compat --suite strict`: tests of asyncio projects, plainly and twice in strict mode.

For each project: are the results the same, what was told, was anything lost, and are the places of
the two runs the same? The table is one of Markdown, for docs/strict-suites.md.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from comparing import ABSENT, MOST_REPEATED, Difference, RunAlone, differing, judge
from places import Place, Told, read_told
from projects import PROJECTS, Project, Sdists, run_tests
from suite import PASS, Results

NAME = "strict"
RUNS = ("plain", "first", "second")
# With a threshold that nothing takes, nothing depends on how busy the machine is.
OPTIONS = ("--strict", "--noise", "tests", "--threshold", "3600s")
HEAD = (
    *("suite", "tests", "passed", "same", "calls", "reports", "places", "with its frames"),
    *("dropped", "places of both runs"),
)


@dataclass
class Strict:
    """The runs of one project."""

    project: Project
    sdists: Sdists
    command: Path
    work: Path
    results: dict[str, Results] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    def run(self, name: str, only: str | None = None) -> Results:
        where = self.work / self.project.name / name
        shutil.rmtree(where, ignore_errors=True)
        where.mkdir(parents=True)
        hits = where / "hits.jsonl"
        prefix: Sequence[str] = ()
        if not name.startswith(RUNS[0]):
            prefix = (str(self.command), "run", *OPTIONS, "-o", str(hits), "--")
        began = time.monotonic()
        results = run_tests(self.project, self.sdists, where, prefix, only)
        if only is None:
            self.seconds[name] = time.monotonic() - began
            self.results[name] = results
            self.told[name] = read_told(hits, self.project.name)
        return results

    def run_all(self) -> None:
        for name in RUNS:
            self.run(name)
            took_s = self.seconds[name]
            count = len(self.results[name])
            print(f"compat: {self.project.name} {name}: {count} tests, {took_s:.0f} s", flush=True)

    def judge(self) -> None:
        """Runs each test that differs alone, on both sides, until the other result is seen."""
        bare = self.results[RUNS[0]]
        for name in RUNS[1:]:
            for test, without, with_us in differing(bare, self.results[name]):
                found = Difference(NAME, name, self.project.name, test, without, with_us)
                self.differences.append(found)
        for found in self.differences[:MOST_REPEATED]:
            found.verdict = judge(found, self._alone(found.test))

    def _alone(self, test: str) -> RunAlone:
        def run(with_us: bool, _time: int) -> str:
            name = f"{RUNS[1] if with_us else RUNS[0]}.again"
            return self.run(name, test).get(test, ABSENT)

        return run

    def new_places(self) -> tuple[set[Place], set[Place]]:
        first, second = (self.told[name].places for name in RUNS[1:])
        return first - second, second - first

    def row(self) -> tuple[str, ...]:
        bare = self.results[RUNS[0]]
        told = self.told[RUNS[1]]
        real = {found.test for found in self.differences if found.verdict != "flaky"}
        gone, come = self.new_places()
        both = "same" if not gone and not come else f"{len(gone)} and {len(come)} in one only"
        return (
            f"{self.project.name} {self.sdists.version[self.project.name]}",
            str(len(bare)),
            str(list(bare.values()).count(PASS)),
            "yes" if not real else f"all but {len(real)}",
            *map(str, (told.calls, told.reports, len(told.places), len(told.of_project))),
            str(sum(self.told[name].dropped for name in RUNS[1:])),
            both,
        )


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def print_details(strict: Strict) -> None:
    for found in strict.differences:
        print(f"    {found.text()}")
    for name, places in zip(RUNS[1:], strict.new_places(), strict=True):
        for place in sorted(places):
            print(f"    {strict.project.name}, {name} run only: {place.text()}")


def main(build: Path, wanted: Sequence[str], jobs: int) -> int:
    """The exit status is 1 where a result differs for good, a report was lost, or no loop seen."""
    command = build / "loophound"
    if not command.exists():
        raise SystemExit(f"compat: {command} is not built: make")
    work = build / "compat" / "strict"
    work.mkdir(parents=True, exist_ok=True)
    sdists = Sdists(work)
    sdists.prepare()
    projects = [each for each in PROJECTS if not wanted or each.name in wanted]
    if not projects:
        raise SystemExit(
            f"compat: no such project; there are {', '.join(p.name for p in PROJECTS)}"
        )
    runs = [Strict(project, sdists, command, work / "runs") for project in projects]
    for each in runs:
        sdists.source(each.project)
    longest_first = sorted(runs, key=lambda each: not each.project.is_long)
    with ThreadPoolExecutor(jobs) as pool:
        for _ in pool.map(Strict.run_all, longest_first):
            pass
    for each in runs:
        each.judge()
    print("\n".join([line(HEAD), line(["---"] * len(HEAD)), *(line(each.row()) for each in runs)]))
    for each in runs:
        print_details(each)
    print(f"compat: logs are in {work / 'runs'}")
    bad = [
        each.project.name
        for each in runs
        if any(found.verdict.startswith("different") for found in each.differences)
        or any(each.told[name].dropped or not each.told[name].loops for name in RUNS[1:])
    ]
    print(f"compat: not as it should be: {', '.join(bad) or 'none'}")
    return 1 if bad else 0
