# SPDX-License-Identifier: Apache-2.0
"""The walk over JavaScript frames as a library of its own (walk.c), preloaded into Node.js."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from harness import ROOT

HERE = Path(__file__).resolve().parent
SPOILT, TIMED = 13, 15  # what walk.c does, by how many bytes are read
LOOKS = 30  # of walk.js

# The room, the one below it, and what those need of src/common/.
SOURCES = [
    "tests/node/walk.c",
    *(
        str(path.relative_to(ROOT))
        for room in ("preload/v8", "preload/sys", "preload/sys/x86_64")
        for path in sorted((ROOT / "src" / room).glob("*.c"))
    ),
    "src/common/calls.c",
    "src/common/glob.c",
    "src/common/record_check.c",
    "src/common/text.c",
    "src/common/utf8.c",
]
FLAGS = "-std=gnu11 -D_GNU_SOURCE -O2 -g -fPIC -shared -fvisibility=hidden -Isrc -Iinclude".split()


def build(where: Path, flags: list[str]) -> Path:
    module = where / "walk.so"
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, *FLAGS, *flags, *SOURCES, "-o", module], cwd=ROOT, check=True)
    return module


def ask(
    node: Path, walk: Path, size: int, rounds: int, script: str = "walk.js"
) -> list[dict[str, Any]]:
    done = subprocess.run(
        [node, HERE / script, str(size)],
        env=dict(os.environ, LD_PRELOAD=str(walk), WALK_ROUNDS=str(rounds)),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]
