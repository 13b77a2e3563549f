#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the table of conditions in docs/rules.md; with --check says whether it is as it should be.

It is src/conditions.def.
"""

import sys

from tables import ROOT, Condition, conditions, write_or_check

PAGE = ROOT / "docs" / "rules.md"
BEGIN = "<!-- conditions -->\n"
END = "<!-- end of conditions -->\n"


def line(one: Condition) -> str:
    return f"| `{one.name}:{one.takes}` | {one.doc} | `{one.name}:{one.example}` |"


def page() -> str:
    table = ["| condition | holds where | for example |", "| --- | --- | --- |"]
    table += map(line, conditions())
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n".join(table) + "\n" + END + after


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, page(), __doc__))
