"""Fixtures of the tests of real runtimes; the helpers of the end to end tests are theirs too."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
# What their assertions compare is said as in a test's own.
pytest.register_assert_rewrite("harness", "watched", "line_server")


@pytest.fixture
def hits(tmp_path: Path) -> Path:
    """Where the events of a test go."""
    return tmp_path / "hits.jsonl"
