# SPDX-License-Identifier: Apache-2.0
"""Java: a java.nio Selector and Netty's loop, which park in epoll_wait; the calls are the JVM's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from watched import (
    BUILT,
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

KINDS = ("nio", "netty")
NETTY = ":".join(
    f"/usr/share/java/netty-{part}.jar" for part in ("buffer", "common", "resolver", "transport")
)


@pytest.fixture(scope="session")
def loops() -> list[str]:
    """The command, without arguments, that runs the compiled program."""
    classes = BUILT / "java"
    source = HERE / "java" / "Loops.java"
    command = ["javac", "-Xlint:all", "-Werror", "-cp", NETTY, "-d", str(classes), str(source)]
    subprocess.run(command, check=True, timeout=120)
    return ["java", "-cp", f"{classes}:{NETTY}", "Loops"]


@pytest.mark.parametrize("kind", KINDS)
def test_thread_sleep_in_a_handler_is_named(
    kind: str, loops: list[str], hits: Path, fifo: Fifo
) -> None:
    with watched(hits, [*loops, kind, "sleep", fifo.path]) as process:
        events = finish(process, hits)
    block = the_block(events)
    notes = [event["note"] for event in events if event.get("note")]
    assert len(notes) == 1 and "jcmd PID Compiler.perfmap" in notes[0]
    # The JVM sleeps on a condition of its own, so that Thread.interrupt() can end it.
    assert (block["call"], block["group"]) == ("pthread_cond_timedwait", "lock")
    assert block["thread"] == f"{kind}-loop"
    assert has_function(block, "JVM_Sleep")


@pytest.mark.parametrize("kind", KINDS)
def test_reading_a_file_in_a_handler_is_named(
    kind: str, loops: list[str], hits: Path, fifo: Fifo
) -> None:
    with watched(hits, [*loops, kind, "file", fifo.path]) as process:
        stuck = wait_until_blocked(hits)
        fifo.give()
        block = the_block(finish(process, hits))
    assert (block["call"], block["group"]) == ("read", "file")
    assert (stuck["id"], stuck["resource"]["path"]) == (block["id"], str(fifo.path))
    assert has_function(block, "readSingle")


@pytest.mark.parametrize("kind", KINDS)
def test_name_look_up_in_a_handler_could_wait(
    kind: str, loops: list[str], hits: Path, fifo: Fifo
) -> None:
    strict = ["--strict", "--places", "each", "--calls", "dns"]
    with watched(hits, [*loops, kind, "lookup", fifo.path], flags=strict) as process:
        block = the_block(finish(process, hits))
    assert (block["call"], block["group"], block["reason"]) == ("getaddrinfo", "dns", "strict")
    assert block["resource"] == {"kind": "name", "host": "localhost"}
    assert has_function(block, "lookupAllHostAddr")


@pytest.mark.parametrize("kind", KINDS)
def test_waits_in_an_executor_are_silent(
    kind: str, loops: list[str], hits: Path, fifo: Fifo
) -> None:
    with watched(hits, [*loops, kind, "free", fifo.path], CLEAN_THRESHOLD) as process:
        expect_line(process, "free")
        fifo.give()
        assert_nothing_reported(finish(process, hits))
