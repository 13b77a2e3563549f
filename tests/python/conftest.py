# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the Python package's tests: every test runs on each Python that has an environment.

LOOPHOUND_TEST_ALL_PYTHONS=1 takes all that are there (make test-python-all).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
pytest.register_assert_rewrite("harness", "project")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "project" not in metafunc.fixturenames:
        return
    from project import environments

    found = environments(bool(os.environ.get("LOOPHOUND_TEST_ALL_PYTHONS")))
    if not found:
        pytest.fail("there are no environments: tests/python/venvs.py makes them", pytrace=False)
    metafunc.parametrize("project", found, ids=[python.version for python in found], indirect=True)


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    """An empty project, and the Python that its tests are run with."""
    from project import Project

    return Project(tmp_path / "project", request.param)
