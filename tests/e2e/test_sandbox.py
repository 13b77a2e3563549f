# SPDX-License-Identifier: Apache-2.0
"""Programs that change their identity, their root, or the system calls they may make."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from harness import (
    PROGRAMS,
    PYTHON,
    ROOT,
    blocks,
    clean_environment,
    describe,
    preload_environment,
    read_events,
    run_command,
    started,
)

SANDBOX = PROGRAMS / "sandbox"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up rights")

when = pytest.mark.parametrize("before", [[], ["before"]], ids=["in the loop", "before it"])


def run(way: str, before: list[str], **options: str) -> tuple[str, str]:
    """What the program prints, with the library the same as without it, and what is said."""
    plain = subprocess.run(
        [SANDBOX, way, *before], env=clean_environment(), capture_output=True, text=True, timeout=60
    )
    assert (plain.returncode, plain.stderr) == (0, ""), plain
    environment = preload_environment(THRESHOLD="20ms", **options)
    with started([SANDBOX, way, *before], environment, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, plain.stdout), err
    return out, err


@when
@pytest.mark.parametrize("way", ["nobody", "unshare", "unshare-raw", "hide", "deny"])
def test_blocks_are_told_as_ever_after(way: str, before: list[str]) -> None:
    if way == "deny" and before:
        pytest.skip("no ring can be had: see below")
    _, err = run(way, before, FORMAT="json")
    events = [json.loads(line) for line in err.splitlines()]
    assert [block["call"] for block in blocks(events)] == ["nanosleep"] * 2, describe(events)


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
    only_in_the_collector_to_be = {"setsid", "exit", "dup2"}
    never_under_a_filter = {"perf_event_open", "ioctl"}  # trip.c
    assert used - only_in_the_collector_to_be - never_under_a_filter <= tried, used - tried
