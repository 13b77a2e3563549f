# SPDX-License-Identifier: Apache-2.0
"""The walk over JavaScript frames by itself, in Node.js: whatever it reads, it ends soon, writes to
its own memory alone, and leaves a record that a reader takes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from js_walk import LOOKS, SPOILT, TIMED, ask, build

ROUNDS = int(os.environ.get("LOOPHOUND_TEST_WALKS", "60000"))
MOST_READS = 2000  # of one walk
MOST_US = 20_000  # of a processor; what C leaves undefined is looked for meanwhile
TABLES_US = 10_000  # the best of ten; all tables take 23,000
# What C leaves undefined ends the program.
TRAPS = "-fsanitize=undefined -fsanitize-undefined-trap-on-error".split()


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("walk"), TRAPS)


@pytest.fixture(scope="session")
def unhurried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its walks end by what they read alone, whatever else the machine does."""
    return build(tmp_path_factory.mktemp("unhurried"), ["-DLH_V8_WALK_NS=1000000000"])


@pytest.fixture(scope="session")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its walks are late whenever they look at the clock."""
    return build(tmp_path_factory.mktemp("hurried"), ["-DLH_V8_WALK_NS=0"])


def test_walk_through_spoilt_memory_ends_and_stays_in_its_own(node: Path, walk: Path) -> None:
    looks = ask(node, walk, SPOILT, ROUNDS // LOOKS)
    assert len(looks) == LOOKS
    assert sum(look["frames"] for look in looks) > ROUNDS / 4  # not all of it is rubbish
    assert max(look["reads"] for look in looks) <= MOST_READS
    assert max(look["worst_us"] for look in looks) < MOST_US


def test_long_tables_are_not_gone_through_for_each_of_many_frames(
    node: Path, unhurried: Path
) -> None:
    """Those that are too many have a frame all the same, which says where its function begins."""
    (look,) = ask(node, unhurried, TIMED, 10, "tables.js")
    assert look["frames"] > 100
    assert look["cut"] == 0
    assert look["reads"] < MOST_READS
    assert look["best_us"] < TABLES_US


def test_walk_that_is_late_ends_and_says_so(node: Path, hurried: Path) -> None:
    (look,) = ask(node, hurried, TIMED, 10, "tables.js")
    assert look["cut"] == 1
    assert look["reads"] < 100 < MOST_READS  # it looks at the clock that often


def test_walk_finds_frames_at_each_look(node: Path, unhurried: Path) -> None:
    looks = ask(node, unhurried, TIMED, 10)
    assert len(looks) == LOOKS
    assert all(look["frames"] > 3 and look["cut"] == 0 for look in looks)
