# SPDX-License-Identifier: Apache-2.0
"""Each test runs on each Node.js of versions.txt; the helpers of the end to end tests are theirs
too."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
sys.path.insert(0, str(HERE.parents[1] / "scripts"))
pytest.register_assert_rewrite("harness")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    from node_versions import versions

    if "node" in metafunc.fixturenames:
        metafunc.parametrize("node", versions(), indirect=True)


@pytest.fixture
def node(request: pytest.FixtureRequest) -> Path:
    """The program of one version; `make test-node` has got them all."""
    from harness import BUILD

    program = BUILD / "nodes" / str(request.param) / "node"
    assert program.exists(), f"{program} is missing: scripts/node_versions.py gets it"
    return program


@pytest.fixture
def hits(tmp_path: Path) -> Path:
    """Where the events of a test go."""
    return tmp_path / "hits.jsonl"
