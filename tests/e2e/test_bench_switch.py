# SPDX-License-Identifier: Apache-2.0
"""The switch that benchmarks have (src/preload/loop/rest.h): off, a loop thread is none."""

import subprocess
import sys
from contextlib import contextmanager

import pytest
from harness import (
    BUILD,
    COMMAND,
    LIBRARY,
    PYTHON,
    ROOT,
    blocks,
    clean_environment,
    read_events,
    stalls_of,
    wait_until,
)

sys.path.insert(0, str(ROOT / "tests" / "bench"))

from switch import Switch, SwitchError, symbol_at

PROGRAM = """
import asyncio, os, sys, time

async def main():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(os.getpid(), flush=True)
    while line := await reader.readline():
        if line == b"block\\n":
            time.sleep(0.2)
        await asyncio.sleep(0)
        print("done", flush=True)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """The program that says where the switch is."""
    program = tmp_path_factory.mktemp("words") / "switch_words"
    source = ROOT / "tests" / "bench" / "switch_words.c"
    flags = ["-std=gnu11", "-D_GNU_SOURCE", f"-I{ROOT}/src", f"-I{ROOT}/include"]
    subprocess.run(["cc", *flags, source, "-o", program], check=True)
    return program


@contextmanager
def program(*run):
    """With its pid; `run`: what it runs under."""
    with subprocess.Popen(
        [*run, PYTHON, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=clean_environment(),
    ) as process:
        yield process, int(process.stdout.readline())


def ask(process, line):
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"


def test_off_nothing_is_told_and_on_again_all_is(tmp_path, words):
    hits = tmp_path / "hits.jsonl"
    with program(COMMAND, "run", "-t", "100ms", "-o", hits, "--") as (process, pid):
        ask(process, "block")
        wait_until("the first block", lambda: len(blocks(read_events(hits))) == 1)
        switch = Switch(pid, BUILD, words)
        switch.turn(False)
        ask(process, "ping")  # parks
        ask(process, "block")
        ask(process, "block")
        assert not switch.is_on()
        switch.turn(True)
        ask(process, "ping")
        assert switch.is_on()
        ask(process, "block")
        switch.close()
        process.stdin.close()
        assert process.wait() == 0
    events = read_events(hits)
    assert [block["call"] for block in blocks(events)] == [blocks(events)[0]["call"]] * 2
    assert stalls_of(events) == []  # the time in between is no iteration


def test_a_process_without_the_library_is_named(words):
    with program() as (process, pid):
        with pytest.raises(SwitchError, match=f"process {pid} does not have {LIBRARY}"):
            Switch(pid, BUILD, words)
        process.stdin.close()


def test_a_library_without_symbols_is_named():
    with pytest.raises(SwitchError, match="has no symbol lh_nothing: is it stripped"):
        symbol_at(LIBRARY, "lh_nothing")
