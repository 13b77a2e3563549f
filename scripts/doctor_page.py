#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the table of checks in docs/doctor.md; with --check says whether it is as it should be.

It is src/cli/doctor/checks.def.
"""

import sys

from tables import ROOT, rows_of, write_or_check

PAGE = ROOT / "docs" / "doctor.md"
BEGIN = "<!-- checks -->\n"
END = "<!-- end of checks -->\n"
OF = {"COMMAND": "command", "PROCESS": "process", "NOTHING": "installation"}


def line(name: str, about: str, doc: str) -> str:
    of = ", ".join(OF[word] for word in about.split(" | "))
    return f"| `{name}` | {doc} | {of} |"


def page() -> str:
    table = ["| check | question | of a |", "| --- | --- | --- |"]
    rows = rows_of("cli/doctor/checks.def", "CHECK", "(name, about, doc) (#name, #about, doc)")
    table += [line(*row) for row in rows]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n".join(table) + "\n" + END + after


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, page(), __doc__))
