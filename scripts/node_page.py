#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables in docs/node.md; with --check says whether they are as they should be.

They are src/node_callbacks.def and src/runtime_work.def.
"""

import sys

from tables import ROOT, rows_of, write_or_check

PAGE = ROOT / "docs" / "node.md"


def put(text: str, name: str, lines: list[str]) -> str:
    """The text with these lines between the two marks of that name."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return before + begin + "\n".join(lines) + "\n" + end + after


def callbacks() -> list[str]:
    """One line a kind: what its first row says."""
    docs: dict[str, str] = {}
    python = "(kind, lang, where, functions, example, doc) (kind, doc)"
    for kind, doc in rows_of("node_callbacks.def", "NODE_CALLBACK", python):
        docs.setdefault(kind, doc)
    return [
        "| kind | what it is |",
        "| --- | --- |",
        *(f"| `{k}` | {d} |" for k, d in docs.items()),
    ]


def work() -> list[str]:
    rows = rows_of("runtime_work.def", "WORK", "(id, what, place, m, f) (place,)")
    return [f"- `in {place}`" for (place,) in rows if place.startswith("V8")]


def page() -> str:
    text = PAGE.read_text(encoding="utf-8")
    return put(put(text, "callbacks", callbacks()), "work of V8", work())


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, page(), __doc__))
