"""CPython's own tests, from Debian's package; a unit is a module, run by regrtest."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from suite import FAIL, PASS, SKIP, Results, Suite, run_logged, with_end, worst

PYTHON = "/usr/bin/python3.11"
TIMEOUT_S = 900

SHORT = ("asyncio", "select", "selectors", "fork1", "faulthandler")
MODULES = (
    *("multiprocessing_fork", "concurrent_futures", "asyncio", "subprocess", "signal", "socket"),
    *("io", "threading", "ssl", "os", "queue", "thread", "select", "selectors", "faulthandler"),
    *("fork1", "sqlite3"),
)


def result_of(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return FAIL
    return SKIP if case.find("skipped") is not None else PASS


class CPython(Suite):
    name = "cpython"

    def units(self, short: bool) -> list[str]:
        return [f"test_{module}" for module in (SHORT if short else MODULES)]

    def run(self, unit: str, where: Path, environment: dict[str, str], only: str | None) -> Results:
        report = where / "junit.xml"
        report.unlink(missing_ok=True)
        # -u none: no network, no large files, as by default. Not at random, so that runs compare.
        command = [PYTHON, "-m", "test", "--junit-xml", str(report), unit]
        if only is not None:
            command += ["--match", only]
        status = run_logged(command, where / "log", environment, where, TIMEOUT_S)
        for left in where.glob("test_python_*"):
            shutil.rmtree(left, ignore_errors=True)
        results: Results = {}
        if report.exists():
            for case in ElementTree.parse(report).getroot().iter("testcase"):
                worst(results, case.get("name", "?"), result_of(case))
        return with_end(results, status)
