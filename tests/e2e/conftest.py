# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end to end tests."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import harness
import pytest
from exported_page import browser, open_page

__all__ = ["browser", "open_page"]


@pytest.fixture
def hits(tmp_path: Path) -> Path:
    """Where the events of a test go."""
    return tmp_path / "hits.jsonl"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "alone: what else the machine does would show")


def pytest_sessionstart(session: pytest.Session) -> None:
    for path in (harness.LIBRARY, harness.COMMAND):
        if not path.exists():
            pytest.exit(f"{path} is not built: run `make test`", returncode=3)
    # Programs under test get signals as from a terminal, also where a shell that started us with
    # `&` had interrupts ignored.
    if threading.current_thread() is threading.main_thread():  # pytest-xdist has workers without
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
