# SPDX-License-Identifier: Apache-2.0
"""The walk over Python frames as a module of its own, and a script that asks it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from harness import ROOT

# The room, the one below it, and what those need of src/common/.
SOURCES = [
    "tests/python_walk/walk.c",
    "tests/python_walk/spoilt.c",
    *(
        str(path.relative_to(ROOT))
        for room in ("preload/python", "preload/sys", "preload/sys/x86_64")
        for path in sorted((ROOT / "src" / room).glob("*.c"))
    ),
    "src/common/calls.c",
    "src/common/glob.c",
    "src/common/record_check.c",
    "src/common/ring.c",
    "src/common/ring_room.c",
    "src/common/text.c",
    "src/common/utf8.c",
]
FLAGS = "-std=gnu11 -D_GNU_SOURCE -O2 -g -fPIC -shared -fvisibility=hidden -Isrc -Iinclude".split()


def build(where: Path, flags: list[str]) -> Path:
    module = where / "walk.so"
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, *FLAGS, *flags, *SOURCES, "-o", module], cwd=ROOT, check=True)
    return module


def ask(python: str, script: str, walk: Path, *arguments: object) -> Any:
    command = [python, "-X", "utf8", str(ROOT / "tests/python_walk" / script), str(walk)]
    command += [str(argument) for argument in arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr}"
    assert done.stderr == ""
    return json.loads(done.stdout)
