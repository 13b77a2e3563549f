# SPDX-License-Identifier: Apache-2.0
"""Redis's tests from its source package, with Debian's redis-server; a unit is a file of tests."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from sources import Sources
from suite import FAIL, PASS, SKIP, Results, Suite, run_logged, with_end, worst

TIMEOUT_S = 900
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
LINE = re.compile(
    r"^\[(ok|err|skip|ignore|exception|timeout)\]: (.*?)(?: \(\d+ ms\)| in tests/.*)?$"
)
RESULT = {"ok": PASS, "skip": SKIP, "ignore": SKIP}

# Units run beside each other, each at ports of its own: some below its base are the test's.
BASE_PORT = 20151
SERVERS = 64
PORTS = SERVERS + 32
PROGRAMS = ("server", "cli", "benchmark", "check-aof", "check-rdb")
SHORT = ("auth", "protocol", "networking", "multi", "quit", "shutdown", "oom-score-adj")
SUBSET = (
    *("info", "scan", "type/string", "type/incr", "type/list", "expire", "other", "acl", "pubsub"),
    *("dump", "latency-monitor", "aofrw", "maxmemory", "introspection", "tracking", "limits"),
    *("client-eviction", "querybuf", "wait", "pause", "slowlog", "keyspace", "info-command"),
)
# Of the units, those with these in their names, in this order: they begin first.
LONGEST = ("replication", "corrupt", "integration")
# Needs modules that are built with the server, or certificates; or is no test.
NOT_HERE = ("unit/moduleapi/", "unit/cluster/", "unit/tls", "unit/printver")
# Draws the numbers in its tests' names at random, and as many of them as it has time for.
DRAWS_NUMBERS = "integration/psync2"
NUMBER = re.compile(r"\d+")


def read_log(text: str) -> Results:
    results: Results = {}
    for line in COLOUR.sub("", text).splitlines():
        found = LINE.match(line)
        if found:
            worst(results, found[2], RESULT.get(found[1], FAIL))
    return results


def without_numbers(results: Results) -> Results:
    """Tests whose names differ in their numbers only, as one test."""
    merged: Results = {}
    for test, result in results.items():
        worst(merged, NUMBER.sub("N", test), result)
    return merged


class Redis(Suite):
    name = "redis"
    whole = True  # they build on each other

    def __init__(self, every_unit: bool) -> None:
        self.every_unit = every_unit

    def prepare(self, work: Path) -> None:
        self.source = Sources(work).unpack("redis")
        for program in PROGRAMS:
            link = self.source / "src" / f"redis-{program}"
            if not link.exists():
                link.symlink_to(f"/usr/bin/redis-{program}")

        helper = (self.source / "tests" / "test_helper.tcl").read_text()
        self.listed = re.findall(r"^    ((?:unit|integration)/\S+)$", helper, re.MULTILINE)

    def units(self, short: bool) -> list[str]:
        if not self.every_unit:
            return [f"unit/{unit}" for unit in (SHORT if short else (*SHORT, *SUBSET))]
        units = [unit for unit in self.listed if not unit.startswith(NOT_HERE)]
        return sorted(units, key=lambda unit: [part not in unit for part in LONGEST])

    def run(self, unit: str, where: Path, environment: dict[str, str], only: str | None) -> Results:
        log = where / "log"
        number = self.listed.index(unit)
        port = BASE_PORT + number * PORTS
        command = ["./runtest", "--single", unit, "--clients", "1", "--baseport", str(port)]
        command += ["--portcount", str(SERVERS)]
        status = run_logged(command, log, environment, self._tree(number), TIMEOUT_S)
        results = read_log(log.read_text(errors="replace"))
        if unit == DRAWS_NUMBERS:
            results = without_numbers(results)
        return with_end(results, status)

    def _tree(self, number: int) -> Path:
        """The source, with a tests/tmp of its own. Its name is short: sockets are made in it."""
        tree = self.source.parent / "r" / str(number)
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "tests" / "tmp").mkdir(parents=True)
        for place in (Path(), Path("tests")):
            for entry in (self.source / place).iterdir():
                if not (tree / place / entry.name).exists():
                    (tree / place / entry.name).symlink_to(entry)
        return tree
