# SPDX-License-Identifier: Apache-2.0
"""Puts the library and the command into the Python package: hatchling's hooks (pyproject.toml).

On a machine that the library is for, they are compiled by `make`, and linked with that machine's
libraries. Elsewhere the wheel is pure: it can be imported, and says why nothing is watched.

    LOOPHOUND_WHEEL=pure     a pure wheel here, too
    LOOPHOUND_WHEEL=DIR      what scripts/wheel has built, its tag, its licences

Runs in whatever Python pip has, from 3.8 on.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

PROGRAMS = ("libloophound.so", "loophound")
CONTENTS = "contents.txt"  # what is linked statically: written by scripts/wheel
OWN_LICENSE = "Apache-2.0"


def choice() -> str:
    """LOOPHOUND_WHEEL; "pure" where the library would not run; "" to compile it here."""
    wanted = os.environ.get("LOOPHOUND_WHEEL") or ("pure" if why_unsupported() else "")
    if wanted not in ("", "pure") and not (Path(wanted) / CONTENTS).is_file():
        sys.exit(
            f"loophound: LOOPHOUND_WHEEL is '{wanted}', expected 'pure' or a folder that "
            "scripts/wheel has made; nothing was built"
        )
    return wanted


def why_unsupported() -> str | None:
    """As the package itself says it, src/python/loophound/_files.py."""
    path = Path(__file__).resolve().parent.parent / "src/python/loophound/_files.py"
    spec = importlib.util.spec_from_file_location("loophound_files", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.why_unsupported()  # type: ignore[no-any-return]


class CustomMetadataHook(MetadataHookInterface):
    def update(self, metadata: dict[str, Any]) -> None:
        """The licence of all that is in the wheel (PEP 639)."""
        wanted = choice()
        built = wanted not in ("", "pure")
        metadata["license"] = (Path(wanted) / "license").read_text() if built else OWN_LICENSE


class CustomBuildHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        wanted = choice()
        if wanted == "pure":
            return
        folder = Path(wanted) if wanted else compiled(Path(self.root))
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_of(folder)}"
        if version == "editable":
            return  # the package finds what make has built
        for path in sorted(folder.iterdir()):
            if path.name in (*PROGRAMS, CONTENTS):
                build_data["force_include"][str(path)] = f"loophound/native/{path.name}"


def platform_of(folder: Path) -> str:
    told = folder / "platform"
    if told.is_file():
        return told.read_text().strip()
    return re.sub(r"[-.]", "_", sysconfig.get_platform())


def compiled(root: Path) -> Path:
    """Builds both here; a folder with them, without what only a debugger wants."""
    missing = missing_here(root)
    if missing:
        sys.exit(
            f"loophound: cannot be compiled here, not found: {', '.join(missing)}; {remedy(root)}"
        )
    make = ["make", f"-j{os.cpu_count() or 1}", f"PYTHON={sys.executable}", "all"]
    done = subprocess.run(make, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        sys.exit(f"loophound: `{' '.join(make)}` failed, see above; {remedy(root)}")
    folder = root / "build" / "wheel-here"
    folder.mkdir(parents=True, exist_ok=True)
    for name in PROGRAMS:
        shutil.copy2(root / "build" / name, folder / name)
        if shutil.which("strip"):
            subprocess.run(["strip", "--strip-unneeded", str(folder / name)], check=True)
    return folder


def missing_here(root: Path) -> list[str]:
    """Tools, then libraries (as pkg-config names them) and headers that are not there."""
    tools = [name for name in ("make", compiler(), "pkg-config") if not shutil.which(name)]
    if tools:
        return tools
    packages = re.search(r"^COMMAND_PACKAGES := (.*)$", (root / "Makefile").read_text(), re.M)
    assert packages
    missing = [
        name
        for name in packages[1].split()
        if subprocess.run(["pkg-config", "--exists", name]).returncode != 0
    ]
    return missing + [name for name in ("libiberty/demangle.h",) if not has_header(name)]


def compiler() -> str:
    return os.environ.get("CC", "cc").split()[0]


def has_header(name: str) -> bool:
    done = subprocess.run(
        [compiler(), "-E", "-x", "c", "-"],
        input=f"#include <{name}>\n".encode(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return done.returncode == 0


def remedy(root: Path) -> str:
    packages = re.search(r"^    build='(.*)'$", (root / "scripts/bootstrap").read_text(), re.M)
    assert packages
    return (
        f"on Debian and Ubuntu: apt-get install {packages[1]}; "
        "or, for the package without the library: LOOPHOUND_WHEEL=pure"
    )
