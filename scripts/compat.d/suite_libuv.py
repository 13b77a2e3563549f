"""libuv's run_tests, built from Debian's source package; one unit, each test by its TAP line."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from sources import Sources
from suite import FAIL, PASS, SKIP, Results, Suite, run_logged, with_end, worst

TIMEOUT_S = 600
LINE = re.compile(r"^(ok|not ok) \d+ - (\S+)(.*# SKIP)?", re.MULTILINE)


class Libuv(Suite):
    name = "libuv"
    at_once = False  # its ports are fixed

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
        log = where / "log"
        command = [str(self.program), *([] if only is None else [only])]
        environment = {**environment, "UV_RUN_AS_ROOT": "1"}
        status = run_logged(command, log, environment, self.source, TIMEOUT_S)
        results: Results = {}
        for ok, test, skipped in LINE.findall(log.read_text(errors="replace")):
            worst(results, test, SKIP if skipped else PASS if ok == "ok" else FAIL)
        if only is not None and not results:  # a single test prints no TAP: its status tells
            return {only: PASS if status == 0 else FAIL}
        return with_end(results, status)
