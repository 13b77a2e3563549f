# SPDX-License-Identifier: Apache-2.0
"""Real programs run under the library with unchanged output and exit status."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import (
    ARM,
    COMMAND,
    EMULATED,
    LIBRARY,
    PROGRAMS,
    PYTHON,
    ROOT,
    blocks,
    clean_environment,
    describe,
    functions,
    native_speed,
    needs,
    of_type,
    preload_environment,
    read_events,
    started,
    wait_for_event,
    wait_until,
)
from test_native import ask, free_port, redis
from test_python_walk import INTERPRETERS


def both_ways(
    argv: Sequence[str], hits: Path, stdin: str = ""
) -> tuple[subprocess.CompletedProcess[str], ...]:
    """The program without the library, and with it."""
    results = []
    for environment in (clean_environment(), preload_environment(OUTPUT=str(hits))):
        results.append(
            subprocess.run(
                argv, env=environment, input=stdin, capture_output=True, text=True, timeout=120
            )
        )
    return tuple(results)


def test_library_needs_libc_alone() -> None:
    dynamic = subprocess.run(
        ["readelf", "-d", LIBRARY], capture_output=True, text=True, check=True
    ).stdout
    assert re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic) == ["libc.so.6"]
    loaded = subprocess.run(["ldd", LIBRARY], capture_output=True, text=True, check=True).stdout
    names = {line.split()[0].split("/")[-1] for line in loaded.splitlines()}
    linker = "ld-linux-aarch64.so.1" if ARM else "ld-linux-x86-64.so.2"
    assert names == {"linux-vdso.so.1", "libc.so.6", linker}


def test_library_exports_no_unwinder_and_nothing_internal() -> None:
    exported = subprocess.run(
        ["nm", "-D", "--defined-only", LIBRARY], capture_output=True, text=True, check=True
    ).stdout
    assert "_Unwind" not in exported
    assert not re.search(r" lh_", exported)


def test_cxx_module_loaded_later_throws_with_libgccs_unwinder(hits: Path) -> None:
    program = (
        "import asyncio, ctypes\n"
        f"module = ctypes.CDLL({str(PROGRAMS / 'unwinding.so')!r})\n"
        "module.throw_and_catch.restype = ctypes.c_char_p\n"
        "async def main():\n"
        "    print(module.throw_and_catch().decode())\n"
        "asyncio.run(main())\n"
    )
    bare, under = both_ways([PYTHON, "-c", program], hits)
    assert under.stdout == bare.stdout
    assert "libgcc_s" in under.stdout
    assert (under.returncode, under.stderr) == (0, "")


PANDAS = (
    "import pandas, asyncio\n"
    "async def main():\n"
    "    frame = pandas.DataFrame({'a': range(1000)})\n"
    "    print(frame.describe().to_string())\n"
    "    return int(frame.a.sum()) % 100\n"
    "raise SystemExit(asyncio.run(main()))\n"
)


@needs("pandas")
def test_pandas_import_is_unchanged(hits: Path) -> None:
    bare, under = both_ways([PYTHON, "-c", PANDAS], hits)
    assert (under.returncode, under.stdout, under.stderr) == (0, bare.stdout, bare.stderr)
    assert "mean" in under.stdout


NODE = (
    "const fs = require('fs'), dns = require('dns'), child = require('child_process');"
    "setTimeout(() => fs.readFile('/etc/hostname', () => {"
    "  console.log(child.execSync('echo from a child').toString());"
    "  process.exitCode = 7;"
    "}), 10);"
)


@needs("node")
def test_node_is_unchanged(hits: Path) -> None:
    bare, under = both_ways(["node", "-e", NODE], hits)
    assert bare.returncode == 7
    assert (under.returncode, under.stdout, under.stderr) == (7, bare.stdout, bare.stderr)
    assert of_type(read_events(hits), "loop"), "node's loop was found"


@needs("node")
def test_node_exec_sync_is_a_block_on_its_loop(hits: Path) -> None:
    # The first timer may be due before the loop has parked at all; the second never is.
    block = "require('child_process').execSync('sleep 0.3')"
    program = f"setTimeout(() => setTimeout(() => {block}, 1), 1)"
    environment = preload_environment(OUTPUT=str(hits))
    with started(["node", "-e", program], environment) as process:
        assert process.wait(timeout=60) == 0
    wait_for_event(hits, "summary", process.pid)
    found = [block for block in blocks(read_events(hits)) if block["pid"] == process.pid]
    assert len(found) == 1, describe(found)
    assert found[0]["group"] == "wait" and 250 < found[0]["duration_ms"] < 5000


PAGE = bytes(range(256)) * 4096


@contextmanager
def server(
    argv: Sequence[str], environment: dict[str, str], port: int, cwd: Path
) -> Iterator[subprocess.Popen[bytes]]:
    log = (cwd / "server.log").open("wb")
    with subprocess.Popen(argv, env=environment, cwd=cwd, stdout=log, stderr=log) as process:

        def answers() -> bool:
            assert process.poll() is None, (cwd / "server.log").read_text()
            try:
                return fetch(port, "/") is not None
            except OSError:
                return False

        try:
            wait_until(f"{argv[0]} to answer", answers)
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def fetch(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        content: bytes = answer.read()
        return content


def nginx(tmp_path: Path, user: str) -> tuple[list[str], int]:
    """The command and the port of an nginx whose workers run as this user."""
    port = free_port()
    (tmp_path / "page").write_bytes(PAGE)
    (tmp_path / "logs").mkdir()
    (tmp_path / "nginx.conf").write_text(
        "daemon off; worker_processes 2; error_log stderr; pid nginx.pid; events {}\n"
        f"http {{ access_log off; server {{ listen 127.0.0.1:{port}; root {tmp_path}; "
        'location = / { return 200 "index"; } } '
        + "".join(
            f"{name}_temp_path t_{name}; "
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + "}\n"
    )
    tmp_path.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    argv = ["/usr/sbin/nginx", "-p", str(tmp_path), "-c", "nginx.conf", "-g", f"user {user};"]
    return argv, port


@needs("nginx")
def test_nginx_serves_and_ends_as_ever(hits: Path, tmp_path: Path) -> None:
    argv, port = nginx(tmp_path, "root")
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="5s")
    with server(argv, environment, port, tmp_path) as process:
        for _ in range(20):
            assert fetch(port, "/page") == PAGE
        process.send_signal(signal.SIGQUIT)
        assert process.wait(timeout=60) == 0
    assert blocks(read_events(hits)) == []
    assert len({event["pid"] for event in of_type(read_events(hits), "loop")}) >= 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up root")
@needs("nginx")
def test_nginx_workers_that_gave_up_root_are_seen_by_the_run_of_root(
    hits: Path, tmp_path: Path
) -> None:
    argv, port = nginx(tmp_path, "www-data")
    run = [str(COMMAND), "run", "-t", "5s", "-o", str(hits), "--", *argv]
    with server(run, clean_environment(), port, tmp_path) as process:
        assert fetch(port, "/") == b"index"
        process.send_signal(signal.SIGQUIT)
        assert process.wait(timeout=60) == 0
    last = (tmp_path / "server.log").read_text().splitlines()[-1]
    assert "2 loop threads" in last and "0 dropped" in last
    assert len({event["pid"] for event in of_type(read_events(hits), "loop")}) == 2
    assert hits.stat().st_uid == 0


@needs("uvicorn")
def test_uvicorn_serves_and_ends_as_ever(hits: Path, tmp_path: Path) -> None:
    port = free_port()
    argv = [PYTHON, "-m", "uvicorn", "--app-dir", str(ROOT / "tests/programs/python")]
    argv += ["--port", str(port), "--log-level", "warning", "server:app"]
    environment = preload_environment(OUTPUT=str(hits), THRESHOLD="5s")
    with server(argv, environment, port, tmp_path) as process:
        for _ in range(20):
            assert fetch(port, "/") == b"hello\n" * 1000
        process.send_signal(signal.SIGINT)
        # uvicorn's own status after an interrupt, whatever its version: the same without us.
        under = process.wait(timeout=60)
    with server(argv, clean_environment(), port, tmp_path) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == under
    assert (tmp_path / "server.log").read_text() == ""
    assert blocks(read_events(hits)) == []


@needs("redis-server")
def test_redis_answers_as_ever_and_forks_to_save(hits: Path, tmp_path: Path) -> None:
    with redis(hits, tmp_path, THRESHOLD="5s") as (connection, _):
        assert ask(connection, "SET key value") == "+OK\r\n"
        assert ask(connection, "GET key") == "$5\r\nvalue\r\n"
        assert ask(connection, "SAVE") == "+OK\r\n"
        assert "Background saving started" in ask(connection, "BGSAVE")

        def saved() -> bool:
            info = ask(connection, "INFO persistence")
            return "rdb_bgsave_in_progress:0" in info

        wait_until("the background save", saved)
        assert "rdb_last_bgsave_status:ok" in ask(connection, "INFO persistence")
    assert blocks(read_events(hits)) == []


def test_program_sees_no_thread_of_ours(hits: Path) -> None:
    """No pthread and no task that ps or the program would count as the program's own children."""
    program = (
        "import asyncio, os, time, threading\n"
        "async def main():\n"
        "    await asyncio.sleep(0)\n"
        "    time.sleep(0.15)\n"
        "    try:\n"
        "        print(os.waitpid(-1, os.WNOHANG))\n"
        "    except ChildProcessError:\n"
        "        print('no child')\n"
        "    print(threading.active_count(), sorted(os.listdir('/proc/self/fd')))\n"
        "asyncio.run(main())\n"
    )
    bare, under = both_ways([PYTHON, "-c", program], hits)
    assert under.stdout.splitlines()[0] == "no child"
    assert under.stdout == bare.stdout, "same children, threads and descriptors"
    wait_for_event(hits, "summary")
    assert len(blocks(read_events(hits))) == 1


@pytest.mark.parametrize("python", INTERPRETERS)
def test_fork_finds_one_thread_and_what_follows_it_is_watched(python: str, hits: Path) -> None:
    """CPython 3.12 and later count the threads of a process that forks, and warn."""
    program = (
        "import asyncio, os, signal\n"
        "async def main():\n"
        "    await asyncio.sleep(0)\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        signal.sigtimedwait([signal.SIGUSR1], 0.25)\n"
        "        os._exit(3)\n"
        "    print(os.waitpid(child, 0)[1] >> 8)\n"
        "asyncio.run(main())\n"
    )
    environment = preload_environment(OUTPUT=str(hits))
    with started([python, "-W", "always", "-c", program], environment, stderr=-1) as process:
        out, err = process.communicate(timeout=60)
    assert (out, err) == ("3\n", "")
    wait_for_event(hits, "summary", process.pid)
    events = [event for event in read_events(hits) if event["pid"] == process.pid]
    assert [block["call"] for block in blocks(events)] == ["waitpid"]
    assert of_type(events, "inflight"), "the watchdog was back before the wait"


def test_fork_before_the_collector_has_answered_makes_no_second_one(
    hits: Path, tmp_path: Path
) -> None:
    """The watchdog that started the collector is stopped for the fork, and another takes over."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    slow = tmp_path / "slow-collector"
    slow.write_text(f"#!/bin/sh\nread go <'{gate}'\nexec '{COMMAND}' collector\n")
    slow.chmod(0o755)
    program = (
        "import asyncio, ctypes, os, time\n"
        "async def main():\n"
        "    await asyncio.sleep(0)\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
        "    await asyncio.sleep(0)\n"
        "    time.sleep(0.15)\n"
        f"    with open({str(gate)!r}, 'w') as gate:\n"
        "        gate.write('go\\n')\n"
        "    print(ctypes.CDLL(None).loophound_flush())\n"
        "asyncio.run(main())\n"
    )
    environment = preload_environment(OUTPUT=str(hits), COLLECTOR=str(slow))
    with started([PYTHON, "-c", program], environment) as process:
        out, _ = process.communicate(timeout=60)
    assert out == "0\n"
    wait_for_event(hits, "summary", process.pid)
    events = read_events(hits)
    assert len(of_type(events, "start")) == len(of_type(events, "summary")) == 1
    assert [block["call"] for block in blocks(events)] == ["clock_nanosleep"]


def test_block_between_a_fork_and_the_next_park_is_not_lost() -> None:
    """As text a collector is wanted only now, and the watchdog that would start it is gone."""
    program = (
        "import asyncio, os, signal\n"
        "async def main():\n"
        "    await asyncio.sleep(0)\n"
        "    ours, theirs = os.pipe()\n"
        "    if os.fork() == 0:\n"
        "        signal.sigtimedwait([signal.SIGUSR1], 0.6)\n"
        "        os.write(theirs, b'x')\n"
        "        os._exit(0)\n"
        "    os.read(ours, 1)\n"
        "    await asyncio.sleep(0)\n"
        "asyncio.run(main())\n"
    )
    environment = preload_environment(THRESHOLD="400ms")
    with started([PYTHON, "-c", program], environment, stderr=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=60)
    assert " in read (" in err, err
    # An emulated fork alone may take so long, and is a stall then.
    assert ("1 block and " if EMULATED else "1 block and 0 stalls on 1 loop thread") in err, err


EACH = pytest.param({"THRESHOLD": "1ms"}, marks=native_speed)


@pytest.mark.alone
@pytest.mark.parametrize("options", [{"STRICT": "on", "PLACES": "each"}, EACH, {}])
def test_reports_and_losses_add_up_in_turmoil(options: dict[str, str], hits: Path) -> None:
    """Signals, siglongjmp, forks and cancellation in the middle of calls and of their reports."""
    environment = preload_environment(OUTPUT=f"{hits.parent}/%p.jsonl", **options)
    with started([PROGRAMS / "turmoil"], environment, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "calm\n", "")
    own = hits.parent / f"{process.pid}.jsonl"
    summary = wait_for_event(own, "summary", process.pid)
    reported = len(blocks(read_events(own)))
    if "RATE" in options:
        assert summary["blocks"] == reported + summary["dropped"]
        # Each round of the three workers sends, receives and pauses.
        assert summary["blocks"] >= 3 * 2000 * 2.5
        last = blocks(read_events(own))[-1]
        assert "after_all" in functions(last), "the queue has not stopped on the way"
    for file in hits.parent.glob("*.jsonl"):
        assert read_events(file)[0]["type"] == "start", "every line of every process is whole"


def test_the_tests_themselves_run_without_the_library() -> None:
    with pytest.raises(AttributeError):
        _ = ctypes.CDLL(None).loophound_version
