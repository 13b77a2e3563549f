#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/calls.md from src/calls.def; with --check says what of it is not as it should be.

The page is the table for people, and two comparisons: every function that LLVM's RealtimeSanitizer
intercepts and every one that blockbuster stops (scripts/calls/*.txt) has a line there. One that the
table neither has nor leaves out with a reason is a failure.
"""

import argparse
import sys
from collections.abc import Iterable

from call_table import ROOT, Row, Table, read_table_or_exit

PAGE = ROOT / "docs" / "calls.md"
LISTS = ROOT / "scripts" / "calls"

# Rows that are made by hand in the table: what their interposition is for.
BY_HAND = {
    "syscall": "interposed: numbers that can wait are reported as the calls they are",
    "fork": "interposed, not reported: a child starts afresh",
    "execve": "interposed, not reported: it does not return",
    "pthread_create": "interposed, not reported: it never waits, but threads have names",
    "dup2": "interposed, not reported: it never waits, but may close the set of a loop",
}


def read_list(name: str) -> list[str]:
    lines = (LISTS / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def newest_row(table: Table, symbol: str) -> Row | None:
    """The row of a function, or of the version of it that programs linked today get."""
    return next((row for row in table.rows if row.name == symbol), None)


def meaning(table: Table, name: str) -> str | None:
    """What the table says of a libc function; None: nothing."""
    row = newest_row(table, name)
    if row is not None:
        return f"interposed as `{row.canonical}`"
    if name in table.aliases:
        return meaning(table, table.aliases[name])
    if name in BY_HAND:
        return BY_HAND[name]
    if name in table.unreported:
        return "interposed, not reported"
    if name in table.left_out:
        return f"left out: {table.left_out[name]}"
    return None


def meaning_of_python(table: Table, calls: Iterable[str]) -> str | None:
    """The same for a function of Python, which ends in these libc functions."""
    by_word: dict[str, list[str]] = {}
    for call in calls:
        found = meaning(table, call)
        if found is None:
            return None
        row = newest_row(table, call)
        word = "interposed as" if row else found
        by_word.setdefault(word, []).append(f"`{row.canonical if row else call}`")
    parts = []
    for word, names in by_word.items():
        listed = ", ".join(names)
        parts.append(f"{word} {listed}" if word == "interposed as" else f"{listed} {word}")
    return "; ".join(parts) or "left out: no libc call; it compares what two others have returned"


def main_table(table: Table) -> list[str]:
    lines = [
        "| call | reported as | group | in strict mode it counts when |",
        "| --- | --- | --- | --- |",
    ]
    names: dict[str, list[str]] = {}
    for alias, symbol in table.aliases.items():
        names.setdefault(symbol, []).append(alias)
    for row in table.rows:
        names_of_row = [row.name, *sorted(names.get(row.name, []))]
        symbols = " ".join(f"`{name}`" for name in names_of_row)
        rule = table.rules[row.rule]
        lines.append(f"| {symbols} | `{row.canonical}` | {row.group.lower()} | {rule} |")
    return lines


def page(table: Table) -> tuple[str, list[str]]:
    """The page, and the names of the two lists that have no line in it."""
    missing = []
    numbers = sorted(row.name for row in table.numbers)
    lines = [
        "# Every call",
        "",
        "Made by `make docs` from the rows in `src/calls/`; edit those. A call that took the",
        "threshold is reported whatever it is; the last column is about strict mode, in which a",
        "call counts that could have waited.",
        "",
        f"{len(table.rows)} rows; names in one line are one function of libc.",
        "",
        *main_table(table),
        "",
        "## Numbers of syscall(2)",
        "",
        "A program that calls `syscall()` with one of these is reported as if it had called",
        "the function.",
        "",
        ", ".join(f"`SYS_{number}`" for number in numbers) + ".",
        "",
        "## Left out, on purpose",
        "",
        "| call | why |",
        "| --- | --- |",
        *(f"| `{name}` | {reason} |" for name, reason in table.left_out.items()),
        "",
        "## What LLVM's RealtimeSanitizer intercepts",
        "",
        "| its function | here |",
        "| --- | --- |",
    ]
    for name in read_list("rtsan.txt"):
        found = meaning(table, name)
        missing += [name] if found is None else []
        lines.append(f"| `{name}` | {found} |")
    lines += ["", "## What blockbuster stops", "", "| its function | here |", "| --- | --- |"]
    for line in read_list("blockbuster.txt"):
        name, _, calls = line.partition(":")
        found = meaning_of_python(table, calls.split())
        missing += [name] if found is None else []
        lines.append(f"| `{name}` | {found} |")
    return "\n".join(lines) + "\n", missing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--cc", default="cc")
    arguments = parser.parse_args()

    text, missing = page(read_table_or_exit(arguments.cc))
    for name in missing:
        print(f"{name} has no row in src/calls/*.def and no reason in src/calls/left-out.txt")
    if arguments.check:
        if not PAGE.exists() or PAGE.read_text() != text:
            print("docs/calls.md is not what src/calls/ says: make docs")
            return 1
    else:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
