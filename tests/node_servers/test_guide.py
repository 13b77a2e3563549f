# SPDX-License-Identifier: Apache-2.0
"""The guide to Node.js in production: its examples give what they show."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from harness import BUILD, ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import doc_examples

PAGES = [
    page
    for page in sorted((ROOT / "docs").glob("*.md"))
    if doc_examples.needs_more(page.read_text()) == "node-servers"
]


def name_of(page: Path) -> str:
    return page.name


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_examples_of_the_guide_give_what_it_shows(page: Path) -> None:
    doc_examples.with_patience(lambda: doc_examples.run_page(page, BUILD))
