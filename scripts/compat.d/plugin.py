# SPDX-License-Identifier: Apache-2.0
"""`scripts/compat --suite pytest`: tests of asyncio projects, plainly and under pytest --loophound.

No rule is given. Each test is to have the same result, unless loophound says that it has blocked:
then the place is listed, for a person to judge. The table is one of Markdown, for
docs/pytest-suites.md, without its times.
"""

from __future__ import annotations

import json
import re
import shutil
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from comparing import ABSENT, MOST_REPEATED, Difference, RunAlone, differing, judge
from places import below_loop, place_of, short
from projects import PROJECTS, Project, Sdists, node_of, run_tests
from strict import line
from suite import PASS, WHOLE_RUN, Results

NAME = "pytest"
RUNS = ("plain", "watched")
USUAL = ("starlette", "httpx", "anyio")
ROOT = Path(__file__).resolve().parents[2]
HEAD = ("suite", "tests", "passed", "same", "blocked", "places", "seconds plain", "watched")
# What loophound makes a test fail with: src/python/loophound/_message.py, short().
BLOCKED = re.compile(r"\bblocked in \S+ at \S+:\d+: ")
LOST = "reports were lost"


@dataclass
class Watched:
    """The two runs of one project."""

    project: Project
    sdists: Sdists
    build: Path
    work: Path
    results: dict[str, Results] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    places: dict[str, set[str]] = field(default_factory=dict)
    """each with the tests that it was seen in"""
    differences: list[Difference] = field(default_factory=list)
    lost: bool = False

    def run(self, name: str, only: str | None = None) -> Results:
        where = self.work / self.project.name / name
        shutil.rmtree(where, ignore_errors=True)
        where.mkdir(parents=True)
        more: tuple[str, ...] = ()
        environment: dict[str, str] = {}
        if not name.startswith(RUNS[0]):
            more = ("-p", "loophound.pytest_plugin", "--loophound")
            more += ("-o", "loophound_required=true")  # or nothing runs where nothing is watched
            more += (f"--loophound-report={where / 'hits.jsonl'}",)
            environment["PYTHONPATH"] = str(ROOT / "src" / "python")
            environment["LOOPHOUND_LIBRARY"] = str(self.build / "libloophound.so")
        began = time.monotonic()
        results = run_tests(
            self.project, self.sdists, where, only=only, more=more, environment=environment
        )
        if only is None:
            self.seconds[name] = time.monotonic() - began
            self.results[name] = results
        return results

    def run_all(self) -> None:
        for name in RUNS:
            self.run(name)
            took_s = self.seconds[name]
            count = len(self.results[name])
            print(f"compat: {self.project.name} {name}: {count} tests, {took_s:.0f} s", flush=True)
        where = self.work / self.project.name / RUNS[1]
        self.lost = LOST in (where / "log").read_text(errors="replace")
        self.blocked = read_blocked(where / "junit.xml")
        self.places = read_places(where / "hits.jsonl", self.project.name)

    def judge(self) -> None:
        """Runs each test that differs for another reason alone, on both sides."""
        for test, plain, ours in differing(*(self.results[name] for name in RUNS)):
            # The status of the run is another one as soon as a test fails.
            if test in self.blocked or (test == WHOLE_RUN and self.blocked):
                continue
            found = Difference(NAME, RUNS[1], self.project.name, test, plain, ours)
            self.differences.append(found)
        for found in self.differences[:MOST_REPEATED]:
            found.verdict = judge(found, self._alone(found.test))

    def _alone(self, test: str) -> RunAlone:
        def run(with_us: bool, _time: int) -> str:
            return self.run(f"{RUNS[with_us]}.again", test).get(test, ABSENT)

        return run

    def is_bad(self) -> bool:
        real = any(each.verdict.startswith("different") for each in self.differences)
        return real or self.lost

    def row(self) -> tuple[str, ...]:
        plain = self.results[RUNS[0]]
        real = {found.test for found in self.differences if found.verdict != "flaky"}
        return (
            f"{self.project.name} {self.sdists.version[self.project.name]}",
            str(len(plain)),
            str(list(plain.values()).count(PASS)),
            "yes" if not real else f"all but {len(real)}",
            str(len(self.blocked)),
            str(len(self.places)),
            *(f"{self.seconds[name]:.0f}" for name in RUNS),
        )

    def print_details(self) -> None:
        print(f"\n{self.project.name}:")
        for place, tests in sorted(self.places.items()):
            print(f"- {place} ({len(tests)} {'test' if len(tests) == 1 else 'tests'})")
        for found in self.differences:
            print(f"    {found.text()}")


def read_blocked(report: Path) -> set[str]:
    """The tests that loophound made fail, by the message of the failure."""
    if not report.exists():
        return set()
    cases = ElementTree.parse(report).getroot().iter("testcase")
    return {
        node_of(case)
        for case in cases
        for part in case
        if part.tag in ("failure", "error") and BLOCKED.search(part.get("message", ""))
    }


def read_places(hits: Path, package: str) -> dict[str, set[str]]:
    """The project's own line, and below it that of another project's code that made the call."""
    places: dict[str, set[str]] = {}
    for text in hits.read_text().splitlines() if hits.exists() else ():
        event = json.loads(text)
        stack = event.get("stack") or []
        nearest = place_of(event, stack)
        python = below_loop([frame for frame in stack if frame["lang"] == "python"])
        own = (f"-packages/{package}/", "/tree/")
        first = next((f for f in python if any(p in (f.get("file") or "") for p in own)), None)
        name = nearest.text()
        if first is not None:
            at = f"{short(first['file'])}:{first['line']} {first['function']}"
            name = f"{nearest.call} at {at}"
            if short(first["file"]) != nearest.file:
                name += f", in {nearest.file}:{nearest.line} {nearest.function}"
        places.setdefault(name, set()).add(event.get("test", "").rpartition(" (")[0])
    return places


def main(build: Path, wanted: Sequence[str], jobs: int) -> int:
    """The exit status is 1 where a result differs for good, or a report was lost."""
    if not (build / "libloophound.so").exists():
        raise SystemExit(f"compat: {build / 'libloophound.so'} is not built: make")
    work = build / "compat" / "strict"  # the environment is the same
    work.mkdir(parents=True, exist_ok=True)
    sdists = Sdists(work)
    sdists.prepare()
    projects = [each for each in PROJECTS if each.name in (wanted or USUAL)]
    if not projects:
        raise SystemExit(
            f"compat: no such project; there are {', '.join(p.name for p in PROJECTS)}"
        )
    runs = [Watched(project, sdists, build, build / "compat" / NAME) for project in projects]
    for each in runs:
        sdists.source(each.project)
    with ThreadPoolExecutor(jobs) as pool:
        for _ in pool.map(Watched.run_all, runs):
            pass
    for each in runs:
        each.judge()
    print("\n".join([line(HEAD), line(["---"] * len(HEAD)), *(line(each.row()) for each in runs)]))
    for each in runs:
        each.print_details()
    bad = [each.project.name for each in runs if each.is_bad()]
    print(f"compat: not as it should be: {', '.join(bad) or 'none'}; logs are in {runs[0].work}")
    return 1 if bad else 0
