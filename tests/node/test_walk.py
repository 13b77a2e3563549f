# SPDX-License-Identifier: Apache-2.0
"""The walk over JavaScript frames by itself, in Node.js: whatever it reads, it ends soon, writes to
its own memory alone, and leaves a record that a reader takes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from js_walk import LOOKS, SPOILT, TIMED, ask, build

ROUNDS = int(os.environ.get("LOOPHOUND_TEST_WALKS", "60000"))
MOST_READS = 2 * 2000  # of one walk, and of the one without positions that may follow
MOST_US = 20_000  # of a processor; what C leaves undefined is looked for meanwhile
# What C leaves undefined ends the program.
TRAPS = "-fsanitize=undefined -fsanitize-undefined-trap-on-error".split()


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("walk"), TRAPS)


def test_walk_through_spoilt_memory_ends_and_stays_in_its_own(node: Path, walk: Path) -> None:
    looks = ask(node, walk, SPOILT, ROUNDS // LOOKS)
    assert len(looks) == LOOKS
    assert sum(look["frames"] for look in looks) > ROUNDS / 4  # not all of it is rubbish
    assert max(look["reads"] for look in looks) <= MOST_READS
    assert max(look["worst_us"] for look in looks) < MOST_US


def test_walk_finds_frames_at_each_look(node: Path, walk: Path) -> None:
    looks = ask(node, walk, TIMED, 10)
    assert len(looks) == LOOKS
    assert all(look["frames"] > 3 for look in looks)
