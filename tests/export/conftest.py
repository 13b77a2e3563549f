# SPDX-License-Identifier: Apache-2.0
"""What the tests of formats share with the end to end tests, and the real run that they look at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from harness import BUILD, clean_environment  # noqa: E402

TOOLS = BUILD / "export-tools"


def pytest_sessionstart(session: pytest.Session) -> None:
    if not (TOOLS / "done").exists():
        pytest.exit(f"{TOOLS} is not there: run `make test-export`", returncode=3)


@pytest.fixture(scope="session")
def shop() -> Path:
    """The reports of the demo's server. Whether they are what is known is the demo's to say."""
    hits = BUILD / "demo" / "hits.jsonl"
    command: list[str | Path] = [sys.executable, ROOT / "scripts/demo/demo.py", "--build", BUILD]
    environment = clean_environment()
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert hits.exists() and '"summary"' in hits.read_text(), done.stdout + done.stderr
    return hits
