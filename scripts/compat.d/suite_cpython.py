# SPDX-License-Identifier: Apache-2.0
"""CPython's own tests, from Debian's package; a unit is a module, run by regrtest."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from sources import Sources
from suite import FAIL, PASS, SKIP, Results, Suite, run_logged, with_end, worst

DEBIANS = "/usr/bin/python3.11"
INSTALLED = Path("/usr/lib/python3.11/test")
WITH_MORE = "import sys; sys.path.insert(0, {more!r}); from test.libregrtest import main; main()"
TIMEOUT_S = 900
# Waits for ever, for itself, in a virtual machine whose vsock has no loopback.
NOT_HERE = "*ThreadedVSOCKSocketStreamTest*"

SHORT = (
    *("asyncio.test_base_events", "asyncio.test_selector_events", "asyncio.test_unix_events"),
    *(
        "asyncio.test_sock_lowlevel",
        "asyncio.test_streams",
        "asyncio.test_server",
        "asyncio.test_locks",
    ),
    *("fork1", "os", "select", "thread"),
)
MODULES = (
    *("multiprocessing_fork", "concurrent_futures", "asyncio", "subprocess", "signal", "socket"),
    *("io", "threading", "ssl", "os", "queue", "thread", "select", "selectors", "faulthandler"),
    *("fork1", "sqlite3"),
)


def result_of(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return FAIL
    return SKIP if case.find("skipped") is not None else PASS


def read_report(report: Path) -> Results:
    """Nothing where there is no report, or half of one (the disk was full)."""
    results: Results = {}
    try:
        root = ElementTree.parse(report).getroot()
    except (OSError, ElementTree.ParseError):
        return results
    for case in root.iter("testcase"):
        worst(results, case.get("name", "?"), result_of(case))
    return results


class CPython(Suite):
    name = "cpython"

    def __init__(self, python: str, short: bool) -> None:
        self.python = python
        self.short = short
        self.more = Path("/nonexistent")

    def prepare(self, work: Path) -> None:
        if self.python == DEBIANS and not self.short:
            self.more = work / "more"
            self.more.mkdir(exist_ok=True)
            link = self.more / "test"
            if not link.exists():
                link.symlink_to(Sources(work).unpack("python3.11") / "Lib" / "test")

    def units(self, short: bool) -> list[str]:
        return [f"test_{module}" for module in (SHORT if short else MODULES)]

    def run(self, unit: str, where: Path, environment: dict[str, str], only: str | None) -> Results:
        report = where / "junit.xml"
        report.unlink(missing_ok=True)
        command = [self.python, *self._regrtest(unit), "--junit-xml", str(report)]
        command += ["--ignore", NOT_HERE, unit]
        if only is not None:
            command += ["--match", only]
        status = run_logged(command, where / "log", environment, where, TIMEOUT_S)
        for left in where.glob("test_python_*"):
            shutil.rmtree(left, ignore_errors=True)
        return with_end(read_report(report), status)

    def _regrtest(self, unit: str) -> list[str]:
        """Debian's package lacks some modules: those are taken from its source."""
        if (self.more / "test" / unit).exists() and not (INSTALLED / unit).exists():
            return ["-c", WITH_MORE.format(more=str(self.more))]
        return ["-m", "test"]
