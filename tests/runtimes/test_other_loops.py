# SPDX-License-Identifier: Apache-2.0
"""Loops of runtimes that are asked for no more than this: each program of other/ is called as

    PROGRAM file|free FIFO

`file` reads the FIFO in a handler of its loop, which waits until the test gives it a line. `free`
reads it as the runtime means it, and prints `free` when a timer of more than the threshold has run.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from harness import BUILD, Event, blocks, functions, of_type, read_events, wait_until
from watched import (
    CLEAN_THRESHOLD,
    HERE,
    LIMIT_S,
    Fifo,
    assert_nothing_reported,
    expect_line,
    finish,
    has_function,
    the_block,
    watched,
)

OTHER = HERE / "other"
BIN = BUILD / "runtimes-venv" / "bin"
# How it is started, and the function of it that reads the file, where it has names.
PROGRAMS: dict[str, tuple[list[str | Path], str]] = {
    "gjs": (["gjs", OTHER / "loop_gjs.js"], "g_file_get_contents"),
    "deno": ([BIN / "deno", "run", "--allow-read", OTHER / "loop_web.mjs"], ""),
    "anyevent": (["perl", OTHER / "loop_anyevent.pl"], "Perl_pp_sysread"),
}
# Loops that are not found, and what is said instead; a row goes away when its loop is found.
# AnyEvent's select in Perl is certain by nothing.
NOT_FOUND = {
    "anyevent": "no wait in poll or select was certain",
}
every_program = pytest.mark.parametrize(
    "name", [name for name in PROGRAMS if name not in NOT_FOUND]
)


@pytest.fixture(autouse=True)
def own_loop_of_anyevent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERL_ANYEVENT_MODEL", "Perl")


def argv(name: str, kind: str, fifo: Fifo) -> list[str | Path]:
    words, _ = PROGRAMS[name]
    if not shutil.which(words[0]):
        pytest.skip(f"this machine has no {words[0]}")
    return [*words, kind, fifo.path]


def wait_until_it_reads(fifo: Fifo, hits: Path) -> Event:
    """A slow start may be told in flight too."""

    def find() -> Event | None:
        for event in of_type(read_events(hits), "inflight"):
            if (event["resource"] or {}).get("path") == str(fifo.path):
                return event
        return None

    event: Event = wait_until("the program to read", find)
    return event


@every_program
def test_file_read_in_a_handler_is_named(name: str, hits: Path, fifo: Fifo) -> None:
    with watched(hits, argv(name, "file", fifo)) as process:
        stuck = wait_until_it_reads(fifo, hits)
        fifo.give()
        block = the_block(finish(process, hits))
    assert block["call"] in ("read", "fread") and block["group"] == "file"
    assert (stuck["id"], stuck["resource"]["path"]) == (block["id"], str(fifo.path))
    assert has_function(block, PROGRAMS[name][1]), functions(block)


@every_program
def test_file_read_as_the_runtime_means_it_is_silent(name: str, hits: Path, fifo: Fifo) -> None:
    with watched(hits, argv(name, "free", fifo), CLEAN_THRESHOLD) as process:
        expect_line(process, "free")
        fifo.give()
        assert_nothing_reported(finish(process, hits))


@pytest.mark.parametrize("name", NOT_FOUND)
def test_loop_that_is_not_found_is_said(name: str, hits: Path, fifo: Fifo) -> None:
    with watched(hits, argv(name, "free", fifo), CLEAN_THRESHOLD) as process:
        expect_line(process, "free")
        fifo.give()
        _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, errors
    assert "no loop thread was seen" in errors and NOT_FOUND[name] in " ".join(errors.split())
    assert blocks(read_events(hits)) == []
