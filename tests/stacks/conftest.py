# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of native stacks; the helpers of the end to end tests are theirs too."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
pytest.register_assert_rewrite("harness", "builds", "names")


@pytest.fixture
def hits(tmp_path: Path) -> Path:
    """Where the events of a test go."""
    return tmp_path / "hits.jsonl"
