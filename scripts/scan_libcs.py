#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Has every function of libc been classed: of this machine's, and of those that programs will get?

The table of calls is compared with the C library of each Debian suite that is named (trixie and
sid), and with this machine's. A function is classed that has a row, is interposed for our own
account, stands in src/calls/left-out.txt, or in scripts/never-wait.txt. Every other is named, and
is a failure; so is what scripts/check_exports.py says of a libc: siblings, other names of a
function, versions of different code.

The packages come from the mirror that this machine's apt has, by a state of apt's of its own below
the build directory; they are unpacked there and never installed.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from call_table import ROOT, Table, read_table_or_exit
from calls_page import meaning
from check_exports import (
    default_versions,
    exported,
    names_of,
    output_of,
    problems_of_names,
    version_number,
    version_problems,
)
from scan_imports import never_waiting

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGE = "libc6"


def mirror() -> str:
    """Where this machine's apt has Debian from."""
    form = "$(LABEL) $(REPO_URI)"
    for line in output_of("apt-get", "indextargets", "--format", form).splitlines():
        label, _, uri = line.partition(" ")
        if label == "Debian":
            return uri
    sys.exit("scan-libcs: apt has no mirror of Debian")


def apt_options(place: Path, suite: str) -> list[str]:
    """Options that give apt a state, a cache and a source of its own below `place`."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (place / name).mkdir(parents=True, exist_ok=True)
    source = place / "sources.list"
    source.write_text(f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n")
    options = {
        "Dir::State": place / "state",
        "Dir::State::status": "/dev/null",
        "Dir::Cache": place / "cache",
        "Dir::Etc::SourceList": source,
        "Dir::Etc::SourceParts": "-",
        # An archive that is a snapshot has an old date: it is signed all the same.
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root" if os.getuid() == 0 else "_apt",
    }
    return [part for name, value in options.items() for part in ("-o", f"{name}={value}")]


def libc_of_suite(suite: str, below: Path) -> Path:
    """The C library of a suite, unpacked."""
    place = below / suite
    options = apt_options(place, suite)
    for command in (["update"], ["download", PACKAGE]):
        subprocess.run(["apt-get", "-q", *options, *command], check=True, cwd=place)
    newest = max(place.glob(f"{PACKAGE}_*.deb"), key=lambda file: file.stat().st_mtime)
    subprocess.run(["dpkg-deb", "-x", newest, place / "root"], check=True)
    found = sorted((place / "root").glob("**/libc.so.6"))
    if not found:
        sys.exit(f"scan-libcs: {newest} holds no libc.so.6")
    return found[0]


def newest_version(library: str) -> str:
    """The libc's own version: the newest that a symbol of it has."""
    versions = {export.version.lstrip("@") for export in exported(library)}
    return max((each for each in versions if each.startswith("GLIBC_2")), key=version_number)


def problems_of_libc(table: Table, never: set[str], library: str) -> Iterator[str]:
    libc = exported(library)
    names = default_versions(libc)
    known = names_of(table)
    yield from problems_of_names(known, names, newest_version(library))
    yield from version_problems(known, libc)
    for name in sorted(set(names) - never):
        if meaning(table, name) is None and name not in table.unreported:
            yield (
                f"{name} is classed nowhere: if it can wait, it wants a row in src/calls/*.def or "
                "a reason in src/calls/left-out.txt, if not, a word in scripts/never-wait.txt"
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--cc", default="cc")
    parser.add_argument("suites", nargs="*", default=["trixie", "sid"])
    arguments = parser.parse_args()

    table = read_table_or_exit(arguments.cc)
    below = (ROOT / arguments.build).resolve() / "libcs"
    libcs = {"this machine": output_of(arguments.cc, "-print-file-name=libc.so.6").strip()}
    libcs |= {suite: str(libc_of_suite(suite, below)) for suite in arguments.suites}
    everywhere = {export.name for library in libcs.values() for export in exported(library)}
    never, idle = never_waiting(everywhere)
    for name in idle:
        print(f"scan: scripts/never-wait.txt: {name} is no function of these", file=sys.stderr)
    failed = bool(idle)
    for where, library in libcs.items():
        problems = list(dict.fromkeys(problems_of_libc(table, never, library)))
        state = f"{len(problems)} problems" if problems else "all classed"
        print(f"{where} ({newest_version(library)}): {state}")
        for problem in problems:
            print(f"scan: {where}: {problem}", file=sys.stderr)
        failed |= bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
