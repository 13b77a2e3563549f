# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of the wheel that `make wheel` has made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
pytest.register_assert_rewrite("harness", "package")

from package import FOLDER, HERE, Install, wheel_named  # noqa: E402


def pytest_sessionstart(session: pytest.Session) -> None:
    if not (FOLDER / "dist").exists():
        pytest.exit(f"{FOLDER / 'dist'} is not there: run `make test-wheel`", returncode=3)


@pytest.fixture(scope="session")
def environment_of(tmp_path_factory: pytest.TempPathFactory) -> Install:
    """Installs something with pip into a new environment, without the network."""

    def install(
        what: Path, *, prefix: str = "venv", variables: dict[str, str] | None = None
    ) -> Path:
        venv = tmp_path_factory.mktemp(prefix)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip: list[str | Path] = [
            venv / "bin/pip",
            "-q",
            "--disable-pip-version-check",
            "install",
            "--no-index",
        ]
        subprocess.run([*pip, what], check=True, env=dict(os.environ, **(variables or {})))
        return venv

    return install


@pytest.fixture(scope="session")
def installed(environment_of: Install) -> Path:
    """An environment with the wheel that has library and command."""
    return environment_of(wheel_named(HERE))
