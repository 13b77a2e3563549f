# SPDX-License-Identifier: Apache-2.0
"""Without Python: a C program on libuv, and redis-server; native stacks with function names."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import (
    ARM,
    PROGRAMS,
    TOLERANCE_MS,
    blocks,
    describe,
    functions,
    needs,
    of_type,
    preload_environment,
    read_events,
    run_command,
    run_preloaded,
    wait_for_event,
    wait_until,
)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_libuv_callback_that_sleeps_is_one_block_with_function_names(tmp_path: Path) -> None:
    differences = []
    for attempt in range(3):  # the machine may take the processor away between two clock readings
        output = tmp_path / f"{attempt}.jsonl"
        done, events = run_preloaded([PROGRAMS / "uv_server", "wrong"], output)
        assert done.returncode == 0
        (block,) = blocks(events)
        assert block["call"] == "nanosleep"
        names = functions(block)
        assert names[:2] == ["query_database", "handle_request"], names
        assert names.index("handle_request") < names.index("uv_run") < names.index("main"), names
        innermost = block["stack"][0]
        assert innermost["lang"] == "native"
        assert Path(innermost["module"]) == PROGRAMS / "uv_server"
        assert Path(innermost["file"]).name == "uv_server.c" and innermost["line"]
        differences.append(float(done.stdout) - block["duration_ms"])
        if abs(differences[-1]) < TOLERANCE_MS:
            return
    pytest.fail(f"durations are off by {differences} ms")


def test_libuv_thread_pool_is_silent(hits: Path) -> None:
    done, events = run_preloaded([PROGRAMS / "uv_server", "right"], hits)
    assert done.returncode == 0 and float(done.stdout) > 290
    assert blocks(events) == [], describe(events)


@contextmanager
def redis(output: Path, directory: Path, **options: str) -> Iterator[tuple[socket.socket, int]]:
    """A redis-server under the library, and a connection to it."""
    port = free_port()
    settings = {"port": str(port), "bind": "127.0.0.1", "save": "", "enable-debug-command": "yes"}
    argv = ["redis-server"]
    for name, value in settings.items():
        argv += [f"--{name}", value]
    environment = preload_environment(OUTPUT=str(output), **options)
    with subprocess.Popen(
        argv, env=environment, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            assert process.stdout
            for line in process.stdout:
                if b"Ready to accept connections" in line:
                    break
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                yield connection, process.pid
            process.terminate()
            process.stdout.read()
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()


def ask(connection: socket.socket, command: str) -> str:
    connection.sendall(command.encode() + b"\r\n")
    return connection.recv(4096).decode()


@needs("redis-server")
def test_redis_debug_sleep_is_a_block_with_its_function_names(hits: Path, tmp_path: Path) -> None:
    with redis(hits, tmp_path) as (connection, pid):
        assert ask(connection, "PING") == "+PONG\r\n"
        begin = time.monotonic()
        assert ask(connection, "DEBUG SLEEP 0.3") == "+OK\r\n"
        true_ms = (time.monotonic() - begin) * 1000
        (block,) = wait_until("the block", lambda: blocks(read_events(hits)))
    assert block["call"] == "nanosleep"
    assert block["pid"] == pid
    assert 300 <= block["duration_ms"] <= true_ms
    names = functions(block)
    order = [
        names.index(name) for name in ("debugCommand", "call", "processCommand", "aeMain", "main")
    ]
    assert order == sorted(order), names
    summary = wait_for_event(hits, "summary", pid)
    assert summary["blocks"] == 1


@pytest.mark.parametrize(
    ("size", "frames", "is_cut"),
    [("32K", 10, False), ("32K", 100, True), ("256K", 100, False), ("4K", 10, True)],
)
def test_stack_that_does_not_fit_says_so_at_its_end(
    size: str, frames: int, is_cut: bool, hits: Path
) -> None:
    _, events = run_preloaded(
        [PROGRAMS / "deep_stack", str(frames)],
        hits,
        THRESHOLD="20ms",
        STACK="full",
        STACK_BYTES=size,
    )
    (block,) = blocks(events)
    outermost = ("_start", "__libc_start_main" if ARM else "_start")  # Debian 13 for Arm
    assert (functions(block)[-1] in outermost) is not is_cut
    assert [frame.get("cut", False) for frame in block["stack"]] == [False] * (
        len(block["stack"]) - 1
    ) + [is_cut]


def test_text_says_where_the_copy_of_a_stack_ends() -> None:
    program = PROGRAMS / "deep_stack"
    done = run_command("run", "--", program, "10", THRESHOLD="20ms", STACK_BYTES="4K")
    lines = done.stderr.splitlines()
    assert "  ... the copy of the stack ends here (LOOPHOUND_STACK_BYTES=4096)" in lines, lines


@pytest.mark.skipif(ARM, reason="nothing is kept below the stack pointer there (AAPCS64)")
def test_code_that_is_unwound_by_what_is_below_its_stack_has_its_callers(hits: Path) -> None:
    done, events = run_preloaded([PROGRAMS / "red_zone"], hits, THRESHOLD="50ms")
    assert done.returncode == 0
    stacks = [
        functions(sample) for stall in of_type(events, "stall") for sample in stall["samples"]
    ]
    spinning = [names for names in stacks if names[0] == "spin_in_red_zone"]
    assert spinning
    assert all(names[1:3] == ["handle", "main"] for names in spinning), spinning
