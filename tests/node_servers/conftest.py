# SPDX-License-Identifier: Apache-2.0
"""Each test runs with each server, on each Node.js that they run on."""

from __future__ import annotations

from pathlib import Path

import pytest
from frameworks import SERVERS, Server, nodes


def version_of(node: Path) -> str:
    return node.parent.name


def name_of(server: Server) -> str:
    return server.name


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" in metafunc.fixturenames:
        metafunc.parametrize("server", SERVERS, ids=name_of)
    if "node" in metafunc.fixturenames:
        metafunc.parametrize("node", nodes(), ids=version_of)


@pytest.fixture
def hits(tmp_path: Path) -> Path:
    """Where the events of a test go."""
    return tmp_path / "hits.jsonl"
