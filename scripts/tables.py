# SPDX-License-Identifier: Apache-2.0
"""The tables of options, flags, subcommands, conditions, formats and calls, for making pages.

All but the last are read from src by the preprocessor, calls from what `loophound calls` prints.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"


@dataclass(frozen=True)
class Flag:
    """What a subcommand takes; an option of the library where `variable` is not empty."""

    subcommand: str
    letter: str  # "": none
    name: str  # "": none, the environment only
    argument: str  # "": takes none
    default: str  # "": nothing that could be named
    doc: str
    variable: str = ""
    kind: str = ""  # of its value: the type in options.def

    @property
    def is_negative(self) -> bool:
        """It turns its option off: --no-stall."""
        return self.name.startswith("no-")

    @property
    def meaning(self) -> str:
        """As `loophound help` has it."""
        return f"turns it off; {self.doc}" if self.is_negative else self.doc

    @property
    def forms(self) -> list[str]:
        return [f"-{self.letter}"] * bool(self.letter) + [f"--{self.name}"] * bool(self.name)


@dataclass(frozen=True)
class Subcommand:
    name: str
    arguments: str
    doc: str
    notes: str


@dataclass(frozen=True)
class Call:
    symbol: str
    canonical: str
    group: str


@dataclass(frozen=True)
class Condition:
    """What a rule can ask."""

    name: str
    takes: str
    example: str
    doc: str


@dataclass(frozen=True)
class Format:
    """What `loophound export` writes."""

    name: str
    extension: str
    doc: str


Row = tuple[str, ...]


def rows_of(table: str, macro: str, as_python: str) -> list[Row]:
    """Each row of a table as a tuple: the preprocessor writes Python, NULL and 0 are empty."""
    source = f'#define {macro}{as_python},\n#include "{table}"\n'
    command = ["cc", "-E", "-P", "-x", "c", f"-I{SRC}", "-DNULL=0", "-"]
    text = subprocess.run(
        command, input=source, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    rows: list[Row] = ast.literal_eval(f"[{text}]")
    return [tuple(cell or "" for cell in row) for row in rows]


def options() -> list[Flag]:
    """src/options.def; a flag of `loophound run` where it has a name."""
    python = "(name, type, s, l, a, f, d) (#name, #type, s, l, a, f, d)"
    return [
        Flag("run", letter, long, argument, default, doc, f"LOOPHOUND_{name}", kind)
        for name, kind, letter, long, argument, default, doc in rows_of(
            "options.def", "OPTION", python
        )
    ]


def flags(subcommand: str) -> list[Flag]:
    """All that this subcommand takes on its command line."""
    of_run = [option for option in options() if option.name] if subcommand == "run" else []
    rows = rows_of("cli/flags.def", "FLAG", "(c, s, l, a, f, d) (#c, s, l, a, f, d)")
    return of_run + [Flag(*row) for row in rows if row[0] == subcommand]


def subcommands() -> list[Subcommand]:
    python = "(name, arguments, doc, notes) (#name, arguments, doc, notes)"
    return [Subcommand(*row) for row in rows_of("cli/subcommands.def", "SUBCOMMAND", python)]


def conditions() -> list[Condition]:
    rows = rows_of("conditions.def", "CONDITION", "(n, v, t, e, d) (#n, t, e, d)")
    return [Condition(*row) for row in rows]


def formats() -> list[Format]:
    rows = rows_of("cli/export/formats.def", "FORMAT", "(n, e, b, d) (#n, e, d)")
    return [Format(*row) for row in rows]


def calls(command: Path) -> list[Call]:
    """The table that this `loophound` was built with."""
    listing = subprocess.run(
        [command, "calls"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return [Call(*line.split()[:3]) for line in listing.splitlines()[1:]]


def names_by_group(table: Iterable[Call]) -> dict[str, list[str]]:
    """The names as they are reported, and as --calls takes them."""
    names: dict[str, set[str]] = {}
    for call in table:
        names.setdefault(call.group, set()).add(call.canonical)
    return {group: sorted(found) for group, found in names.items()}


def version() -> str:
    text = (SRC / "common" / "version.h").read_text(encoding="utf-8")
    return text.split('LH_VERSION "')[1].split('"')[0]


def write_or_check(page: Path, text: str, doc: str | None) -> int:
    """Ends a script that makes a page of tables: writes it, or with --check only compares it."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    if not arguments.check:
        page.write_text(text, encoding="utf-8")
    elif not page.exists() or page.read_text(encoding="utf-8") != text:
        print(f"{page.relative_to(ROOT)} is not what the tables say: make docs")
        return 1
    return 0
