# SPDX-License-Identifier: Apache-2.0
"""libuv's run_tests, built from Debian's source package; one unit, each test by its TAP line."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from sources import Sources
from suite import FAIL, PASS, SKIP, Results, Suite, run_logged, with_end, worst

TIMEOUT_S = 600
SINGLE_TIMEOUT_S = 60
EXIT_SKIP = 7  # test/task.h: TEST_SKIP
# Beginnings of the names of tests that wait little.
SHORT = ("fork", "pipe", "poll", "process", "signal", "spawn", "thread", "timer")
LINE = re.compile(r"^(ok|not ok) \d+ - (\S+)(.*# SKIP)?", re.MULTILINE)


def read_tap(text: str) -> Results:
    results: Results = {}
    for ok, test, skipped in LINE.findall(text):
        worst(results, test, SKIP if skipped else PASS if ok == "ok" else FAIL)
    return results


class Libuv(Suite):
    name = "libuv"
    at_once = False  # its ports are fixed

    def __init__(self, short: bool) -> None:
        self.short = short

    def prepare(self, work: Path) -> None:
        self.source = Sources(work).unpack("libuv1")
        build = work / "libuv1-build"
        self.program = build / "uv_run_tests_a"  # libuv inside, libc shared
        if self.program.exists():
            return
        configure = ["cmake", "-S", str(self.source), "-B", str(build), "-DLIBUV_BUILD_TESTS=ON"]
        compile_it = ["make", "-C", str(build), f"-j{os.cpu_count()}", self.program.name]
        for command in (configure, compile_it):
            subprocess.run(command, check=True, capture_output=True)

    def units(self, short: bool) -> list[str]:
        return ["run_tests"]

    def run(self, unit: str, where: Path, environment: dict[str, str], only: str | None) -> Results:
        environment = {**environment, "UV_RUN_AS_ROOT": "1"}  # or it runs nothing as root
        if only is not None:
            return self._run_single(only, where, environment)
        if self.short:
            results: Results = {}
            for test in self._names(environment):
                results |= self._run_single(test, where, environment)
            return with_end(results, 0)
        log = where / "log"
        status = run_logged([str(self.program)], log, environment, self.source, TIMEOUT_S)
        return with_end(read_tap(log.read_text(errors="replace")), status)

    def _names(self, environment: dict[str, str]) -> list[str]:
        """Those of the short form; after a name there may be those of its helpers."""
        command = [str(self.program), "--list"]
        listed = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout
        return [
            name for name in re.findall(r"^\w+", listed, re.MULTILINE) if name.startswith(SHORT)
        ]

    def _run_single(self, test: str, where: Path, environment: dict[str, str]) -> Results:
        """A single test prints no TAP: its status tells."""
        command = [str(self.program), test]
        log = where / f"{test}.log"
        status = run_logged(command, log, environment, self.source, SINGLE_TIMEOUT_S)
        return {test: {0: PASS, EXIT_SKIP: SKIP}.get(status, FAIL)}
