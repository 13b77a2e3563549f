# SPDX-License-Identifier: Apache-2.0
"""Programs that change their identity, their root, or the system calls they may make."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import PIPE

import pytest
from harness import (
    COMMAND,
    EMULATED,
    LIBRARY,
    PROGRAMS,
    PYTHON,
    ROOT,
    SLEEP,
    SLOWNESS,
    Event,
    blocks,
    clean_environment,
    describe,
    functions,
    of_type,
    preload_environment,
    read_events,
    run_command,
    started,
    wait_for_event,
)

SANDBOX = PROGRAMS / "sandbox"
THRESHOLD = f"{20 * SLOWNESS}ms"  # of 200 that it sleeps

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up rights")

when = pytest.mark.parametrize("before", [[], ["before"]], ids=["in the loop", "before it"])


def run(way: str, before: list[str], **options: str) -> tuple[str, str]:
    """What the program prints, with the library the same as without it, and what is said."""
    plain = subprocess.run(
        [SANDBOX, way, *before], env=clean_environment(), capture_output=True, text=True, timeout=60
    )
    assert (plain.returncode, plain.stderr) == (0, ""), plain
    environment = preload_environment(THRESHOLD=THRESHOLD, **options)
    with started([SANDBOX, way, *before], environment, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, plain.stdout), err
    return out, err


@when
@pytest.mark.parametrize("way", ["nobody", "unshare", "unshare-raw", "hide", "deny", "no-readv"])
def test_blocks_are_told_as_ever_after(way: str, before: list[str]) -> None:
    if way == "deny" and before:
        pytest.skip("no ring can be had: see below")
    _, err = run(way, before, FORMAT="json")
    events = [json.loads(line) for line in err.splitlines()]
    assert [block["call"] for block in blocks(events)] == ["nanosleep"] * 2, describe(events)


def told(way: str, before: list[str], hits: Path) -> list[Event]:
    """With a collector that is not under the same filter."""
    done = run_command("run", "-t", THRESHOLD, "-o", hits, "--", SANDBOX, way, *before)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    return read_events(hits)


def offences(events: list[Event]) -> list[Event]:
    """An emulated iteration may be told in flight before it was sampled: of calls there."""
    found = [
        event
        for event in events
        if event["type"] in {"inflight", "block"} and (event["call"] is not None or not EMULATED)
    ]
    assert {event["type"] for event in found} == {"inflight", "block"}
    return found


@when
def test_stacks_are_had_another_way_where_process_vm_readv_is_denied(
    before: list[str], hits: Path
) -> None:
    events = told("no-readv", before, hits)
    assert events[0]["warnings"] == []
    for event in offences(events):
        assert "block" in functions(event), describe([event])
        assert event["note"] is None


@when
def test_event_without_a_stack_says_that_memory_may_not_be_read(
    before: list[str], hits: Path
) -> None:
    events = told("blind", before, hits)
    # The watchdog that was there before the filter is not under it, and tells what is in flight.
    for event in offences(events) if before else blocks(events):
        assert event["stack"] == []
        assert "may not read its own memory" in event["note"]
    warned = [line for line in events[0]["warnings"] if "there are no stacks" in line]
    assert len(warned) == len(before), "known when it starts"
    done = run_command("run", "-t", THRESHOLD, "--", SANDBOX, "blind", *before)
    assert "no stack: this process may not read its own memory" in done.stderr, done.stderr
    assert done.stderr.count("warning: there are no stacks") == len(before)


# Nothing of the kernel's is to be read there, as in a container that was made by hand.
WITHOUT_PROC = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]


def without_proc() -> list[str]:
    if subprocess.run([*WITHOUT_PROC, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("not allowed to mount")
    return WITHOUT_PROC


NAPS = """
import asyncio, time
def nap():
    time.sleep(0.2)
async def main():
    for _ in range(2):
        await asyncio.sleep(0)
        nap()
    await asyncio.sleep(0)
    print("done")
asyncio.run(main())
"""


@pytest.mark.parametrize("way", ["run", "preload"])
def test_process_without_proc_is_watched_and_says_what_is_missing(way: str, hits: Path) -> None:
    options = {"THRESHOLD": "100ms", "OUTPUT": str(hits)}
    argv: list[str | Path] = [*without_proc(), PYTHON, "-c", NAPS]
    if way == "run":
        environment = clean_environment(**options)
        argv = [*without_proc(), COMMAND, "run", "--fail", "--", PYTHON, "-c", NAPS]
    else:
        ours = [f"LOOPHOUND_{name}={value}" for name, value in options.items()]
        environment = clean_environment()
        argv = [*without_proc(), "env", f"LD_PRELOAD={LIBRARY}", *ours, PYTHON, "-c", NAPS]
    with started(argv, environment, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (99 if way == "run" else 0, "done\n"), err
    wait_for_event(hits, "summary")
    events = read_events(hits)
    told_blocks = blocks(events)
    assert [block["call"] for block in told_blocks] == [SLEEP] * 2, describe(events)
    assert all("nap" in functions(block) for block in told_blocks), describe(events)
    (start,) = (event for event in events if event["type"] == "start")
    assert any(line.startswith("/proc/self/maps cannot be read") for line in start["warnings"])


def test_process_that_cannot_see_what_its_threads_wait_in_says_so(hits: Path) -> None:
    """It is nobody by then, and not dumpable: that file is root's, its map is not."""
    start = told("hide", ["before"], hits)[0]
    assert any("calls are told when they have ended" in line for line in start["warnings"]), start
    assert not any("maps" in line for line in start["warnings"]), start


@when
def test_no_thread_keeps_the_identity_that_was_given_up(before: list[str]) -> None:
    out, _ = run("nobody", before)
    assert "0 strangers\n" in out


@when
@pytest.mark.parametrize("way", ["unshare", "unshare-raw"])
def test_program_of_one_thread_is_one_where_it_must_be(way: str, before: list[str]) -> None:
    run(way, before)


@when
@pytest.mark.parametrize("way", ["kill", "kill-seccomp", "anew"])
def test_filter_that_kills_ends_the_watching_and_not_the_program(
    way: str, before: list[str], hits: Path
) -> None:
    _, err = run(way, before, OUTPUT=str(hits))
    line = "loophound: the seccomp filter of this process kills"
    assert err.startswith(line), err
    assert all(other.startswith(line) for other in err.splitlines())
    assert blocks(read_events(hits)) == []


def test_filter_that_denies_the_ring_is_said(hits: Path) -> None:
    _, err = run("deny", ["before"], OUTPUT=str(hits))
    assert err.startswith("loophound: cannot make its ring (memfd_create"), err
    assert err.count("\n") == 1


@when
def test_collector_that_is_outside_the_new_root_is_said(before: list[str]) -> None:
    _, err = run("chroot", before)
    said, *lines = err.splitlines()
    assert said.startswith("loophound: no collector can be started (LOOPHOUND_COLLECTOR)")
    assert sum('"type":"block"' in line for line in lines) == 2


NAP = """
import asyncio, ctypes, os, sys
module = ctypes.CDLL(sys.argv[1])
def drop(user):
    if sys.argv[2] == user:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
async def main():
    drop("nobody")
    await asyncio.sleep(0)
    drop("nobody later")
    module.nap_in_module()
    await asyncio.sleep(0)
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("user", "function", "line"),
    [("root", "nap_in_module", True), ("nobody", None, False), ("nobody later", None, False)],
)
def test_collector_of_root_reads_a_program_with_the_rights_of_its_user(
    user: str, function: str | None, line: bool, hits: Path
) -> None:
    """The module was mapped by root, who alone may read it: nobody else is told what it holds."""
    module = hits.with_name("nap.so")
    shutil.copy(PROGRAMS / "nap.so", module)
    module.chmod(0o600)
    options = ("--strict", "--calls=sleep", "-o", hits)
    done = run_command("run", *options, "--", PYTHON, "-c", NAP, module, user)
    assert done.returncode == 0, done.stderr
    (block,) = blocks(read_events(hits))
    frame = block["stack"][0]
    assert frame["module"] == str(module), describe([block])
    assert (frame["function"], frame["line"] is not None) == (function, line)


@contextmanager
def debug_file_of_root(module: Path) -> Iterator[None]:
    """What the module is stripped of, where its build-id leads to, for root's eyes alone."""
    notes = subprocess.run(["readelf", "-n", module], stdout=PIPE, text=True, check=True).stdout
    found = re.search(r"Build ID: (..)(.+)", notes)
    assert found, notes
    debug = Path("/usr/lib/debug/.build-id", found[1], f"{found[2]}.debug")
    debug.parent.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["objcopy", "--only-keep-debug", module, debug], check=True)
        subprocess.run(["strip", "--strip-all", module], check=True)
        debug.chmod(0o600)
        yield
    finally:
        debug.unlink(missing_ok=True)
        with suppress(OSError):
            debug.parent.rmdir()


@pytest.mark.parametrize("user", ["root", "nobody", "nobody later"])
def test_debug_file_of_root_is_not_read_for_a_program_that_is_no_longer_root(
    user: str, tmp_path: Path, hits: Path
) -> None:
    module = tmp_path / "nap.so"
    shutil.copy(PROGRAMS / "nap.so", module)
    with debug_file_of_root(module):
        options = ("--strict", "--calls=sleep", "-o", hits)
        done = run_command("run", *options, "--", PYTHON, "-c", NAP, module, user)
    assert done.returncode == 0, done.stderr
    (block,) = blocks(read_events(hits))
    frame = block["stack"][0]
    assert frame["module"] == str(module), describe([block])
    assert (frame["line"] is not None) == (user == "root")


# Code that is made at run time, `push rbp; mov rbp, rsp; mov rax, usleep; call rax; pop rbp; ret`,
# and a map that names it.
MADE_CODE = """
import asyncio, ctypes, mmap, os, platform, struct, sys
usleep = ctypes.cast(ctypes.CDLL(None).usleep, ctypes.c_void_p).value
if platform.machine() == "aarch64":
    # stp x29, x30, [sp, #-16]!; mov x29, sp; ldr x9, .+16; blr x9; ldp x29, x30, [sp], #16; ret
    begin, end = "fd7bbfa9 fd030091 89000058 20013fd6 fd7bc1a8 c0035fd6", ""
else:  # push %rbp; mov %rsp, %rbp; mov $usleep, %rax; call *%rax; pop %rbp; ret
    begin, end = "55 4889e5 48b8", "ffd0 5dc3"
code = bytes.fromhex(begin) + struct.pack("<Q", usleep) + bytes.fromhex(end)
memory = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
memory.write(code)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
made = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint)(address)
path = f"/tmp/perf-{os.getpid()}.map"
async def main():
    await asyncio.sleep(0)
    if sys.argv[1] == "nobody":
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    made(1000)
    await asyncio.sleep(0)
with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as map:
    map.write(f"{address:x} {len(code):x} made_at_run_time\\n")
print(path)
asyncio.run(main())
"""


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_map_of_root_is_not_read_for_a_program_that_is_no_longer_root(
    user: str, hits: Path
) -> None:
    options = ("--strict", "--calls=sleep", "-o", hits)
    done = run_command("run", *options, "--", PYTHON, "-c", MADE_CODE, user)
    Path(done.stdout.strip()).unlink()
    assert done.returncode == 0, done.stderr
    (block,) = blocks(read_events(hits))
    assert block["call"] == "usleep"
    assert ("made_at_run_time" in functions(block)) == (user == "root"), describe([block])


LOOPS = """
import asyncio, ctypes, os, time
def flush():
    assert ctypes.CDLL(None).loophound_flush_wait(60000) == 0
def tell(what):
    flush()
    print(what, flush=True)
    input()
asyncio.run(asyncio.sleep(0))
flush()  # it is root whose program the collector's thread begins with
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
asyncio.run(asyncio.sleep(0))
tell("loop")
async def nap():
    time.sleep(0.001)
asyncio.run(nap())
tell("block")
"""


def users_that_files_are_read_as(pid: int) -> set[int]:
    """By the threads of a process: proc_pid_status(5), the fourth of its users."""
    statuses = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    return {int(re.findall(r"^Uid:.*\t(\d+)$", status, re.M)[0]) for status in statuses}


def test_nothing_is_read_for_a_loop_alone_and_with_the_users_rights_for_a_report(
    hits: Path,
) -> None:
    """What a loop's line says is in its record: the collector need not ask who the program is."""
    options = ["--strict", "-t", "3600s", "--calls=sleep", "-o", str(hits)]
    program = [str(COMMAND), "run", *options, "--", PYTHON, "-c", LOOPS]
    with started(program, clean_environment(), stdin=PIPE) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "loop\n"
        assert users_that_files_are_read_as(process.pid) == {0}
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "block\n"
        assert users_that_files_are_read_as(process.pid) == {0, 65534}
        process.communicate("\n", timeout=60)
    assert process.returncode == 0
    assert len(of_type(read_events(hits), "loop")) == 3


# It has a loop first, as a server that opens its port does.
DROPS = """
import asyncio, os, sys, time
def drop():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
async def main():
    await asyncio.sleep(0)
    if sys.argv[1] == "nobody":
        drop()
    namespace = {"time": time}
    exec(compile("\\ndef nap(): time.sleep(0.3)", sys.argv[2], "exec"), namespace)
    namespace["nap"]()
asyncio.run(main())
"""


@pytest.mark.parametrize("mode", [0o600, 0o644])
@pytest.mark.parametrize("user", ["root", "nobody"])
def test_file_of_root_is_not_shown_for_a_program_that_is_no_longer_root(
    user: str, mode: int, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text("# nothing\nroot's secret\n")
    secret.chmod(mode)
    for name in ("hits.jsonl", "hits.txt"):
        program: list[str | Path] = [PYTHON, "-c", DROPS, user, secret]
        done = run_command("run", "-t", "100ms", "-o", tmp_path / name, "--", *program)
        assert done.returncode == 0, done.stderr
        told = (tmp_path / name).read_text()
        assert "nap" in told
        assert ("root's secret" in told) == (user == "root"), told


def test_every_system_call_of_the_library_is_tried_under_a_filter() -> None:
    preload = ROOT / "src" / "preload"
    used: set[str] = set()
    for source in preload.rglob("*.[ch]"):
        used.update(re.findall(r"lh_syscall\d\(\s*SYS_(\w+)", source.read_text(encoding="utf-8")))
    table = (preload / "process" / "seccomp.c").read_text(encoding="utf-8")
    tried = set(re.findall(r"SYS_(\w+)", table))
    only_in_the_collector_to_be = {"setsid", "exit"}
    never_under_a_filter = {"perf_event_open", "ioctl"}  # trip.c
    tried.update({"ppoll"} if "lh_poll(NULL, 0, 0);" in table else ())
    used -= only_in_the_collector_to_be | never_under_a_filter
    assert used <= tried, used - tried
