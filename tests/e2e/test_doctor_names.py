# SPDX-License-Identifier: Apache-2.0
"""loophound doctor on runtimes, the surroundings of a program, processes, and a trial."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import (
    COMMAND,
    LIBRARY,
    clean_environment,
    preload_environment,
    run_command,
    started,
    wait_until,
)
from test_doctor import (
    CANNOT,
    NOTHING,
    ROOT_ONLY,
    check_screen,
    compile_text,
    examine,
    finding,
    has,
    look,
    put_script,
)

# ---- runtimes ----


def needs(command: str) -> str:
    path = shutil.which(command)
    if path is None:
        pytest.skip(f"{command} is not installed")
    return path


def test_uvicorn_by_its_script() -> None:
    status, found = look(needs("uvicorn"), "app:app")
    assert status == 0 and {one["state"] for one in found} == {"ok"}
    assert finding(found, "python", "ok")


def test_python_of_a_venv(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    _, found = look(tmp_path / "bin" / "python")
    assert " of a venv" in finding(found, "python", "ok")["text"]


@pytest.mark.parametrize(("minor", "state"), [(11, "ok"), (7, "miss"), (99, "miss")])
def test_python_is_known_by_its_version(minor: int, state: str, tmp_path: Path) -> None:
    text = (
        f"const unsigned long Py_Version = 0x03{minor:02x}05f0; void Py_IsInitialized(void) {{}}\n"
    )
    program = compile_text(tmp_path / "python", text + NOTHING, "-rdynamic")
    _, found = look(program)
    assert f"Python 3.{minor}.5" in finding(found, "python", state)["text"]


def test_python_in_a_library(tmp_path: Path) -> None:
    text = "const unsigned long Py_Version = 0x030c03f0; void Py_IsInitialized(void) {}\n"
    name = "libpython3.12.so.1.0"
    compile_text(tmp_path / name, text, "-shared", "-fPIC", f"-Wl,-soname,{name}")
    program = compile_text(
        tmp_path / "embeds",
        "void Py_IsInitialized(void); int main(void) { Py_IsInitialized(); }\n",
        tmp_path / "libpython3.12.so.1.0",
        "-Wl,-rpath,$ORIGIN",
    )
    subprocess.run([program], check=True, timeout=60, cwd="/")
    _, found = look(program)
    assert "Python 3.12.3" in finding(found, "python", "ok")["text"]


def test_pypy_is_none_of_them(tmp_path: Path) -> None:
    library = compile_text(
        tmp_path / "libpypy3.9-c.so",
        "void pypy(void) {}\n",
        "-shared",
        "-Wl,-soname,libpypy3.9-c.so",
    )
    program = compile_text(
        tmp_path / "pypy3", "void pypy(void); int main(void) { pypy(); return 0; }\n", library
    )
    status, found = look(program)
    told = finding(found, "runtime", "miss")
    assert status == 0 and not has(found, "python")
    assert told["text"].startswith("PyPy") and "vmprof" in told["todo"]


def test_program_with_a_language_in_it_is_native_all_the_same(tmp_path: Path) -> None:
    name = "liblua5.4.so.0"
    library = compile_text(tmp_path / name, "void lua(void) {}\n", "-shared", f"-Wl,-soname,{name}")
    server = compile_text(
        tmp_path / "server", "void lua(void); int main(void) { lua(); return 0; }\n", library, "-g"
    )
    _, found = look(server)
    assert finding(found, "runtime", "miss")["text"].startswith("Lua 5.4")
    assert finding(found, "symbols", "ok")


def test_node_needs_no_flag() -> None:
    status, found = look(needs("node"), "app.js")
    told = finding(found, "runtime", "ok")
    assert status == 0 and re.match(r"Node.js.* \(V8 \d+\.\d+\): JavaScript", told["text"]), told


def test_node_of_a_version_that_is_not_known_needs_a_flag(tmp_path: Path) -> None:
    """A program of that name which says nothing of its V8."""
    node = compile_text(tmp_path / "node", "int main(void) { return 0; }\n")
    _, found = look(node, "app.js")
    told = finding(found, "runtime", "miss")
    assert told["text"].startswith("Node.js") and told["todo"]
    _, found = look(node, "--perf-basic-prof", "app.js")
    assert finding(found, "runtime", "ok")
    _, found = look(node, "app.js", extra={"NODE_OPTIONS": "--perf-basic-prof"})
    assert finding(found, "runtime", "ok")
    _, found = look("env", "NODE_OPTIONS=--perf-basic-prof", node, "app.js")
    assert finding(found, "runtime", "ok")


def test_java_has_no_names() -> None:
    status, found = look(needs("java"), "-jar", "app.jar")
    told = finding(found, "runtime", "miss")
    assert status == 0 and told["text"].startswith("Java") and "Compiler.perfmap" in told["todo"]


# ---- calls past libc ----

WAITS_PAST_LIBC = """
int main(void)
{{
    long result;
    __asm__ volatile("mov ${number}, %%eax; syscall"
                     : "=a"(result) : "D"(-1) : "rcx", "r11", "memory");
    return (int)result;
}}
"""


@pytest.mark.parametrize(("number", "state"), [(426, "miss"), (232, "warn"), (39, None)])
def test_system_calls_of_its_own(number: int, state: str | None, tmp_path: Path) -> None:
    """io_uring_enter, epoll_wait, and one that does not wait: getpid."""
    program = compile_text(tmp_path / "inline", WAITS_PAST_LIBC.format(number=number))
    status, found = look(program)
    assert status == 0
    assert finding(found, "calls", state) if state else not has(found, "calls")


def test_liburing_as_a_library(tmp_path: Path) -> None:
    library = compile_text(
        tmp_path / "liburing.so.2", "void uring(void) {}\n", "-shared", "-Wl,-soname,liburing.so.2"
    )
    program = compile_text(
        tmp_path / "server", "void uring(void); int main(void) { uring(); return 0; }\n", library
    )
    _, found = look(program)
    assert "liburing.so.2" in finding(found, "calls", "miss")["text"]


# ---- surroundings ----


@ROOT_ONLY
def test_without_proc() -> None:
    script = f"mount -t tmpfs none /proc && exec '{COMMAND}' doctor -- '{sys.executable}'"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip("no mount namespace can be made here")
    check_screen(done)
    assert done.returncode == 0 and "/proc is not mounted" in done.stdout


def under_a_filter() -> None:
    """A seccomp filter that allows everything: BPF_RET, SECCOMP_RET_ALLOW."""
    libc = ctypes.CDLL(None, use_errno=True)
    program = ctypes.create_string_buffer(b"\x06\0\0\0\0\0\xff\x7f")

    class Filter(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    given = Filter(1, ctypes.addressof(program))
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, ctypes.byref(given), 0, 0) == 0  # PR_SET_SECCOMP


def test_filter_of_system_calls_is_inherited() -> None:
    done = subprocess.run(
        [COMMAND, "doctor", "--", "true"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=under_a_filter,
    )
    check_screen(done)
    assert done.returncode == 0 and "it will inherit a filter of system calls" in done.stdout


@pytest.mark.parametrize(
    ("kind", "limit", "said"),
    [(resource.RLIMIT_NOFILE, 8, "ulimit -n is 8"), (resource.RLIMIT_FSIZE, 1 << 20, "ulimit -f")],
)
def test_limits_that_leave_no_room(kind: int, limit: int, said: str) -> None:
    done = subprocess.run(
        [COMMAND, "doctor", "--", "true"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(kind, (limit, limit)),
    )
    check_screen(done)
    assert done.returncode == CANNOT and said in done.stdout


def test_options_that_nobody_reads_as_meant() -> None:
    status, found = look("true", extra={"LOOPHOUND_TRESHOLD": "1s"}, THRESHOLD="soon")
    texts = [one["text"] for one in found if one["check"] == "options"]
    assert status == 0 and len(texts) == 2
    assert texts[0].startswith("LOOPHOUND_THRESHOLD=soon: expected a duration")
    assert texts[1].startswith("LOOPHOUND_TRESHOLD is no option")


def test_output_is_looked_at_and_not_made(tmp_path: Path) -> None:
    output = tmp_path / "hits.jsonl"
    status, found = look("true", OUTPUT=str(output))
    assert status == 0 and str(output) in finding(found, "output", "ok")["text"]
    assert not output.exists()
    status, found = look("true", OUTPUT=str(tmp_path / "none" / "hits.jsonl"))
    assert status == CANNOT and "No such file" in finding(found, "output", "miss")["text"]


@ROOT_ONLY
def test_output_on_a_full_disk() -> None:
    script = f"mount -t tmpfs -o size=64k none /mnt && exec '{COMMAND}' doctor -- true"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        env=clean_environment(OUTPUT="/mnt/hits.jsonl"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip("no mount namespace can be made here")
    assert "where 0 MiB are left" in done.stdout


def test_other_libraries_in_ld_preload() -> None:
    libc = "/lib/x86_64-linux-gnu/libm.so.6"
    _, found = look("env", f"LD_PRELOAD={libc}:/no/such.so", "true")
    assert libc in finding(found, "tools", "ok")["text"]
    assert "/no/such.so" in finding(found, "tools", "warn")["text"]


def test_alone_it_looks_at_the_installation(tmp_path: Path) -> None:
    status, found = examine()
    assert status == 0 and str(LIBRARY) in finding(found, "library", "ok")["text"]
    lonely = shutil.copy(COMMAND, tmp_path / "loophound")
    done = subprocess.run(
        [lonely, "doctor"], env=clean_environment(), capture_output=True, text=True
    )
    if "libloophound.so is neither" not in done.stdout:
        pytest.skip("the library is installed on this machine")
    assert done.returncode == CANNOT


# ---- processes ----

LOOP = """
import asyncio, sys, time
async def main():
    while True:
        time.sleep(0.02)
        print("turn", flush=True)
        await asyncio.sleep(0.02)
asyncio.run(main())
"""


@contextmanager
def running(
    tmp_path: Path, environment: dict[str, str], *before: str | Path
) -> Iterator[subprocess.Popen[str]]:
    """A process with a loop that has turned."""
    program = tmp_path / "app.py"
    program.write_text(LOOP)
    with started([*before, sys.executable, program], environment) as process:
        assert process.stdout is not None and process.stdout.readline() == "turn\n"
        yield process


def test_process_that_is_watched(tmp_path: Path) -> None:
    environment = preload_environment(OUTPUT=str(tmp_path / "hits.jsonl"), THRESHOLD="5ms")
    with running(tmp_path, environment) as process:
        wait_until("a report", (tmp_path / "hits.jsonl").exists)
        status, found = examine("-p", str(process.pid))
        assert status == 0 and {one["state"] for one in found} == {"ok"}
        assert "reads its reports" in finding(found, "collector", "ok")["text"]
        assert "loop threads found: 1" in finding(found, "loops", "ok")["text"]


def test_process_without_the_library(tmp_path: Path) -> None:
    with running(tmp_path, clean_environment()) as process:
        status, found = examine("-p", str(process.pid))
        told = finding(found, "carrier", "miss")
        assert status == CANNOT
        assert (
            told["todo"] == f"start it again: loophound run -- {sys.executable} {tmp_path}/app.py"
        )


def collectors_of(directory: Path) -> list[int]:
    """Processes whose program was started from this directory."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            program = (process / "exe").readlink() if process.name.isdigit() else Path()
            if program.is_relative_to(directory):
                found.append(int(process.name))
        except OSError:  # it has ended
            continue
    return found


def test_process_whose_collector_has_died(tmp_path: Path) -> None:
    """One that cannot be started again: its file is gone."""
    collector = Path(shutil.copy(COMMAND, tmp_path / "collector"))
    output = tmp_path / "hits.jsonl"
    environment = preload_environment(OUTPUT=str(output), THRESHOLD="5ms", COLLECTOR=str(collector))
    with running(tmp_path, environment) as process:
        (pid,) = wait_until("the collector", lambda: collectors_of(tmp_path))
        wait_until("a report", output.exists)
        collector.unlink()
        os.kill(pid, signal.SIGKILL)

        def told() -> bool:
            _, found = examine("-p", str(process.pid))
            return any(
                one["check"] == "collector" and one["state"] == "warn" and "raw JSON" in one["text"]
                for one in found
            )

        wait_until("the word that nobody reads the reports", told)


@pytest.mark.parametrize("number", ["999999999", "0", "x", "-1", "1 "])
def test_process_that_is_not_there(number: str) -> None:
    done = run_command("doctor", f"--pid={number}")
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1


@pytest.mark.parametrize("flags", [["--trial"], ["-p", "1", "true"], ["--no-such-flag"]])
def test_wrong_usage(flags: list[str]) -> None:
    done = run_command("doctor", *flags)
    assert done.returncode == 2 and done.stdout == "" and "doctor: " in done.stderr


# ---- a trial ----


def test_trial_says_what_was_seen_and_ends_what_it_started(tmp_path: Path) -> None:
    program = tmp_path / "app.py"
    program.write_text(LOOP)
    pids = tmp_path / "pids"
    script = put_script(
        tmp_path / "start.sh",
        f"#!/bin/sh\nsetsid sleep 1000 & echo $! >{pids}\n{sys.executable} {program}\n",
    )
    done = run_command("doctor", "--trial", "--", script)
    check_screen(done)
    assert done.returncode == 0 and "trial: loop threads in 2 s: 1" in done.stdout
    text = "".join(done.stdout.split())  # a long path is broken anywhere
    assert f"Pythonlineswereseen,as{program}:5main" in text
    sleeper = int(pids.read_text())
    assert not Path(f"/proc/{sleeper}").exists()  # it had left the process group


def test_trial_that_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = put_script(tmp_path / "start.sh", f"#!/bin/sh\necho $$ >{pids}\nexec sleep 1000\n")
    environment = clean_environment()
    with started([COMMAND, "doctor", "--trial", "--", script], environment) as process:
        wait_until("the command", lambda: pids.exists() and pids.read_text().endswith("\n"))
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == -signal.SIGINT
        assert not Path(f"/proc/{int(pids.read_text())}").exists()
        for parent in (Path("/run"), Path(os.environ.get("TMPDIR", "/tmp"))):
            assert not list(parent.glob(f"loophound-{process.pid}-*"))


def test_trial_of_what_ends_by_itself(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    lines = f"setsid sleep 1000 & echo $! >{pids}\necho no configuration >&2\nexit 3\n"
    script = put_script(tmp_path / "fails.sh", f"#!/bin/sh\n{lines}")
    done = run_command("doctor", "--trial", "--", script)
    assert not Path(f"/proc/{int(pids.read_text())}").exists()
    text = " ".join(done.stdout.split())
    assert "before a loop was seen, with status 3; it said last: no configuration" in text


def test_trial_of_what_has_no_loop() -> None:
    done = run_command("doctor", "--trial", "--", "sleep", "1000")
    assert done.returncode == 0 and "no loop thread was seen in 2 s" in done.stdout
