# SPDX-License-Identifier: Apache-2.0
"""Calls made by libraries as they come and go, and after the end of the library that watches."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import PROGRAMS, blocks, describe, functions, read_events, stalls_of, wait_until
from manners import same_both_ways

GUEST = PROGRAMS / "guest"
PLUGIN = PROGRAMS / "guest_plugin.so"


def test_library_that_calls_as_it_comes_and_goes(hits: Path) -> None:
    """Its constructor's call is part of dlopen; another loop thread is reported on meanwhile."""
    out, events = same_both_ways([GUEST, "open", PLUGIN], hits)
    assert out == "plugin ends\n" * 2
    found = [block for block in blocks(events) if block["tid"] == block["pid"]]
    assert [block["call"] for block in found[:4]] == ["dlopen", "nanosleep"] * 2, describe(events)
    assert all("plugin_ends" in functions(block)[1] for block in found[1:4:2]), describe(found)
    others = [block for block in blocks(events) if block["tid"] != block["pid"]]
    assert len(others) >= 2 and {block["call"] for block in others} == {"nanosleep"}


def test_library_whose_own_names_come_first_calls_past_us(hits: Path) -> None:
    """RTLD_DEEPBIND: its destructor's sleep is libc's own, and a stall of the loop."""
    _, events = same_both_ways([GUEST, "deep", PLUGIN], hits)
    assert [block["call"] for block in blocks(events)] == ["dlopen", "nanosleep"], describe(events)
    (stall,) = stalls_of(events)
    assert 70 < stall["duration_ms"] < 5000


def test_calls_after_our_end_are_made_as_ever(hits: Path) -> None:
    """Some destructors run later than ours: what they do is told after the summary, or lost."""
    out, _ = same_both_ways([GUEST, "exit", PLUGIN], hits)
    assert out.splitlines() == ["at exit", "program ends", "plugin ends"]

    def at_exit() -> bool:
        told = [functions(block) for block in blocks(read_events(hits))]
        return any("call_at_exit" in names for names in told)

    wait_until("the block of the exit handler", at_exit)


@pytest.mark.parametrize("strict", ["off", "on"])
def test_process_that_may_not_be_looked_into_is_watched(strict: str, hits: Path) -> None:
    _, events = same_both_ways([GUEST, "hidden"], hits, STRICT=strict)
    assert [block["call"] for block in blocks(events)] == ["nanosleep"] * 2, describe(events)
    assert all("hide" in functions(block) for block in blocks(events)), describe(events)
