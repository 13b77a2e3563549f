# SPDX-License-Identifier: Apache-2.0
"""The HTML report of made events, opened in a browser: what its tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import made_report
import pytest
from browser import CHROMIUM, Browser, Page
from harness import run_command
from made_report import Report

ROWS = "#places-table tbody tr"
Open = Callable[..., AbstractContextManager[Page]]


def export(report: Report, directory: Path) -> Path:
    page = directory / "hits.html"
    done = run_command("export", "-f", "html", "-o", page, report.write(directory / "hits.jsonl"))
    assert done.returncode == 0 and "left out" not in done.stderr
    return page


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for all tests; each has a page of its own."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.end()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Open:
    """Opens the page of a report; of the shop's where none is given."""

    @contextmanager
    def opened(report: Report | None = None) -> Iterator[Page]:
        with browser.page(export(report or made_report.shop(), tmp_path)) as page:
            yield page

    return opened
