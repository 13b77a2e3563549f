# SPDX-License-Identifier: Apache-2.0
"""A wait for descriptors is told by what they are: their peer or path, and of their group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness import PYTHON, ROOT, blocks, describe, of_type, run_command, run_preloaded

WAITS = ROOT / "tests" / "programs" / "python" / "waits.py"


def wait_for(case: str, hits: Path) -> tuple[str, str, list[dict[str, Any]]]:
    """The peer, the FIFO's path; the wait as told in flight and at its end."""
    done, events = run_preloaded([PYTHON, WAITS, case], hits, THRESHOLD="50ms")
    assert done.returncode == 0, done.stderr
    host, port, fifo = done.stdout.split()
    told = blocks(events)
    assert len(told) == 1, describe(events)
    inflight = [event for event in of_type(events, "inflight") if event["call"] is not None]
    return f"{host}:{port}", fifo, told + inflight


@pytest.mark.parametrize("case", ["receive", "poll_one", "select_one", "epoll_one"])
def test_a_wait_for_one_socket_names_its_peer(case: str, hits: Path) -> None:
    peer, _, told = wait_for(case, hits)
    for event in told:
        assert event["group"] == "network"
        resource = event["resource"]
        assert (resource["kind"], resource["peer"], resource["fds"]) == ("socket", peer, 1)
        assert resource["timeout_ms"] == pytest.approx(150, abs=1)
        assert "also" not in resource


@pytest.mark.parametrize("case", ["poll_fifo", "select_fifo"])
def test_a_wait_for_one_file_names_its_path(case: str, hits: Path) -> None:
    _, fifo, told = wait_for(case, hits)
    for event in told:
        assert event["group"] == "file"
        resource = event["resource"]
        assert (resource["kind"], resource["path"], resource["fds"]) == ("file", fifo, 1)


@pytest.mark.parametrize("case", ["poll_several", "select_several", "epoll_several"])
def test_of_several_their_number_and_the_first_ones_are_told(case: str, hits: Path) -> None:
    peer, fifo, told = wait_for(case, hits)
    for event in told:
        resource = event["resource"]
        names = {part.get("peer", part.get("path")) for part in [resource, *resource["also"]]}
        assert resource["fds"] == 4 and len(resource["also"]) == 2
        assert event["group"] == "wait"
        assert {peer, fifo} < names
        assert sum(name.startswith("pipe:[") for name in names) == 1


@pytest.mark.parametrize("case", ["poll_none", "select_none"])
def test_a_wait_for_none_is_a_sleep(case: str, hits: Path) -> None:
    _, _, told = wait_for(case, hits)
    for event in told:
        assert event["group"] == "sleep"
        assert event["resource"] == {"kind": "duration", "ms": pytest.approx(150, abs=1)}


def test_a_set_in_a_set_is_waited_for_as_such(hits: Path) -> None:
    _, _, told = wait_for("set_of_set", hits)
    for event in told:
        assert event["group"] == "wait"
        assert event["resource"]["path"] == "anon_inode:[eventpoll]"


def test_text_has_the_peer_and_the_time_out() -> None:
    done = run_command("run", "-t", "50ms", "--", PYTHON, WAITS, "poll_one")
    host, port, _ = done.stdout.split()
    assert f" in poll (socket to {host}:{port}, time-out 150 ms)" in done.stderr
    done = run_command("run", "-t", "50ms", "--", PYTHON, WAITS, "poll_several")
    assert " in poll (4 descriptors: socket to 127.0.0.1:" in done.stderr
    assert " ..., time-out 150 ms)" in done.stderr


@pytest.mark.parametrize(
    ("case", "groups", "count"),
    [
        ("poll_one", "network", 1),
        ("poll_one", "-network", 0),
        ("poll_fifo", "file", 1),
        ("poll_fifo", "wait", 0),
        ("poll_none", "sleep", 1),
        ("poll_none", "wait", 0),
        ("poll_none", "-sleep", 0),
    ],
)
def test_calls_chooses_by_what_is_waited_for(case: str, groups: str, count: int) -> None:
    done = run_command("run", "-t", "50ms", f"--calls={groups}", "--", PYTHON, WAITS, case)
    assert f" {count} block" in done.stderr.splitlines()[-1]
