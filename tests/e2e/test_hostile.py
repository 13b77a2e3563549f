# SPDX-License-Identifier: Apache-2.0
"""Programs and files that lie to the collector: it stays whole, and so does what it writes."""

from __future__ import annotations

import os
import random
import resource
import struct
import subprocess
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from harness import (
    COMMAND,
    PROGRAMS,
    PYTHON,
    ROOT,
    Event,
    blocks,
    clean_environment,
    functions,
    of_type,
    preload_environment,
    read_events,
    run_command,
    started,
    wait_for_event,
    wait_until,
)
from test_run import LAST_LINE

SOURCE = ROOT / "tests" / "programs" / "kinds" / "blocker.c"

# For each line of its input it calls a function of a library, and says whether that was told.
CALLER = """
import asyncio, ctypes, sys
program = ctypes.CDLL(None)
async def main():
    await asyncio.sleep(0)
    for line in sys.stdin:
        await asyncio.sleep(0)
        path, function = line.split()
        getattr(ctypes.CDLL(path), function)()
        print(program.loophound_flush(), flush=True)
asyncio.run(main())
"""


class Caller:
    """A program that blocks in a library's function when it is told to."""

    def __init__(self, process: subprocess.Popen[str], output: Path) -> None:
        self.process = process
        self.output = output

    def call(self, library: Path, function: str) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{library} {function}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "0\n", "the collector had written it out"

    def end(self) -> list[Event]:
        out, err = self.process.communicate(timeout=60)
        assert (self.process.returncode, out, err) == (0, "", "")
        wait_for_event(self.output, "summary", self.process.pid)
        events = read_events(self.output)
        assert len(of_type(events, "start")) == 1, "one collector from the beginning to the end"
        return events


@contextmanager
def calling(output: Path) -> Iterator[Caller]:
    environment = preload_environment(
        OUTPUT=str(output), STRICT="on", PLACES="each", RATE="off", CALLS="sleep"
    )
    with started(
        [PYTHON, "-c", CALLER], environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        yield Caller(process, output)


def build_library(directory: Path) -> Path:
    library = directory / "libblocker.so"
    argv: list[str | Path] = ["gcc", "-g3", "-O1", "-fno-inline", "-fno-optimize-sibling-calls"]
    argv += ["-fPIC", "-shared", SOURCE, "-o", library]
    subprocess.run(argv, check=True, timeout=60)
    return library


def end_of_what_is_loaded(image: bytes) -> int:
    """The program headers' last byte of the file: behind it are symbols and debug information."""
    offset, size, count = struct.unpack_from("<Q", image, 32)[0], 56, image[56]
    ends = []
    for at in range(offset, offset + count * size, size):
        kind, _, start, _, _, length = struct.unpack_from("<IIQQQQ", image, at)
        if kind == 1:
            ends.append(start + length)
    return max(ends)


def test_library_that_is_cut_short_under_the_collector_takes_it_nowhere(
    hits: Path, tmp_path: Path
) -> None:
    """What is cut off is gone from every mapping of the file: a look at it is a SIGBUS."""
    library = build_library(tmp_path)
    loaded = end_of_what_is_loaded(library.read_bytes())
    with calling(hits) as caller:
        caller.call(library, "block_here")
        with library.open("r+b") as file:
            file.truncate(loaded)
        for function in ("block_there", "block_elsewhere", "block_here"):
            caller.call(library, function)
        events = caller.end()
    found = blocks(events)
    assert len(found) == 4
    assert functions(found[0])[:2] == ["block", "block_here"]
    assert all(block["stack"][0]["module"] == str(library) for block in found)


def damage(image: bytes, first: int, chance: random.Random) -> bytes:
    """Bits of the symbols, the debug information and the section headers are flipped."""
    damaged = bytearray(image)
    for _ in range(chance.choice([1, 8, 64, 512])):
        damaged[chance.randrange(first, len(image))] ^= 1 << chance.randrange(8)
    if chance.random() < 0.3:
        damaged[40 + chance.randrange(8)] ^= 1 << chance.randrange(8)  # e_shoff
    if chance.random() < 0.3:
        damaged[58 + chance.randrange(6)] ^= 1 << chance.randrange(8)  # e_shentsize and on
    return bytes(damaged[: chance.choice([len(image), chance.randrange(first, len(image))])])


def test_blocks_in_damaged_libraries_are_told_as_far_as_they_can_be(
    hits: Path, tmp_path: Path
) -> None:
    image = build_library(tmp_path).read_bytes()
    loaded = end_of_what_is_loaded(image)
    rounds = 60
    with calling(hits) as caller:
        for seed in range(rounds):
            library = tmp_path / f"damaged-{seed}.so"
            library.write_bytes(damage(image, loaded, random.Random(seed)))
            caller.call(library, "block_there")
        events = caller.end()
    found = blocks(events)
    (summary,) = of_type(events, "summary")
    assert (len(found), summary["dropped"]) == (rounds, 0)
    for seed, block in enumerate(found):
        assert block["stack"][0]["module"] == f"{tmp_path}/damaged-{seed}.so"
    assert sum("block_there" in functions(block) for block in found) > rounds / 4


SEEDS = 4
MEMORY_MOST_KB = 150_000


def spoil_under(way: str, seed: int, *flags: str | Path) -> tuple[str, str]:
    """Output and errors of `loophound run` beside a program that spoils its ring."""
    argv: list[str | Path] = [
        COMMAND,
        "run",
        "--strict",
        "--places",
        "each",
        "--rate",
        "off",
        *flags,
        "--",
    ]
    argv += [PROGRAMS / "spoiler", way, str(seed)]
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
        started(argv, clean_environment(), stdout=out, stderr=err) as process,
    ):
        ended: dict[str, Any] = {}

        def has_ended() -> bool:
            pid, ended["status"], ended["usage"] = os.wait4(process.pid, os.WNOHANG)
            return pid == process.pid

        wait_until("the end", has_ended)
        process.returncode = os.waitstatus_to_exitcode(ended["status"])
        out.seek(0)
        err.seek(0)
        said = err.read()
        # 98: in strict mode, and what was spoilt is lost
        assert process.returncode in (0, 98), f"seed {seed}: {said}"
        # A process counts what it was before it became the command, that is, this one here.
        before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert ended["usage"].ru_maxrss <= max(MEMORY_MOST_KB, before_kb)
        return out.read(), said


@pytest.mark.parametrize("way", ["cells", "counters", "totals", "all"])
def test_rubbish_in_the_ring_harms_neither_side(way: str, hits: Path) -> None:
    lines = 0
    for seed in range(SEEDS):
        out, err = spoil_under(way, seed, "-o", hits)
        assert out == "end\n"
        assert LAST_LINE.fullmatch(err.splitlines()[-1]), err
        lines += len(read_events(hits))  # fails on a line that is no event
        assert set(hits.parent.iterdir()) <= {hits}, "and nothing else was written"
        hits.unlink(missing_ok=True)  # a ring that was spoilt at once is refused
    if way in ("cells", "totals"):
        assert lines > SEEDS * 100, "what was not spoilt is told"


HIDDEN = "\u202e\u2066\u2028\u2029\u200b\ufeff\U000e0041\x85\x9b"
EVIL = f"\x1b]0;title\x07\n{HIDDEN}loophound[1]"
UNSAFE = {"Cc", "Cf", "Zl", "Zp"}  # controls, marks without a width, ends of lines

# A thread, a file, a function and a path with such a name.
EVIL_NAMES = """
import asyncio, ctypes, os, sys, threading, time
evil = sys.argv[1]
namespace = {"os": os, "path": f"/{evil}", "time": time}
source = "def block():\\n    time.sleep(0.001)\\n    os.access(path, os.F_OK)\\n"
exec(compile(source, f"/tmp/{evil}.py", "exec"), namespace)
block = namespace["block"]
block.__code__ = block.__code__.replace(co_name=f"{evil}name", co_qualname=f"{evil}name")
async def main():
    ctypes.CDLL(None).prctl(15, evil.encode()[-15:], 0, 0, 0)
    await asyncio.sleep(0)
    asyncio.current_task().set_name(f"{evil}task")
    block()
thread = threading.Thread(target=lambda: asyncio.run(main()))
thread.start()
thread.join()
"""


def assert_safe(text: str) -> None:
    for letter in text.replace("\n", ""):
        assert unicodedata.category(letter) not in UNSAFE, repr(text)
    assert not any(line.startswith("loophound[1]") for line in text.splitlines())


def test_names_of_the_program_give_a_terminal_no_orders(tmp_path: Path, hits: Path) -> None:
    """What is not seen is an escape, as text and as JSON; JSON's readers get the names back."""
    output = tmp_path / "hits.txt"
    for file in (output, hits):
        done = run_command(
            "run", "--strict", "--places", "each", "-o", file, "--", PYTHON, "-c", EVIL_NAMES, EVIL
        )
        assert done.returncode == 0, done.stderr
    text = output.read_text(encoding="utf-8")
    assert "?]0;title??" in text
    assert r"\u202e\u2066\u2028\u2029\u200b\ufeff\U000e0041\u0085\u009bloophound[1]" in text
    assert_safe(text)
    assert_safe(hits.read_text(encoding="utf-8"))
    table = run_command("report", hits).stdout
    assert r"\u202e" in table
    assert_safe(table)
    assert f"{EVIL}name" in {
        name for block in blocks(read_events(hits)) for name in functions(block)
    }
