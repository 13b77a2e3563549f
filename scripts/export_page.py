#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the table of formats in docs/export.md; with --check says whether it is as it should be.

It is src/cli/export/formats.def.
"""

import sys

from tables import ROOT, formats, write_or_check

PAGE = ROOT / "docs" / "export.md"
BEGIN = "<!-- formats -->\n"
END = "<!-- end of formats -->\n"


def page() -> str:
    table = ["| format | file | what it is, and what opens it |", "| --- | --- | --- |"]
    table += (f"| `{one.name}` | `hits{one.extension}` | {one.doc} |" for one in formats())
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n".join(table) + "\n" + END + after


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, page(), __doc__))
