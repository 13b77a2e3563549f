# SPDX-License-Identifier: Apache-2.0
"""docs/ci.md: the steps of its workflow and of its pipeline are run, and leave what it says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import COMMAND, PYTHON, ROOT, clean_environment, read_events

PAGE = (ROOT / "docs" / "ci.md").read_text()
BLOCKS = {
    name: yaml.safe_load(text)
    for name, text in re.findall(r"<!-- (workflow|pipeline) -->\n```yaml\n(.*?)```", PAGE, re.S)
}
APP = """
import time

def price():
    time.sleep(0.15)

def load():
    {load}
"""
TESTS = """
import asyncio
import app

def test_price():
    async def main():
        app.price()
    asyncio.run(main())

def test_load():
    async def main():
        app.load()
    asyncio.run(main())
"""


def git(project: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=x", "-c", "user.email=x@y", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *arguments], cwd=project, check=True, capture_output=True)


def write_project(project: Path, load: str) -> None:
    project.mkdir(exist_ok=True)
    (project / "app.py").write_text(APP.format(load=load))
    (project / "test_app.py").write_text(TESTS)


class Runner:
    """Runs steps as a runner of GitHub or GitLab does."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.summary = folder / "summary.md"
        tools = folder / "tools"
        tools.mkdir()
        (tools / "loophound").symlink_to(COMMAND)
        (tools / "python3").write_text(f'#!/bin/sh\nexec "{PYTHON}" "$@"\n')
        (tools / "python3").chmod(0o755)
        self.environment = clean_environment()
        self.environment["PATH"] = f"{tools}:{os.environ['PATH']}"
        self.environment["PYTHONDONTWRITEBYTECODE"] = "1"

    def on_github(self) -> None:
        self.environment.update(
            GITHUB_ACTIONS="true",
            GITHUB_STEP_SUMMARY=str(self.summary),
            GITHUB_WORKSPACE=str(self.project),
        )

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=self.project,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A project whose main branch blocks in price(), which its baseline knows; what is checked out
    blocks in load(), too."""
    runner = Runner(tmp_path)
    write_project(runner.project, "pass")
    git(runner.project, "init")
    known = f"{COMMAND} run --no-stall --baseline .loophound.txt --update-baseline -o /dev/null"
    done = runner.run(f"{known} -- python3 -m pytest -q")
    assert done.returncode == 0, done.stdout + done.stderr
    git(runner.project, "add", ".")
    git(runner.project, "commit", "-m", "main")
    git(runner.project, "update-ref", "refs/remotes/origin/main", "HEAD")
    write_project(runner.project, "time.sleep(0.12)")
    return runner


def steps_of_workflow() -> list[str]:
    (job,) = BLOCKS["workflow"]["jobs"].values()
    steps = [step["run"] for step in job["steps"] if "run" in step]
    assert steps[0].startswith("pip install loophound")
    return steps[1:]


def left(runner: Runner) -> set[str]:
    return {path.name for path in runner.project.glob("loophound.*")}


def test_workflow_leaves_annotations_a_summary_and_all_the_files(runner: Runner) -> None:
    runner.on_github()
    tests, diff = steps_of_workflow()
    done = runner.run(tests)
    assert done.returncode == 99, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    annotations = [line for line in done.stderr.splitlines() if line.startswith("::")]
    (annotation,) = annotations
    assert re.match(r"::\w+ .*\bfile=app\.py,.*line=8\b", annotation), annotation
    assert left(runner) == {"loophound.xml", "loophound.sarif", "loophound.html"}
    assert all((runner.project / name).stat().st_size > 0 for name in left(runner))
    assert "app.py:8 load" in runner.summary.read_text()
    before = runner.summary.read_text()
    done = runner.run(diff)
    assert done.returncode == 99, done.stdout + done.stderr
    assert re.search(r"^new +\+\d+ ms/min +\w+ +app\.py:8 load$", done.stdout, re.M), done.stdout
    assert "price" not in done.stdout
    assert "::" not in done.stderr, "main's places are no annotations of the branch"
    added = runner.summary.read_text().removeprefix(before)
    assert "| **new** |" in added


def test_workflow_passes_where_nothing_is_new(runner: Runner) -> None:
    write_project(runner.project, "pass")
    runner.on_github()
    for step in steps_of_workflow():
        done = runner.run(step)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "::" not in done.stderr
    assert len(left(runner)) == 3


def test_pipeline_of_gitlab_leaves_what_its_artifacts_name(runner: Runner) -> None:
    (job,) = BLOCKS["pipeline"].values()
    install, tests = job["script"]
    assert install.startswith("pip install loophound")
    done = runner.run(tests)
    assert done.returncode == 99, done.stdout + done.stderr
    assert "::" not in done.stderr
    artifacts: dict[str, Any] = job["artifacts"]
    names = [*artifacts["paths"], *artifacts["reports"].values()]
    assert all((runner.project / name).stat().st_size > 0 for name in names)
    assert read_events(runner.project / "branch.jsonl")
