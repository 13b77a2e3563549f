#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the virtual environments of the Python package's tests: build/python-venvs/<version>.

    tests/python/venvs.py [--build DIR] [--all]

Without --all: of the system's Python and of the newest that is found.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
OLDEST = (3, 8)


def versions(all_of_them: bool) -> dict[str, str]:
    """The program of each version that is tested. Builds for debugging and without a GIL have no
    wheels of some packages."""
    from pythons import INTERPRETERS

    found: dict[str, str] = {}
    for program, version in INTERPRETERS.items():
        usable = tuple(int(part) for part in version.split(".")) >= OLDEST
        ordinary = not program.endswith(("t", "d", "-dbg"))
        if usable and ordinary and (version not in found or program.startswith("/usr/bin/")):
            found[version] = program
    order = sorted(found, key=lambda version: int(version.split(".")[1]))
    if all_of_them:
        return {version: found[version] for version in order}
    system = next((v for v in order if found[v].startswith("/usr/bin/")), order[0])
    return {version: found[version] for version in dict.fromkeys([system, order[-1]])}


def environment_of(build: Path, version: str) -> Path:
    return build / "python-venvs" / version


def make(build: Path, version: str, program: str) -> None:
    """Anew where the list of packages has changed."""
    wanted = (HERE / "requirements.txt").read_text()
    venv = environment_of(build, version)
    done = venv / "done"
    if done.exists() and done.read_text() == wanted:
        return
    print(f"  VENV  {venv}", flush=True)
    subprocess.run([program, "-m", "venv", "--clear", venv], check=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "-q", "--disable-pip-version-check"]
    environment = dict(os.environ, PYTHONPATH="")
    subprocess.run(
        [*pip, "install", "-r", str(HERE / "requirements.txt")], check=True, env=environment
    )
    done.write_text(wanted)


BLOCKBUSTER = "1.5.29"  # whose interface loophound.compat.blockbuster has


def suite_of_blockbuster(build: Path) -> Path:
    return build / "python-venvs" / f"blockbuster-{BLOCKBUSTER}" / "tests"


def download_suite(build: Path, python: Path) -> None:
    """It is in the source package alone. `python`: one that has pip."""
    directory = suite_of_blockbuster(build).parent
    if suite_of_blockbuster(build).exists():
        return
    with tempfile.TemporaryDirectory() as to:
        pip = [str(python), "-m", "pip", "-q", "--disable-pip-version-check", "download"]
        pip += ["--no-deps", "--no-binary", ":all:", "-d", to, f"blockbuster=={BLOCKBUSTER}"]
        subprocess.run(pip, check=True)
        archive = next(Path(to).glob("*.tar.gz"))
        subprocess.run(["tar", "-C", str(directory.parent), "-xf", str(archive)], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--all", action="store_true")
    arguments = parser.parse_args()
    for version, program in versions(arguments.all).items():
        make(arguments.build.resolve(), version, program)
    python = environment_of(arguments.build.resolve(), version) / "bin" / "python"
    download_suite(arguments.build.resolve(), python)
    return 0


if __name__ == "__main__":
    sys.exit(main())
