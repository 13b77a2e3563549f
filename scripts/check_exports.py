#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The call table against libc and against the built library.

Every name in the table (src/calls.def) is one of libc's, or of a later libc than this machine's;
every sibling that libc has of a wrapped call is in the table too: by its name (64, _chk,
__isoc99_ ...), because it is the same function under another name, or as a version of it that has
code of its own. The library exports the table, in these versions, and loophound_*, nothing else;
it needs libc.so.6 alone, and nothing of it that is newer than glibc 2.28; what looks at its
caller is jumped to.
"""

import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from call_table import ROOT, Table, read_table_or_exit

NEWEST_NEEDED = "GLIBC_2.28"  # src/cli/locate.c and README.md say so too


def output_of(*command: str, text: str | None = None) -> str:
    return subprocess.run(
        command, input=text, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ).stdout


@dataclass(frozen=True)
class Export:
    """One function of a shared object: versions are written as nm writes them."""

    name: str
    version: str = ""  # "@@GLIBC_2.3", "@GLIBC_2.2.5", or none


@dataclass
class Names:
    """The names of the table as libc and the library have them."""

    rows: list[Export]
    bound: dict[str, str]  # rows without a version of their own that are bound to one
    left_out: set[str]

    @property
    def names(self) -> set[str]:
        return {row.name for row in self.rows}


def names_of(table: Table) -> Names:
    rows = [Export(row.symbol, row.exported) for row in table.functions]
    rows += [Export(name) for name in [*table.aliases, *table.unreported]]
    bound = {row.name: row.looked_up for row in table.functions if row.looked_up}
    bound = {name: version for name, version in bound.items() if Export(name) in rows}
    return Names(rows, bound, set(table.left_out))


def exported(library: str) -> dict[Export, str]:
    """The functions that a shared object exports to programs, and where each is."""
    found = {}
    for line in output_of("nm", "-D", "--defined-only", library).splitlines():
        address, kind, name = line.split(maxsplit=2)
        plain, at, version = name.partition("@")
        if kind in "TWi" and "PRIVATE" not in version:
            found[Export(plain, at + version)] = address
    return found


def default_versions(libc: dict[Export, str]) -> dict[str, str]:
    """The functions that programs linked today get, and where each is."""
    names: dict[str, str] = {}
    for export, address in libc.items():
        if export.name not in names or export.version.startswith("@@"):
            names[export.name] = address
    return names


def siblings(symbol: str) -> set[str]:
    base = re.sub(r"^__(\w+?)(_chk|_2)$", r"\1", symbol)
    base = re.sub(r"^__isoc\d+_", "", base)
    base = re.sub(r"64(_r)?$", r"\1", base)
    plain = {base, f"{base}64", f"{base}_time64", f"{base}_unlocked", f"{base}_r", f"v{base}"}
    plain |= {f"{base}_np", f"{base}_clock", re.sub(r"_r$", "64_r", base)}
    if base.endswith("v2"):  # preadv2, preadv64v2
        plain.add(f"{base[:-1]}64v2")
    old = {re.sub(r"^(f|l|)(stat|mknod)", r"__\1x\2", name) for name in plain}
    new_c = {f"__isoc{year}_{name}" for name in plain for year in (99, 23)}
    marked = {f"{mark}{name}" for name in plain for mark in ("__", "_IO_", "__libc_")}
    ends = {f"__{name}{end}" for name in plain for end in ("_chk", "_2")}
    return plain | old | new_c | marked | ends


def version_number(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def same_functions(symbols: set[str], libc: dict[str, str]) -> dict[str, str]:
    """Names that libc has for functions of the table, and which those are."""
    by_address = {libc[symbol]: symbol for symbol in sorted(symbols) if symbol in libc}
    return {name: by_address[address] for name, address in libc.items() if address in by_address}


def public_functions() -> set[str]:
    header = (ROOT / "include" / "loophound.h").read_text()
    return set(re.findall(r"^[a-z][\w *]*\b(loophound_\w+)\([^)]*\);", header, re.MULTILINE))


def needed(library: str) -> list[str]:
    return re.findall(r"\(NEEDED\).*\[(.+)\]", output_of("readelf", "-d", library))


def version_problems(table: Names, libc: dict[Export, str]) -> list[str]:
    """A symbol whose versions differ in code has a row for each code; others need no version."""
    problems = []
    for name in sorted(table.names):
        codes = {address for export, address in libc.items() if export.name == name}
        covered = {libc.get(row) for row in table.rows if row.name == name and row.version}
        if len(codes) > 1 and covered != codes:
            versions = [export.version for export in libc if export.name == name]
            problems.append(f"{name} needs a row for each of {' '.join(sorted(versions))}")
        if len(codes) <= 1 and covered:
            problems.append(f"{name} has one code in libc: its row needs no version")
    return problems


def problems_of_names(table: Names, libc: dict[str, str], libc_version: str) -> list[str]:
    known = table.names | table.left_out
    problems = [f"{row} has two rows" for row in table.rows if table.rows.count(row) > 1]
    problems += [f"{name} has a row and is left out" for name in table.names & table.left_out]
    for name in table.names - set(libc):
        if version_number(table.bound.get(name, "")) <= version_number(libc_version):
            problems.append(f"{name} is not in libc")
    for name in table.names:
        missing = (siblings(name) & set(libc)) - known
        problems += [f"{sibling} is missing beside {name}" for sibling in missing]
    for name, row in same_functions(table.names, libc).items():
        if name not in known:
            problems.append(f"{name} is missing: it is {row} under another name")
    return sorted(problems)


def instructions(library: str, function: str) -> list[str]:
    text = output_of("objdump", "-d", "--no-show-raw-insn", f"--disassemble={function}", library)
    return re.findall(r"^ +[0-9a-f]+:\t(.*)$", text, re.MULTILINE)


def problems_of_jumps(library: str) -> list[str]:
    """dlopen looks at its caller: our wrapper has to jump to it, not call it."""
    problems = []
    for function in ("dlopen", "first_dlopen"):
        code = instructions(library, function)
        if not any(re.match(r"jmp +\*", line) for line in code):
            problems.append(f"{library}: {function} does not end in a jump to libc's")
        if any(re.match(r"call +\*", line) for line in code):
            problems.append(f"{library}: {function} calls what it should jump to")
    return problems


def version_needs(library: str) -> dict[str, str]:
    """The versions of libc that the library asks for, each with a symbol that has it."""
    listed = output_of("nm", "-D", "--undefined-only", library)
    return {version: name for name, version in re.findall(r"(\w+)@+(GLIBC_[\w.]+)", listed)}


def problems_of_needs(library: str) -> list[str]:
    """A program dies at its start if its libc lacks a version that a library asks for."""
    return [
        f"{library} needs {name}@{version}: no symbol may be newer than {NEWEST_NEEDED}"
        for version, name in sorted(version_needs(library).items())
        if version_number(version) > version_number(NEWEST_NEEDED)
    ]


def problems_of_library(table: Names, library: str) -> list[str]:
    found = {export.name + export.version for export in exported(library)}
    wanted = {row.name + row.version for row in table.rows} | public_functions()
    problems = [f"{library} exports {name}" for name in sorted(found - wanted)]
    problems += [f"{library} does not export {name}" for name in sorted(wanted - found)]
    problems += problems_of_jumps(library)
    problems += problems_of_needs(library)
    if needed(library) != ["libc.so.6"]:
        problems.append(f"{library} needs {needed(library)}, not libc.so.6 alone")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--cc", default="cc")
    arguments = parser.parse_args()

    table = names_of(read_table_or_exit(arguments.cc))
    libc = exported(output_of(arguments.cc, "-print-file-name=libc.so.6").strip())
    libc_version = os.confstr("CS_GNU_LIBC_VERSION") or ""
    problems = problems_of_names(table, default_versions(libc), libc_version)
    problems += version_problems(table, libc)
    problems += problems_of_library(table, str(arguments.build / "libloophound.so"))
    for problem in dict.fromkeys(problems):
        print(f"call table: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
