#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the table of docs/strict.md from src/noise.def; with --check says whether it is right.

The rest of that page is written by hand: what stands between the two marks is the table.
"""

import sys

from tables import ROOT, Row, rows_of, write_or_check

PAGE = ROOT / "docs" / "strict.md"
BEGIN, END = "<!-- noise: begin -->\n", "<!-- noise: end -->\n"

WHEN = {
    "ALWAYS": "always",
    "STRICT": "`auto`, `tests`",
    "TESTS": "`tests`",
    "ASKED": "only by name",
}


def line(row: Row) -> str:
    name, when, key, doc = row
    return f"| `{name}` | {WHEN[when]} | {doc} | {key} |"


def page() -> str:
    rows = rows_of("noise.def", "NOISE", "(i, name, when, key, doc) (name, #when, key, doc)")
    before, rest = PAGE.read_text().split(BEGIN)
    after = rest.split(END)[1]
    table = ["| class | on in | what it is | known by |", "| --- | --- | --- | --- |"]
    return before + BEGIN + "\n".join([*table, *map(line, rows)]) + "\n" + END + after


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, page(), __doc__))
