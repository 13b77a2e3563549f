#!/usr/bin/env python3
"""Who may include what: src/preload and src/collect share src/common only (ARCHITECTURE.md)."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Room: the folders its files may include from, by the first part of the path.
MAY_INCLUDE = {
    "common": {"common"},
    "preload": {"common", "preload"},
    "collect": {"common", "collect"},
    "cli": {"common", "collect", "cli"},
}
TABLES = {"calls.def", "options.def"}
PUBLIC_HEADER = "loophound.h"  # the library implements it; nobody else needs it
# These would come into the program with the library, and do harm there.
COLLECTOR_ONLY = re.compile(r"^(libunwind|elfutils/|libelf|gelf|libdw|dwarf)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def problem_of(room: str, quote: str, name: str) -> str | None:
    """What is wrong with one include, or None."""
    if quote == "<":
        if room in {"common", "preload"} and COLLECTOR_ONLY.match(name):
            return f"<{name}> belongs to the collector alone"
        return None
    if name in TABLES or (name == PUBLIC_HEADER and room == "preload"):
        return None
    first = name.split("/")[0]
    if "/" not in name:
        return f'"{name}" should be named from src/: "{room}/{name}"'
    if first not in MAY_INCLUDE[room]:
        return f'src/{room} may not include "{name}"'
    return None


def main() -> int:
    problems = 0
    for path in sorted((ROOT / "src").rglob("*")):
        room = path.relative_to(ROOT / "src").parts[0]
        if path.suffix not in {".c", ".h"} or room not in MAY_INCLUDE:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            problem = problem_of(room, *found.groups()) if found else None
            if problem:
                print(f"{path.relative_to(ROOT)}:{number}: {problem}")
                problems += 1
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
