# SPDX-License-Identifier: Apache-2.0
"""The rows of the call table, and the scenarios that tests/programs/calls_*.c have for them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import PROGRAMS, ROOT, run_preloaded

sys.path.insert(0, str(ROOT / "scripts"))
import call_table

SOURCES = ROOT / "tests" / "programs"
FAMILIES = sorted(path.stem.removeprefix("calls_") for path in SOURCES.glob("calls_*.c"))
TABLE = call_table.read_table()


def name_of(row: call_table.Row) -> str:
    """What the scenario of a row is called."""
    return f"syscall_{row.name}" if row.kind in call_table.NUMBERS else row.name


# By the names of their scenarios. What no function of libc makes has the one of its number.
ROWS_OF_TABLE = {name_of(row): row for row in [*TABLE.functions, *TABLE.numbers]}
REPORTED = {row.name: row for row in TABLE.rows}


def is_newer_than_libc(row: call_table.Row) -> bool:
    """Is its function of a later glibc than this machine's? Then no program here calls it."""
    numbers = [int(number) for number in re.findall(r"\d+", row.looked_up)]
    libc = os.confstr("CS_GNU_LIBC_VERSION")
    assert libc
    return numbers > [int(number) for number in re.findall(r"\d+", libc)]


@dataclass
class Row:
    """One scenario."""

    program: Path
    symbol: str
    has_ready: bool

    @property
    def in_table(self) -> call_table.Row:
        return ROWS_OF_TABLE[self.symbol]

    @property
    def reported(self) -> call_table.Row:
        """The row that it is reported as: of a number of syscall(2), that of the function."""
        row = self.in_table
        return REPORTED[row.canonical] if row.kind in call_table.NUMBERS else row

    @property
    def canonical(self) -> str:
        return self.reported.canonical

    @property
    def is_time_only(self) -> bool:
        """No rule can tell whether these would wait: strict mode leaves them alone."""
        return self.in_table.rule == "time_only"

    def run(self, where: str, ms: int, output: Path, **options: Any):
        # Files are made in the working directory: below build/, that is on a disk, /tmp may not be.
        argv = [str(self.program), where, self.symbol, str(ms)]
        done, events = run_preloaded(argv, output, cwd=PROGRAMS, **options)
        assert done.returncode == 0, done
        assert done.stderr == ""
        true_ms, result, error = done.stdout.split()
        return float(true_ms), int(result), int(error), events


def scenarios_of(family: str) -> list[Row]:
    program = PROGRAMS / f"calls_{family}"
    if not program.exists():
        return []
    listing = subprocess.run([program, "list"], capture_output=True, text=True, check=True)
    rows = [line.split() for line in listing.stdout.splitlines()]
    return [Row(program, symbol, bool(ready)) for symbol, *ready in rows]


def all_scenarios() -> list[Row]:
    return [row for family in FAMILIES for row in scenarios_of(family)]


def all_rows() -> list[Row]:
    """The scenarios that have a row: test_calls.py says which have none."""
    return [row for row in all_scenarios() if row.symbol in ROWS_OF_TABLE]
