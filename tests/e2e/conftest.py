"""Fixtures of the end to end tests."""

from pathlib import Path

import harness
import pytest


@pytest.fixture
def hits(tmp_path: Path) -> Path:
    """Where the events of a test go."""
    return tmp_path / "hits.jsonl"


def pytest_sessionstart(session: pytest.Session) -> None:
    for path in (harness.LIBRARY, harness.COMMAND):
        if not path.exists():
            pytest.exit(f"{path} is not built: run `make test`", returncode=3)
