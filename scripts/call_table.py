# SPDX-License-Identifier: Apache-2.0
"""Reads the table of calls, src/calls.def, for the scripts and the tests that want to know it.

The C preprocessor finds the rows, so that what it leaves away is left away here too; the columns
that have names are read by this module, which says in a sentence what it does not understand.
"""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = ROOT / "src" / "calls" / "left-out.txt"

# Names of columns; with the rows that have to have one of them.
COLUMNS = set(
    "AS OPERAND WAITS FAILS ONLY_IF TRY FIRST VERSION NEWEST OLDER LIST_FORM TAKES"
    " ON_SET ON_ARRAY ON_SETS".split()
)
CALLS = ("CALL", "CALL_IDLE", "PARK", "VARIADIC", "SYSCALL_ONLY")
NUMBERS = ("SYSCALL", "SYSCALL_PARK", "SYSCALL_RING")
OTHERS = ("ALIAS", "BEFORE", "WITHOUT_WATCHDOG", "CUSTOM_WRAPPER", "RULE")
MARK = "lh_table_"


class TableError(Exception):
    """Something in the table is not as src/calls.def says that it should be."""


@dataclass(frozen=True)
class Row:
    """A call that is reported: a row of the kinds CALLS, or a number of syscall(2)."""

    kind: str
    name: str  # of the row; for a number of syscall(2): without SYS_
    group: str
    columns: dict[str, list[str]]
    place: str  # file:line

    def column(self, name: str, default: str = "") -> str:
        """The first word of a column."""
        return self.columns[name][0] if name in self.columns else default

    @property
    def symbol(self) -> str:
        """libc's name: that of the row, but for an older version of a symbol."""
        return self.column("OLDER", self.name)

    @property
    def canonical(self) -> str:
        return self.column("AS", self.name)

    @property
    def operand(self) -> str:
        return self.column("OPERAND", "NONE")

    @property
    def rule(self) -> str:
        return self.column("WAITS", "always")

    @property
    def fails(self) -> str:
        return self.column("FAILS", "MINUS_1")

    @property
    def looked_up(self) -> str:
        """The version of the symbol that is looked up; "": the default one."""
        for name in ("VERSION", "NEWEST", "OLDER"):
            if name in self.columns:
                return self.columns[name][-1].strip('"')
        return ""

    @property
    def exported(self) -> str:
        """The version that it is exported with, as nm writes it."""
        marks = {"NEWEST": "@@", "OLDER": "@"}
        found = [mark for name, mark in marks.items() if name in self.columns]
        return found[0] + self.looked_up if found else ""


@dataclass
class Table:
    rows: list[Row] = field(default_factory=list)
    numbers: list[Row] = field(default_factory=list)  # of syscall(2)
    aliases: dict[str, str] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    unreported: list[str] = field(default_factory=list)  # interposed for our own account
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def functions(self) -> list[Row]:
        """The rows that are functions of libc."""
        return [row for row in self.rows if row.kind != "SYSCALL_ONLY"]


def split(text: str) -> list[str]:
    """The parts between commas that are in no parentheses and no string."""
    parts, depth, quoted = [""], 0, False
    for char in text:
        quoted ^= char == '"'
        if not quoted:
            depth += (char in "([{") - (char in ")]}")
            if char == "," and depth == 0:
                parts.append("")
                continue
        parts[-1] += char
    return [re.sub(r"\s+", " ", part).strip() for part in parts]


def read_columns(texts: list[str], row: str, place: str) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    for text in texts:
        found = re.fullmatch(r"(\w+) ?\((.*)\)", text)
        if not found or found[1] not in COLUMNS:
            known = " ".join(sorted(COLUMNS))
            raise TableError(f"{place}: {row} has no column {text!r}; there are {known}")
        if found[1] in columns:
            raise TableError(f"{place}: {row} has two columns {found[1]}")
        columns[found[1]] = split(found[2])
    return columns


def preprocess(cc: str, extra: tuple[str, ...]) -> str:
    kinds = [*CALLS, *NUMBERS, *OTHERS, "SYSCALL_WITHOUT_WATCHDOG"]
    # Rows of numbers that not every processor has ask for SYS_<number>.
    source = "#include <sys/syscall.h>\n"
    source += "".join(f"#define {kind}(...) {MARK}{kind} (__VA_ARGS__)\n" for kind in kinds)
    command = [cc, "-E", "-x", "c", *extra, f"-I{ROOT / 'src'}", "-"]
    source += '#include "calls.def"\n'
    return subprocess.run(
        command, input=source, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def marked_rows(text: str) -> list[tuple[str, list[str], str]]:
    """Kind, columns and place of every row."""
    rows: list[tuple[str, list[str], str]] = []
    file, line, pending = "", 0, ""
    for each in text.splitlines():
        marker = re.match(r'# (\d+) "([^"]*)"', each)
        if marker:
            line, file = int(marker[1]) - 1, marker[2]
            continue
        line += 1
        if not pending:
            place = f"{Path(file).resolve().relative_to(ROOT)}:{line}" if MARK in each else ""
        pending = f"{pending} {each}".strip() if pending or MARK in each else ""
        if pending and pending.count("(") == pending.count(")"):
            for found in re.split(rf"(?={MARK})", pending)[1:]:
                kind, _, rest = found.strip().partition(" ")
                rows.append((kind.removeprefix(MARK), split(rest.strip()[1:-1]), place))
            pending = ""
    return rows


def read_left_out() -> dict[str, str]:
    """The calls that are left out on purpose, and why."""
    found: dict[str, str] = {}
    reason = ""
    for line in LEFT_OUT.read_text().splitlines():
        if line.startswith(" "):
            for name in line.split():
                if name in found:
                    raise TableError(f"src/calls/left-out.txt: {name} is there twice")
                found[name] = reason
        elif line and not line.startswith("#"):
            reason = line
    return found


def add_row(table: Table, kind: str, columns: list[str], place: str) -> None:
    columns = [each for each in columns if each]
    name = columns[0]
    if kind in CALLS:
        fixed = 2 if kind == "SYSCALL_ONLY" else 5
        if len(columns) < fixed:
            raise TableError(f"{place}: {name} lacks a column; see src/calls.def")
        named = read_columns(columns[fixed:], name, place)
        table.rows.append(Row(kind, name, columns[1], named, place))
    elif kind in NUMBERS:
        named = read_columns(columns[1:], name, place)
        table.numbers.append(Row(kind, name, "", named, place))
    elif kind == "ALIAS":
        table.aliases[name] = columns[1]
    elif kind == "RULE":
        table.rules[name] = columns[1].strip('"')
    elif kind != "SYSCALL_WITHOUT_WATCHDOG":
        table.unreported.append(name)


def check(table: Table) -> None:
    groups = set(re.findall(r"LH_GROUP_(\w+)", (ROOT / "src/common/calls.h").read_text()))
    operands = set(re.findall(r"LH_OPERAND_(\w+)", (ROOT / "src/common/calls.h").read_text()))
    names = {row.name for row in table.rows}
    for row in [*table.rows, *table.numbers]:
        if row.rule not in table.rules:
            raise TableError(
                f"{row.place}: {row.name} names the rule {row.rule}, which src/calls/rules.def"
                f" has not; it has {' '.join(sorted(table.rules))}"
            )
        if row.operand not in operands:
            raise TableError(f"{row.place}: {row.name} has an operand of no kind: {row.operand}")
        if row.group and row.group not in groups:
            raise TableError(f"{row.place}: {row.name} has a group of no name: {row.group}")
        if row.kind in NUMBERS and row.canonical not in names:
            raise TableError(f"{row.place}: SYS_{row.name} is reported as no row: {row.canonical}")


def read_table(cc: str = "cc", extra: tuple[str, ...] = ()) -> Table:
    """The whole table, as this compiler sees it; `extra`: more of its arguments."""
    table = Table(left_out=read_left_out())
    for kind, columns, place in marked_rows(preprocess(cc, extra)):
        add_row(table, kind, columns, place)
    check(table)
    return table


def read_table_or_exit(cc: str) -> Table:
    """The same for a script: what is wrong with the table is said, and ends it."""
    try:
        return read_table(cc)
    except TableError as problem:
        sys.exit(f"call table: {problem}")
