#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints FUNCTION(name, "library") for what objects need of shared libraries: see lazy.h.

lazy_libraries.py CC OBJECT... -- -lNAME...
"""

import subprocess
import sys
from pathlib import Path


def lines(*command: str) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def undefined(objects: list[str]) -> set[str]:
    return {line.split()[1] for line in lines("nm", *objects) if line.split()[:1] == ["U"]}


def soname(library: str) -> str:
    for line in lines("readelf", "-dW", library):
        if "(SONAME)" in line:
            return line.partition("[")[2].rstrip("]")
    return Path(library).resolve().name


def functions(library: str) -> set[str]:
    symbols = [line.split() for line in lines("nm", "-D", "--defined-only", library)]
    return {name.partition("@")[0] for _, kind, name in symbols if kind in "TWi"}


def main() -> None:
    compiler, *rest = sys.argv[1:]
    split = rest.index("--")
    needed = undefined(rest[:split])
    for flag in rest[split + 1 :]:
        if not flag.startswith("-l"):
            continue
        library = lines(*compiler.split(), f"-print-file-name=lib{flag[2:]}.so")[0]
        for name in sorted(needed & functions(library)):
            print(f'FUNCTION({name}, "{soname(library)}")')
        needed -= functions(library)


if __name__ == "__main__":
    main()
