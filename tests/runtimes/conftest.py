# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of real runtimes; the helpers of the end to end tests are theirs too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from watched import Fifo

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
# What their assertions compare is said as in a test's own.
pytest.register_assert_rewrite("harness", "watched", "line_server")


@pytest.fixture
def hits(tmp_path: Path) -> Path:
    """Where the events of a test go."""
    return tmp_path / "hits.jsonl"


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Fifo]:
    from watched import Fifo

    with Fifo(tmp_path / "fifo") as made:
        yield made
