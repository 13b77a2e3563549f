# SPDX-License-Identifier: Apache-2.0
"""What the tests of the wheel share: where it is, what is in it."""

from __future__ import annotations

import platform
import subprocess
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Protocol

from harness import BUILD, clean_environment

FOLDER = BUILD / "wheel"
DIST = FOLDER / "dist"
TOOLS = FOLDER / "venv" / "bin"
SLOW = "import asyncio, time\nasync def main():\n    time.sleep(0.4)\nasyncio.run(main())\n"


class Install(Protocol):
    def __call__(
        self, what: Path, *, prefix: str = "venv", variables: dict[str, str] | None = None
    ) -> Path: ...


HERE = f"manylinux_2_28_{platform.machine()}"
MACHINES = {"x86_64": "build", "aarch64": "build/aarch64-linux-gnu"}  # where scripts/wheel builds


def wheel_for(machine: str) -> Path:
    return wheel_named(f"manylinux_2_28_{machine}")


def wheel_named(word: str) -> Path:
    """The one wheel with this word in its name."""
    (path,) = DIST.glob(f"*{word}*.whl")
    return path


def text_in(wheel: Path, ending: str) -> str:
    """The one file of a wheel whose path ends like this."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(ending))
        return archive.read(name).decode()


def metadata_of(wheel: Path) -> Message:
    return Parser().parsestr(text_in(wheel, ".dist-info/METADATA"))


def run(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Away from the checkout, so that what is imported is what was installed."""
    return subprocess.run(
        words,
        cwd="/",
        env=dict(clean_environment(), **variables),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
