#!/usr/bin/env python3
"""The call table against libc and against the built library.

Every name in src/calls.def is one of libc's; every sibling that libc has of a wrapped call (64,
_chk, _2, _time64) is in the table too; the library exports the table and loophound_*, nothing
else; it needs libc.so.6 alone.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROW_MARK = "lh_row"


def output_of(*command: str, text: str | None = None) -> str:
    return subprocess.run(
        command, input=text, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ).stdout


def table_symbols(cc: str) -> list[str]:
    """The symbols of all rows, as the preprocessor sees them."""
    source = (
        f"#define CALL(symbol, ...) {ROW_MARK} symbol\n"
        f"#define HOOK(symbol, ...) {ROW_MARK} symbol\n"
        "#define MEANING(...)\n"
        '#include "calls.def"\n'
    )
    text = output_of(cc, "-E", "-P", "-x", "c", "-Isrc", "-", text=source)
    return re.findall(rf"{ROW_MARK} (\w+)", text)


def exported(library: str) -> set[str]:
    """Names of the functions that a shared object exports, without their versions."""
    names = set()
    for line in output_of("nm", "-D", "--defined-only", library).splitlines():
        _, kind, name = line.split(maxsplit=2)
        if kind != "A":  # the versions themselves
            names.add(name.split("@")[0])
    return names


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


def problems_of(table: list[str], libc: set[str], library: str) -> list[str]:
    problems = [f"{name} has two rows" for name in sorted(set(table)) if table.count(name) > 1]
    problems += [f"{name} is not in libc" for name in table if name not in libc]
    for name in table:
        missing = (siblings(name) & libc) - set(table)
        problems += [f"{sibling} is missing beside {name}" for sibling in sorted(missing)]
    found = exported(library)
    wanted = set(table) | public_functions()
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

    table = table_symbols(arguments.cc)
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
