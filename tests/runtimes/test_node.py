"""Node.js: libuv's loop, which parks in epoll_pwait; the calls are those of V8 and of libuv."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Event, describe, functions, of_type, read_events
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


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Fifo]:
    with Fifo(tmp_path / "fifo") as made:
        yield made


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


def test_function_of_javascript_that_blocks_is_named_with_its_file_and_line(
    hits: Path, fifo: Fifo
) -> None:
    line = 1 + LOOPS.read_text(encoding="utf-8").split("function readConfiguration")[0].count("\n")
    log = ["--no-logfile-per-isolate", f"--logfile={hits.parent / 'v8.log'}"]
    argv: list[str | Path] = ["node", "--perf-basic-prof", *log, LOOPS, "file", fifo.path]
    with watched(hits, argv) as process:
        wait_until_blocked(hits)
        fifo.give()
        block = the_block(finish(process, hits))
    Path(f"/tmp/perf-{block['pid']}.map").unlink()
    stack = block["stack"]
    assert [
        (frame["lang"], frame["function"], frame["file"], frame["line"])
        for frame in stack
        if frame.get("user")
    ] == [("jit", "readConfiguration", str(LOOPS), line)]
    assert any(frame["function"] == "readFileSync" for frame in stack)


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
    found = [stall for stall in stalls if seen_in(stall, function) > 0.8]
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
