# SPDX-License-Identifier: Apache-2.0
"""The wheel for 64-bit Arm, installed and tried in the emulated machine (scripts/armbox)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from harness import ROOT, clean_environment
from package import HERE, wheel_for, wheel_named

SECONDS = 1200
NO_MACHINE = 125
ARM_WHEEL = wheel_for("aarch64").relative_to(ROOT)
# What needs no network and compiles nothing.
WANTED = "(command or library or target or status or zip or space) and not missing"
# In the machine's own file system, as a user has it.
PLACE = """
    mkdir -p /loophound/build/wheel
    cp -r tests scripts src docs pyproject.toml /loophound
    cp -r build/wheel/dist /loophound/build/wheel
    cd /loophound
"""
PYTEST = "python3 -m pytest -q -p no:cacheprovider"
TESTS = f"{PLACE} {PYTEST} tests/wheel/test_installed.py -k '{WANTED}'"
EXAMPLE = """
    python3 -m venv --system-site-packages "$place/venv"
    "$place/venv/bin/pip" -q --disable-pip-version-check install --no-index "$wheel"
    mkdir "$place/project" && cp tests/wheel/endpoint.py "$place/project/test_endpoint.py"
    cd "$place/project" && exec "$place/venv/bin/python" -m pytest -q -p no:cacheprovider
"""


def in_machine(script: str) -> str:
    """The output of a shell script that runs there, in a copy of this checkout."""
    box: list[str | Path] = [sys.executable, ROOT / "scripts/armbox", "--seconds", str(SECONDS)]
    done = subprocess.run(
        [*box, ROOT, "bash", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == NO_MACHINE:
        pytest.skip(done.stdout.strip().splitlines()[-1])
    return done.stdout


def report_in(output: str) -> list[str]:
    """What the plugin says of the test that blocks, without its times and numbers."""
    found = re.search(r"^the event loop was blocked.*?(?=^[=-]{5})", output, re.M | re.S)
    assert found and re.search(r"^1 failed, 1 passed", output, re.M), output
    return re.sub(r"\d+(\.\d)? ms|Task-\d+", "N", found[0]).splitlines()


def test_installed_wheel_works_there() -> None:
    said = in_machine(f"export LOOPHOUND_TEST_BUILD=/loophound/build\n{TESTS}")
    assert re.search(r"^\d+ passed", said, re.MULTILINE), said


def test_pytest_says_there_what_it_says_here(tmp_path: Path) -> None:
    there = in_machine(f"{PLACE} place=/tmp wheel={ARM_WHEEL}\n{EXAMPLE}")
    script = f"place='{tmp_path}' wheel='{wheel_named(HERE)}'\n{EXAMPLE}"
    done = subprocess.run(
        ["sh", "-c", script.replace("python3", sys.executable)],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    here = report_in(done.stdout + done.stderr)
    assert ">   time.sleep(0.01)" in here
    assert report_in(there) == here
