"""Programs that change their identity, their root, or the system calls they may make."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from harness import (
    PROGRAMS,
    ROOT,
    blocks,
    clean_environment,
    describe,
    preload_environment,
    read_events,
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


def test_every_system_call_of_the_library_is_tried_under_a_filter() -> None:
    preload = ROOT / "src" / "preload"
    used: set[str] = set()
    for source in preload.glob("*.[ch]"):
        used.update(re.findall(r"lh_syscall\d\(\s*SYS_(\w+)", source.read_text(encoding="utf-8")))
    tried = set(re.findall(r"SYS_(\w+)", (preload / "sandbox.c").read_text(encoding="utf-8")))
    only_in_the_collector_to_be = {"setsid", "exit", "dup2"}
    assert used - only_in_the_collector_to_be <= tried, used - tried
