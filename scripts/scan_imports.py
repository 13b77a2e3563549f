#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What do real programs import from libc that can wait, and that the table of calls lacks?

Of each file's imports that libc.so.6 defines, those are taken away that src/calls.def has or leaves
out, and those of scripts/never-wait.txt, which a person has classed. What remains is printed, and
is a failure: it is to be given a row, a line in src/calls/left-out.txt, or a line in that list.
Without arguments: the interpreters, servers and client libraries below, as Debian has them
(scripts/bootstrap scan).
"""

import argparse
import fnmatch
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from call_table import Table, read_table_or_exit
from calls_page import BY_HAND, meaning
from check_exports import exported, output_of

NEVER_WAIT = Path(__file__).resolve().parent / "never-wait.txt"

LIBRARIES = "/usr/lib/x86_64-linux-gnu"
JAVA = "/usr/lib/jvm/java-17-openjdk-amd64/lib"
# One pattern a line; each has to be found.
WANTED = (
    "/usr/bin/python3.11",
    "/usr/lib/python3.11/lib-dynload/*.so",
    "/usr/bin/node",
    "/usr/sbin/nginx",
    "/usr/lib/nginx/modules/*.so",
    "/usr/bin/redis-server",
    "/usr/sbin/haproxy",
    f"{LIBRARIES}/libuv.so.1",
    f"{JAVA}/server/libjvm.so",
    f"{JAVA}/libnio.so",
    f"{JAVA}/libnet.so",
    f"{JAVA}/libjava.so",
    f"{LIBRARIES}/libpq.so.5",
    f"{LIBRARIES}/libmariadb.so.3",
    f"{LIBRARIES}/libcurl.so.4",
    "/usr/bin/rg",
    f"{LIBRARIES}/libruby*.so.*",
)


def never_waiting(libc: set[str]) -> tuple[set[str], list[str]]:
    """libc's functions that never wait, and the lines of the list that fit none."""
    found, idle = set(), []
    for line in NEVER_WAIT.read_text().splitlines():
        for pattern in line.partition("#")[0].split():
            names = fnmatch.filter(libc, pattern)
            found.update(names)
            idle += [] if names else [pattern]
    return found, idle


def imports(file: str) -> set[str]:
    """Names of the functions and variables that a program or library wants from others."""
    names = set()
    for line in output_of("nm", "-D", "--undefined-only", file).splitlines():
        kind, name = line.split()[-2:]
        if kind in "Uwv":
            names.add(name.split("@")[0])
    return names


def unclassed(file: str, libc: set[str], table: Table, never: set[str]) -> set[str]:
    return {
        name
        for name in imports(file) & libc - never
        if meaning(table, name) is None and name not in BY_HAND
    }


def files_of(patterns: list[str]) -> Iterator[tuple[str, list[str]]]:
    root = Path("/")
    for pattern in patterns:
        below = Path(pattern).absolute().relative_to(root)
        yield pattern, sorted(map(str, root.glob(str(below))))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("files", nargs="*", help="programs and libraries, or patterns for them")
    arguments = parser.parse_args()

    table = read_table_or_exit(arguments.cc)
    functions = exported(output_of(arguments.cc, "-print-file-name=libc.so.6").strip())
    libc = {function.name for function in functions}
    never, _ = never_waiting(libc)
    problems = []
    # Names of a hook (longjmp) wait no more than it does.
    rows = {row.name for row in table.rows}
    both = sorted(name for name in never if table.aliases.get(name, name) in rows)
    problems += [
        f"scripts/never-wait.txt: {name} can wait, says its row in src/calls/" for name in both
    ]
    for pattern, files in files_of(arguments.files or list(WANTED)):
        if not files:
            problems.append(f"{pattern}: no such file")
        for file in files:
            try:
                found = sorted(unclassed(file, libc, table, never))
            except subprocess.CalledProcessError:
                problems.append(f"{file}: nm cannot read it")
                continue
            print(f"{file}: {' '.join(found) if found else 'all classed'}")
            problems += [f"{file} imports {name}, which nobody has classed" for name in found]
    for problem in problems:
        print(f"scan: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
