# SPDX-License-Identifier: Apache-2.0
"""Runs the units of all suites in all modes, several beside each other where they bear it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from suite import Mode, Results, Suite


@dataclass(frozen=True)
class Job:
    suite: Suite
    unit: str
    mode: Mode


@dataclass
class Runner:
    """Where runs keep their logs, and what came out of them."""

    library: Path
    work: Path
    results: dict[Job, Results] = field(default_factory=dict)

    def directory(self, job: Job) -> Path:
        return self.work / "runs" / job.suite.name / job.mode.name / job.unit.replace("/", "-")

    def run(self, job: Job, only: str | None = None) -> Results:
        where = self.directory(job)
        if only is not None:
            where = where.with_name(f"{where.name}.again")
        shutil.rmtree(where, ignore_errors=True)
        where.mkdir(parents=True)
        where.chmod(0o777)  # tests that give up their rights write there
        environment = job.mode.environment(self.library, where / "hits.jsonl")
        return job.suite.run(job.unit, where, environment, only)

    def run_all(self, jobs: Sequence[Job], at_once: int) -> None:
        """Every job once. No unit runs beside itself, for tests have fixed ports and names; nor do
        any two of a suite that wants to be alone; those begin first."""
        lanes: dict[tuple[str, str], list[Job]] = {}
        for job in jobs:
            lane = (job.suite.name, job.unit if job.suite.at_once else "")
            lanes.setdefault(lane, []).append(job)
        longest_first = sorted(lanes.values(), key=lambda lane: lane[0].suite.at_once)
        with ThreadPoolExecutor(at_once) as pool:
            for _ in pool.map(self._run_lane, longest_first):
                pass

    def _run_lane(self, lane: Sequence[Job]) -> None:
        for job in lane:
            began = time.monotonic()
            results = self.run(job)
            self.results[job] = results
            took_s = time.monotonic() - began
            what = f"{job.suite.name} {job.unit} {job.mode.name}"
            print(f"compat: {what}: {len(results)} tests, {took_s:.1f} s", flush=True)

    def loops_seen(self, job: Job) -> int:
        """How many loop threads the library found: that it was at work at all."""
        hits = self.directory(job) / "hits.jsonl"
        if not hits.exists():
            return 0
        return hits.read_bytes().count(b'"type":"loop"')
