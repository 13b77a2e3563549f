"""The rows of the call table as the test programs have them: tests/programs/calls_*.c."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import PROGRAMS, run_preloaded

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
)
# Numbers of syscall(2) whose names are not those of the functions they are reported as.
RAW_NAMES = {"pselect6": "pselect"}

# Two names of one function.
OTHER_NAMES = {
    "eaccess": "euidaccess",
    "_IO_getc": "getc",
    "_IO_putc": "putc",
    "__getdelim": "getdelim",
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
        symbol = self.symbol.removeprefix("syscall_").removesuffix("_2_2_5")  # an older version
        plain = re.sub(r"^__(\w+?)(_chk|_2)$", r"\1", symbol)
        plain = re.sub(r"^__(f|l|)xstat", r"\1stat", plain)
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
