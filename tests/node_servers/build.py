#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gets and builds the servers of this folder, as their users do: `npm install`, `npm run build`.

tests/node_servers/build.py DIR    DIR/NAME of each; one that has not changed since stays
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SLOW = HERE / "slow.ts"
# Where the sources of each are; pm2 has none, it runs another one's.
SOURCES = {"express": "src", "fastify": "src", "nest": "src", "next": "app", "pm2": None}


def files_of(name: str) -> list[Path]:
    return [SLOW, *sorted(path for path in (HERE / name).rglob("*") if path.is_file())]


def state_of(name: str) -> str:
    """Another one where any file of the project is."""
    state = hashlib.sha256()
    for path in files_of(name):
        state.update(f"{path.relative_to(HERE)}\n".encode())
        state.update(path.read_bytes())
    return state.hexdigest()


def build(name: str, project: Path) -> None:
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(HERE / name, project)
    # No package needs its script here, and none may run one.
    npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    subprocess.run(npm, cwd=project, check=True)
    sources = SOURCES[name]
    if sources is not None:
        shutil.copy(SLOW, project / sources)
        subprocess.run(["npm", "run", "--silent", "build"], cwd=project, check=True)


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    directory = Path(sys.argv[1]).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        built = directory / name / "built"
        if built.exists() and built.read_text() == state_of(name):
            continue
        print(f"  NPM   {name}", flush=True)
        build(name, directory / name)
        built.write_text(state_of(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
