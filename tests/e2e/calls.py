"""The rows of the call table as the test programs have them: tests/programs/calls_*.c."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import PROGRAMS, ROOT, run_preloaded

FAMILIES = (
    "sleep",
    "socket",
    "fd",
    "wait",
    "lock",
    "process",
    "file",
    "copy",
    "thread",
    "signal",
    "path",
    "stream",
    "name",
    "ipc",
    "raw",
    "print",
    "attribute",
    "device",
    "resolve",
    "tree",
    "record",
)
# Numbers of syscall(2) whose names are not those of the functions they are reported as.
RAW_NAMES = {"pselect6": "pselect"}

# Two names of one function.
OTHER_NAMES = {
    "eaccess": "euidaccess",
    "_IO_getc": "getc",
    "_IO_putc": "putc",
    "__getdelim": "getdelim",
    "getdents64": "getdents64",
    "__uflow": "getc_unlocked",
    "__overflow": "putc_unlocked",
    "__sigpause": "sigpause",
    "__xpg_sigpause": "sigpause",
    "fts64_open": "fts_open",
    "fts64_read": "fts_read",
    "fts64_children": "fts_children",
}


@dataclass
class Row:
    program: Path
    symbol: str
    has_ready: bool

    @property
    def canonical(self) -> str:
        """The table's second column, worked out from its first by libc's habits."""
        if self.symbol in OTHER_NAMES:
            return OTHER_NAMES[self.symbol]
        symbol = re.sub(r"_2(_\d+)+$", "", self.symbol.removeprefix("syscall_"))  # an older version
        plain = re.sub(r"^__(\w+?)(_chk|_2)$", r"\1", symbol)
        plain = re.sub(r"^__isoc\d+_", "", plain)
        plain = re.sub(r"^__(f|l|)x(stat|mknod)", r"\1\2", plain)
        plain = re.sub(r"64(_r)?$", r"\1", plain.replace("64v2", "2"))
        return RAW_NAMES.get(plain, plain)

    def run(self, where: str, ms: int, output: Path, **options: Any):
        # Files are made in the working directory: below build/, that is on a disk, /tmp may not be.
        argv = [str(self.program), where, self.symbol, str(ms)]
        done, events = run_preloaded(argv, output, cwd=PROGRAMS, **options)
        assert done.returncode == 0, done
        assert done.stderr == ""
        true_ms, result, error = done.stdout.split()
        return float(true_ms), int(result), int(error), events


def preprocess(source: str) -> str:
    command = ["cc", "-E", "-P", "-x", "c", f"-I{ROOT / 'src'}", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout


def read_table() -> list[tuple[str, str, str]]:
    """Symbol, rule and version of every row."""
    source = (
        "#define CALL(symbol, canonical, group, subject, expr, fails, rule, args, version, ...)"
        " lh_row symbol rule version\n"
        "#define MEANING(...)\n"
        '#define RAW(number, ...) lh_row syscall_##number none ""\n'
        '#include "calls.def"\n'
    )
    return re.findall(r'lh_row (\w+) (\w+) "([\w.]*)"', preprocess(source))


def is_newer_than_libc(version: str) -> bool:
    """Is a row's function of a later glibc than this machine's? Then no program here calls it."""
    numbers = [int(number) for number in re.findall(r"\d+", version)]
    libc = os.confstr("CS_GNU_LIBC_VERSION")
    assert libc
    return numbers > [int(number) for number in re.findall(r"\d+", libc)]


TABLE = read_table()
# What returns its error, or 0.
CODE_RETURNED = set(
    re.findall(
        r"lh_row (\w+) CODE\b",
        preprocess(
            "#define CALL(symbol, canonical, group, subject, expr, fails, ...)"
            " lh_row symbol fails\n"
            "#define MEANING(...)\n"
            '#include "calls.def"\n'
        ),
    )
)
# No rule can tell whether these would wait: strict mode leaves them alone.
TIME_ONLY = {symbol for symbol, rule, _ in TABLE if rule == "time_only"}


def all_rows() -> list[Row]:
    rows = []
    for family in FAMILIES:
        program = PROGRAMS / f"calls_{family}"
        if not program.exists():
            continue
        listing = subprocess.run([program, "list"], capture_output=True, text=True, check=True)
        for line in listing.stdout.splitlines():
            symbol, *ready = line.split()
            rows.append(Row(program, symbol, bool(ready)))
    return rows
