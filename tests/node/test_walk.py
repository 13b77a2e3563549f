# SPDX-License-Identifier: Apache-2.0
"""The walk over JavaScript frames by itself, in Node.js: whatever it reads, it ends soon, writes to
its own memory alone, and leaves a record that a reader takes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT

HERE = Path(__file__).resolve().parent
ROUNDS = int(os.environ.get("LOOPHOUND_TEST_WALKS", "60000"))
LOOKS = 30  # of walk.js
MOST_READS = 2 * 2000  # of one walk, and of the one without positions that may follow
MOST_US = 20_000  # of a processor; what C leaves undefined is looked for meanwhile

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
# What C leaves undefined ends the program.
TRAPS = "-fsanitize=undefined -fsanitize-undefined-trap-on-error".split()


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    module = tmp_path_factory.mktemp("walk") / "walk.so"
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, *FLAGS, *TRAPS, *SOURCES, "-o", module], cwd=ROOT, check=True)
    return module


def ask(node: Path, walk: Path, size: int, rounds: int) -> list[dict[str, Any]]:
    done = subprocess.run(
        [node, HERE / "walk.js", str(size)],
        env=dict(os.environ, LD_PRELOAD=str(walk), WALK_ROUNDS=str(rounds)),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_walk_through_spoilt_memory_ends_and_stays_in_its_own(node: Path, walk: Path) -> None:
    looks = ask(node, walk, 13, ROUNDS // LOOKS)
    assert len(looks) == LOOKS
    assert sum(look["frames"] for look in looks) > ROUNDS / 4  # not all of it is rubbish
    assert max(look["reads"] for look in looks) <= MOST_READS
    assert max(look["worst_us"] for look in looks) < MOST_US


def test_walk_finds_frames_at_each_look(node: Path, walk: Path) -> None:
    looks = ask(node, walk, 15, 10)
    assert len(looks) == LOOKS
    assert all(look["frames"] > 3 for look in looks)
