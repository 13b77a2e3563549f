# SPDX-License-Identifier: Apache-2.0
"""A user's project in a directory of its own, and pytest in it, as that user runs it.

The package is found as an installed one is, by its entry point.
"""

from __future__ import annotations

import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness import BUILD, LIBRARY, ROOT, clean_environment
from venvs import environment_of, versions

PACKAGE = ROOT / "src" / "python"
LIMIT_S = 300
_OURS = ("PYTEST_", "COV_", "PYTHON", "LOOPHOUND_")


@dataclass(frozen=True)
class Python:
    program: Path
    version: str


def environments(all_of_them: bool) -> list[Python]:
    """Of which version there is one."""
    found = [
        Python(environment_of(BUILD, version) / "bin" / "python", version)
        for version in versions(all_of_them)
    ]
    return [python for python in found if (python.program.parent.parent / "done").exists()]


@cache
def installed() -> Path:
    """A directory that makes the package an installed one: its entry point, beside the source."""
    directory = Path(tempfile.mkdtemp(prefix="loophound-site-"))
    metadata = directory / "loophound-0.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: loophound\nVersion: 0.0\n")
    (metadata / "entry_points.txt").write_text("[pytest11]\nloophound = loophound.pytest_plugin\n")
    return directory


@dataclass
class Result:
    status: int
    output: str
    outcomes: dict[str, str]
    """of each test by its name: passed, failure, error or skipped"""
    messages: dict[str, str]
    """of those that failed: JUnit's message"""

    def shown(self, test: str) -> list[str]:
        """The lines that pytest has shown for a failed test."""
        lines = self.output.splitlines()
        title = next(
            i for i, line in enumerate(lines) if line.startswith("___") and f" {test} " in line
        )
        rest = lines[title + 1 :]
        ends = ("___", "===", "---", "- generated")
        end = next(i for i, line in enumerate(rest) if line.startswith(ends))
        return rest[:end]


class Project:
    def __init__(self, directory: Path, python: Python) -> None:
        directory.mkdir()
        self.directory = directory
        self.python = python
        self._runs = 0

    def write(self, **files: str) -> None:
        """By their names without .py."""
        for name, text in files.items():
            (self.directory / f"{name}.py").write_text(text)

    def ini(self, *lines: str) -> None:
        (self.directory / "pytest.ini").write_text("\n".join(["[pytest]", *lines]) + "\n")

    def environment(self, **variables: str) -> dict[str, str]:
        kept = {k: v for k, v in clean_environment().items() if not k.startswith(_OURS)}
        kept["PYTHONPATH"] = f"{PACKAGE}:{installed()}"
        kept["PYTHONDONTWRITEBYTECODE"] = "1"
        kept["LOOPHOUND_LIBRARY"] = str(LIBRARY)
        return {**kept, **variables}

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """With this project's Python: `-c`, a file, `-m`."""
        return subprocess.run(
            [self.python.program, *command],
            cwd=self.directory,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    def preloaded(self, code: str, **variables: str) -> str:
        """What a program prints that has the library, and writes its reports to a file."""
        options = {"LD_PRELOAD": str(LIBRARY), "LOOPHOUND_STRICT": "on", "LOOPHOUND_RATE": "off"}
        options["LOOPHOUND_OUTPUT"] = str(self.directory / "hits-%p.jsonl")
        (self.directory / "program.py").write_text(code)
        done = self.run("program.py", **{**options, **variables})
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pytest(
        self,
        *arguments: str,
        starts: tuple[str, ...] = ("-m", "pytest"),
        variables: dict[str, str] | None = None,
    ) -> Result:
        """Without plugins that would make each run another one: randomly."""
        self._runs += 1
        report = self.directory / f"report-{self._runs}.xml"
        quiet = ["-p", "no:cacheprovider", "-W", "ignore", f"--junitxml={report}"]
        if "randomly" not in arguments:
            quiet += ["-p", "no:randomly"]
        chosen = [argument for argument in arguments if argument != "randomly"]
        done = self.run(*starts, *quiet, *chosen, **(variables or {}))
        outcomes, messages = _read(report)
        return Result(done.returncode, done.stdout + done.stderr, outcomes, messages)


def _read(report: Path) -> tuple[dict[str, str], dict[str, str]]:
    outcomes: dict[str, str] = {}
    messages: dict[str, str] = {}
    if not report.exists():
        return outcomes, messages
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = case.get("name", "")
        found = next((c for c in case if c.tag in ("failure", "error", "skipped")), None)
        outcomes[name] = "passed" if found is None else found.tag
        if found is not None:
            messages[name] = found.get("message", "")
    return outcomes, messages
