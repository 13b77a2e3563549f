# SPDX-License-Identifier: Apache-2.0
"""Node.js: libuv's loop, which parks in epoll_pwait; the calls are those of V8 and of libuv."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import PYTHON, Event, describe, functions, of_type, read_events
from watched import (
    CLEAN_THRESHOLD,
    HERE,
    Fifo,
    assert_nothing_reported,
    expect_line,
    finish,
    has_function,
    the_block,
    wait_until_blocked,
    watched,
)

LOOPS = HERE / "node" / "loops.js"


@pytest.mark.parametrize(
    ("wait", "calls", "group", "function"),
    [
        ("file", ["read"], "file", "uv_fs_read"),
        # A loop inside the loop; the second is that of libuv before 1.45.
        ("process", ["epoll_pwait", "epoll_wait"], "wait", "SyncProcessRunner"),
        ("atomics", ["pthread_cond_wait"], "lock", "FutexEmulation"),
    ],
)
def test_synchronous_wait_in_a_callback_is_named(
    wait: str, calls: list[str], group: str, function: str, hits: Path, fifo: Fifo
) -> None:
    with watched(hits, ["node", LOOPS, wait, fifo.path]) as process:
        stuck = wait_until_blocked(hits)
        fifo.give()
        block = the_block(finish(process, hits))
    assert block["call"] in calls
    assert block["group"] == group
    assert has_function(block, function)
    if wait == "file":
        assert (stuck["id"], stuck["resource"]["path"]) == (block["id"], str(fifo.path))


@pytest.mark.parametrize("has_map", [False, True])
def test_function_of_javascript_that_blocks_is_named_with_its_file_and_line(
    has_map: bool, hits: Path, fifo: Fifo
) -> None:
    line = 1 + LOOPS.read_text(encoding="utf-8").split("fs.readFileSync(fifo)")[0].count("\n")
    log = ["--no-logfile-per-isolate", f"--logfile={hits.parent / 'v8.log'}"]
    flags = ["--perf-basic-prof", *log] if has_map else []
    argv: list[str | Path] = ["node", *flags, LOOPS, "file", fifo.path]
    with watched(hits, argv) as process:
        stuck = wait_until_blocked(hits)
        fifo.give()
        block = the_block(finish(process, hits))
    if has_map:
        Path(f"/tmp/perf-{block['pid']}.map").unlink()
    assert (stuck["note"], block["note"]) == (None, None)
    stack = block["stack"]
    assert [
        (frame["lang"], frame["function"], frame["file"], frame["line"])
        for frame in stack
        if frame.get("user")
    ] == [("jit", "readConfiguration", str(LOOPS), line)]
    assert any(frame["function"] == "readFileSync" for frame in stack)


# Names for all of memory, in the map of this process; then it is another program.
OLD_MAP = """
import os, sys
path = f"/tmp/perf-{os.getpid()}.map"
with open(path, "w") as file:
    for part in range(0x8000):
        file.write(f"{part << 32:x} ffffffff old_name\\n")
os.utime(path, (1000, 1000))
os.execvp("node", ["node", *sys.argv[1:]])
"""


def test_map_of_a_process_that_had_the_same_number_is_not_used(hits: Path, fifo: Fifo) -> None:
    with watched(hits, [PYTHON, "-c", OLD_MAP, LOOPS, "file", fifo.path]) as process:
        wait_until_blocked(hits)
        fifo.give()
        block = the_block(finish(process, hits))
    Path(f"/tmp/perf-{block['pid']}.map").unlink()
    assert not has_function(block, "old_name")


HASHES = """
const crypto = require('crypto');
function heavyWork() {
    crypto.pbkdf2Sync('p', 's', 400000, 64, 'sha512');
}
setTimeout(heavyWork, 50);
setTimeout(() => 0, 100);
"""


def test_hash_in_assembler_is_a_stall_of_the_function_that_asks_for_it(
    hits: Path, tmp_path: Path
) -> None:
    script = tmp_path / "hashes.js"
    script.write_text(HASHES)
    log = ["--no-logfile-per-isolate", f"--logfile={tmp_path / 'v8.log'}"]
    with watched(hits, ["node", "--perf-basic-prof", *log, script]) as process:
        events = finish(process, hits)
    found = [stall for stall in of_type(events, "stall") if seen_in(stall, "sha512") > 0.1]
    assert len(found) == 1, describe(events)
    Path(f"/tmp/perf-{found[0]['pid']}.map").unlink()
    assert seen_in(found[0], "heavyWork") > 0.9


COLLECTS = """
const keep = [];
for (let i = 0; i < 2e6; i++) keep.push({ i, s: [i] });
setTimeout(function clean() { for (const end = Date.now() + 500; Date.now() < end;) gc(); }, 50);
setTimeout(() => 0, 100);
"""


def test_pause_of_the_garbage_collector_says_so(hits: Path, tmp_path: Path) -> None:
    script = tmp_path / "collects.js"
    script.write_text(COLLECTS)
    with watched(hits, ["node", "--expose-gc", script], "20ms") as process:
        stalls = of_type(finish(process, hits), "stall")
    groups = [group for stall in stalls for group in stall["groups"]]
    assert any(group["collecting_ms"] > 0.5 * group["ms"] for group in groups), groups


def seen_in(stall: Event, part: str) -> float:
    """Of all samples, the part in which a function of such a name was."""
    counts = [(sample["count"], " ".join(functions(sample))) for sample in stall["samples"]]
    seen = sum(count for count, names in counts if part in names)
    return float(seen / max(sum(count for count, _ in counts), 1))


@pytest.mark.parametrize(
    ("kind", "function"),
    [("loop", "RunTimers"), ("json", "JsonParser"), ("regexp", "RegExp")],
)
def test_computing_in_a_callback_is_a_stall_with_its_function(
    kind: str, function: str, hits: Path
) -> None:
    with watched(hits, ["node", LOOPS, kind]) as process:
        out, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    stalls = of_type(read_events(hits), "stall")
    found = [stall for stall in stalls if seen_in(stall, function) > 0.5]
    assert len(found) == 1, describe(stalls)  # making the text, and a slow start, are others
    stall = found[0]
    assert stall["oncpu_ms"] == pytest.approx(float(out), rel=0.1, abs=10)
    if kind == "loop":
        assert stall["samples"][0]["stack"][0]["lang"] == "jit"


def test_callbacks_and_workers_are_silent(hits: Path, fifo: Fifo) -> None:
    with watched(hits, ["node", LOOPS, "free", fifo.path], CLEAN_THRESHOLD) as process:
        expect_line(process, "free")
        fifo.give()
        assert_nothing_reported(finish(process, hits))
