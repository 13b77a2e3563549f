#!/usr/bin/env python3
"""The call table against libc and against the built library.

Every name in src/calls.def is one of libc's; every sibling that libc has of a wrapped call (64,
_chk, _2, _time64) is in the table too, and so is every version of it that has code of its own; the
library exports the table, in these versions, and loophound_*, nothing else; it needs libc.so.6
alone.
"""

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROW_MARK = "lh_row"


def output_of(*command: str, text: str | None = None) -> str:
    return subprocess.run(
        command, input=text, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ).stdout


@dataclass(frozen=True)
class Export:
    """One function of a shared object: versions are written as nm writes them."""

    name: str
    version: str = ""  # "@@GLIBC_2.3", "@GLIBC_2.2.5", or none


def table_rows(cc: str) -> list[Export]:
    """What each row stands for, as the preprocessor sees it."""
    columns = "canonical, group, subject, expr, fails, rule, rule_args, version"
    source = (
        f"#define CALL(symbol, ...) {ROW_MARK} symbol\n"
        f"#define HOOK(symbol, ...) {ROW_MARK} symbol\n"
        f"#define CALL_NEWEST(symbol, {columns}, ...) {ROW_MARK} symbol @@ version\n"
        f"#define CALL_OLDER(row, symbol, {columns}, ...) {ROW_MARK} symbol @ version\n"
        "#define MEANING(...)\n"
        '#include "calls.def"\n'
    )
    text = output_of(cc, "-E", "-P", "-x", "c", "-Isrc", "-", text=source)
    rows = re.findall(rf'{ROW_MARK} (\w+)(?: (@+) "(\S+)")?', text.replace("@ @", "@@"))
    return [Export(name, at + version) for name, at, version in rows]


def exported(library: str) -> dict[Export, str]:
    """The functions that a shared object exports, and where each is."""
    found = {}
    for line in output_of("nm", "-D", "--defined-only", library).splitlines():
        address, kind, name = line.split(maxsplit=2)
        if kind != "A":  # the versions themselves
            plain, at, version = name.partition("@")
            found[Export(plain, at + version)] = address
    return found


def siblings(symbol: str) -> set[str]:
    base = re.sub(r"64$", "", re.sub(r"^__(\w+?)(_chk|_2)$", r"\1", symbol))
    plain = {base, f"{base}64", f"{base}_time64", f"__{base}_time64"}
    plain |= {f"{base}_unlocked", f"__{base}_unlocked_chk"}
    if base in ("getc", "putc"):  # macros for these names until glibc 2.28
        plain.add(f"_IO_{base}")
    if base.endswith("v2"):  # preadv2, preadv64v2
        plain.add(f"{base[:-1]}64v2")
    return plain | {f"__{name}{end}" for name in (base, f"{base}64") for end in ("_chk", "_2")}


def public_functions() -> set[str]:
    header = (ROOT / "include" / "loophound.h").read_text()
    return set(re.findall(r"^[a-z][\w *]*\b(loophound_\w+)\(void\);", header, re.MULTILINE))


def needed(library: str) -> list[str]:
    return re.findall(r"\(NEEDED\).*\[(.+)\]", output_of("readelf", "-d", library))


def version_problems(table: list[Export], libc: dict[Export, str]) -> list[str]:
    """A symbol whose versions differ in code has a row for each code; others need no version."""
    problems = []
    for name in sorted({row.name for row in table}):
        codes = {address for export, address in libc.items() if export.name == name}
        rows = [row for row in table if row.name == name]
        covered = {libc.get(row) for row in rows if row.version}
        if len(codes) > 1 and covered != codes:
            versions = [export.version for export in libc if export.name == name]
            problems.append(f"{name} needs a row for each of {' '.join(sorted(versions))}")
        if len(codes) <= 1 and covered:
            problems.append(f"{name} has one code in libc: its row needs no version")
    return problems


def problems_of(table: list[Export], libc: dict[Export, str], library: str) -> list[str]:
    names = {row.name for row in table}
    known = {export.name for export in libc}
    problems = [f"{row} has two rows" for row in table if table.count(row) > 1]
    problems += [f"{name} is not in libc" for name in sorted(names - known)]
    problems += version_problems(table, libc)
    for name in sorted(names):
        missing = (siblings(name) & known) - names
        problems += [f"{sibling} is missing beside {name}" for sibling in sorted(missing)]
    found = {export.name + export.version for export in exported(library)}
    wanted = {row.name + row.version for row in table} | public_functions()
    problems += [f"{library} exports {name}" for name in sorted(found - wanted)]
    problems += [f"{library} does not export {name}" for name in sorted(wanted - found)]
    if needed(library) != ["libc.so.6"]:
        problems.append(f"{library} needs {needed(library)}, not libc.so.6 alone")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--cc", default="cc")
    arguments = parser.parse_args()

    table = table_rows(arguments.cc)
    if not table:
        print("src/calls.def has no rows")
        return 1
    libc = exported(output_of(arguments.cc, "-print-file-name=libc.so.6").strip())
    problems = problems_of(table, libc, str(arguments.build / "libloophound.so"))
    for problem in dict.fromkeys(problems):
        print(f"call table: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
