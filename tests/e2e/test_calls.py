# SPDX-License-Identifier: Apache-2.0
"""Every row of the call table: reported on the loop, silent off it and where it cannot wait.

The programs tests/programs/calls_*.c make each call wait for a given time; they print its true
duration, what it returned, and errno.
"""

from __future__ import annotations

import errno
import os
import re
import subprocess
from pathlib import Path

import pytest
from calls import (
    ROWS_OF_TABLE,
    SOURCES,
    TABLE,
    Row,
    all_rows,
    all_scenarios,
    is_newer_than_libc,
)
from harness import LIBRARY, PROGRAMS, Event, blocks, describe

# The kind of resource that a report has, by what the call works on.
KINDS = {
    "NONE": None,
    "FD": "file",
    "TWO_FDS": "file",
    "CONNECT": "socket",
    "STREAM": "file",
    "PATH": "file",
    "HOST": "name",
    "ADDRESS": "name",
    "CLOSING": "file",
    "LOCK": "lock",
    "CONDITION": "condition",
    "FUTEX": "futex",
    "THREAD": "thread",
    "MUTEX": "lock",
    "RWLOCK": "lock",
    "PID": "pid",
    "NANOSECONDS": "duration",
    "TIMESPEC": "duration",
    "DEADLINE": "duration",
    "WAITING": "socket",
}
# What its scenario closes is a socket.
ON_SOCKETS = {"close"}

# Names that libc's habits do not lead to: of a row, and what it is reported as.
ODD_NAMES = {
    "eaccess": "euidaccess",
    "_IO_getc": "getc",
    "_IO_putc": "putc",
    "__getdelim": "getdelim",
    "getdents64": "getdents64",
    "__uflow": "getc_unlocked",
    "__overflow": "putc_unlocked",
    "__sigpause": "sigpause",
    "__xpg_sigpause": "sigpause",
    "fts64_open": "fts_open",
    "fts64_read": "fts_read",
    "fts64_children": "fts_children",
    "pselect6": "pselect",
}

WAITS_MS = (60, 300, 900)

ROWS = all_rows()
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.symbol)
every_strict_row = pytest.mark.parametrize(
    "row", [row for row in ROWS if not row.is_time_only], ids=lambda row: row.symbol
)
every_ready_row = pytest.mark.parametrize(
    "row", [row for row in ROWS if row.has_ready], ids=lambda row: row.symbol
)


def test_every_row_of_the_table_has_a_scenario() -> None:
    assert len(ROWS_OF_TABLE) > 50
    there = {row.symbol for row in all_scenarios()}
    missing = [
        f"{row.name} ({row.place}) has no scenario: "
        f'add {{"{name}", ...}} to the rows of one of tests/programs/calls_*.c'
        for name, row in ROWS_OF_TABLE.items()
        if name not in there and not is_newer_than_libc(row)
    ]
    if missing:
        pytest.fail("\n".join(missing), pytrace=False)


def test_every_scenario_has_a_row_of_the_table() -> None:
    missing = [
        f"{row.symbol} has a scenario in tests/programs/{row.program.name}.c and no row: "
        f"add CALL({row.symbol}, ...) to the file of its group in src/calls"
        for row in all_scenarios()
        if row.symbol not in ROWS_OF_TABLE
    ]
    if missing:
        pytest.fail("\n".join(missing), pytrace=False)


@pytest.mark.parametrize(
    "name", [name for name, row in ROWS_OF_TABLE.items() if is_newer_than_libc(row)]
)
def test_row_of_a_later_libc_has_a_scenario_for_that(name: str) -> None:
    row = ROWS_OF_TABLE[name]
    sources = "".join(path.read_text() for path in SOURCES.glob("calls_*.c"))
    assert re.search(rf"\b{name}\b", sources), f"{name} ({row.place}) has no scenario"
    libc = os.confstr("CS_GNU_LIBC_VERSION")
    pytest.skip(f"{name} is of {row.looked_up}; this machine has {libc}")


def test_row_is_reported_by_the_name_of_its_manual_page() -> None:
    for row in ROWS_OF_TABLE.values():
        plain = re.sub(r"^__(\w+?)(_chk|_2)$", r"\1", row.symbol)
        plain = re.sub(r"^__isoc\d+_", "", plain)
        plain = re.sub(r"^__(f|l|)x(stat|mknod)", r"\1\2", plain)
        plain = re.sub(r"64(_r)?$", r"\1", plain.replace("64v2", "2"))
        assert row.canonical == ODD_NAMES.get(row.symbol, plain), row.place


def test_other_names_of_a_function_are_the_wrapper_of_its_row() -> None:
    aliases = list(TABLE.aliases.items())
    assert ("__read", "read") in aliases
    command = ["nm", "-D", "--defined-only", str(LIBRARY)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in listing.splitlines()]
    addresses = {name.split("@")[0]: address for address, _, name in lines}
    assert [pair for pair in aliases if addresses[pair[0]] != addresses[pair[1]]] == []


def run_until_seen(row: Row, output: Path) -> tuple[float, int, int, Event]:
    """What the program printed, and the one block. Where a busy machine left the watchdog no tick
    while the call lasted, nothing can be told: the call lasts longer then.
    """
    for ms in WAITS_MS:
        path = output.with_name(f"{output.stem}-{ms}.jsonl")
        true_ms, result, error, events = row.run("on", ms, path, THRESHOLD="20ms")
        found = blocks(events)
        if found:
            break
    assert [block["call"] for block in found] == [row.canonical], describe(events)
    return true_ms, result, error, found[0]


@every_row
def test_slow_call_is_reported_with_its_true_duration_on_the_loop(row: Row, tmp_path: Path) -> None:
    differences = []
    for attempt in range(8):  # the machine may take the processor away between two clock readings
        true_ms, result, error, block = run_until_seen(row, tmp_path / f"{attempt}")
        assert block["reason"] == "threshold"
        assert block["duration_ms"] <= true_ms + 0.01
        differences.append(true_ms - block["duration_ms"])
        if differences[-1] < 1:
            break
    assert min(differences) < 1, f"ms off: {differences}"
    # Calls of the pthread family and others return the number; sem_* and system calls set errno.
    number = result if row.reported.fails == "CODE" else error if result == -1 else 0
    assert block["errno"] == (errno.errorcode[number] if number else None)


@every_row
def test_slow_call_is_silent_off_the_loop(row: Row, hits: Path) -> None:
    _, _, _, events = row.run("off", 60, hits, THRESHOLD="20ms")
    assert blocks(events) == [], describe(events)


@every_strict_row
def test_call_that_could_wait_is_reported_in_strict_mode_on_the_loop(row: Row, hits: Path) -> None:
    _, _, _, events = row.run("on", 2, hits, STRICT="on", NOISE="-lock-handoff", THRESHOLD="10s")
    found = blocks(events)
    assert [block["call"] for block in found] == [row.canonical], describe(events)
    assert found[0]["reason"] == "strict"


@every_row
def test_call_that_could_wait_is_silent_in_strict_mode_off_the_loop(row: Row, hits: Path) -> None:
    _, _, _, events = row.run("off", 2, hits, STRICT="on", NOISE="-lock-handoff", THRESHOLD="10s")
    assert blocks(events) == [], describe(events)


@every_ready_row
def test_call_that_cannot_wait_is_silent_in_strict_mode(row: Row, hits: Path) -> None:
    _, _, _, events = row.run("ready", 2, hits, STRICT="on", NOISE="-lock-handoff", THRESHOLD="10s")
    assert blocks(events) == [], describe(events)


@every_row
def test_results_and_errno_are_the_programs_own(row: Row, hits: Path) -> None:
    """What the call returns with the library is what it returns without."""
    argv = [str(row.program), "on", row.symbol, "2"]
    bare = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=PROGRAMS)
    _, result, error, _ = row.run("on", 2, hits, STRICT="on")
    assert [str(result), str(error)] == bare.stdout.split()[1:]


@every_row
def test_report_says_what_kind_of_call_it_was_and_on_what(row: Row, hits: Path) -> None:
    on_socket = row.reported.group == "NETWORK" or row.canonical in ON_SOCKETS
    waits = row.reported.operand == "WAITING"  # and is of the group of what it waits for
    group = "network" if on_socket or waits else row.reported.group.lower()
    kind = "socket" if on_socket else KINDS[row.reported.operand]
    if row.is_time_only:
        # So short a threshold that each call is timed, whether the watchdog comes or not.
        _, _, _, events = row.run("on", 30, hits, THRESHOLD="3ms")
    else:
        _, _, _, events = row.run(
            "on", 2, hits, STRICT="on", NOISE="-lock-handoff", THRESHOLD="10s"
        )
    # The first one: of a slow kernel's scenario another call may be as long on a busy machine.
    block = next(block for block in blocks(events) if block["call"] == row.canonical)
    # The stack begins with the call's caller, whichever of our functions it was captured in.
    assert not [frame for frame in block["stack"] if LIBRARY.name in (frame["module"] or "")]
    assert block["group"] == group
    resource = block["resource"]
    assert (resource and resource["kind"]) == kind
    if kind == "duration":
        asked_ms = 1000 if row.symbol == "sleep" else 2
        assert 0 < resource["ms"] <= asked_ms
        assert row.canonical == "clock_nanosleep" or resource["ms"] == asked_ms
    if kind == "socket":
        assert resource["fd"] > 2 and resource["nonblocking"] is False
    if waits:
        asked_ms = 30 if row.is_time_only else 2
        assert (resource["fds"], resource["timeout_ms"]) == (1, asked_ms)
    if kind == "name":
        by_number = row.canonical.startswith(("getnameinfo", "gethostbyaddr"))
        assert resource["host"] == ("127.0.0.1" if by_number else "localhost")
    if kind == "pid":
        assert resource["pid"] > 1 or row.symbol in ("wait", "wait3", "system")
    # Of two descriptors it is the one that waits.
    on_file = ("open", "pread", "pwrite", "fsync", "flock", "fcntl", "copy_file", "sendfile64")
    if kind == "file" and row.program.name in ("calls_path", "calls_attribute", "calls_tree"):
        assert "loophound-test-" in resource["path"]
    if kind == "file" and row.symbol.lstrip("_").startswith(on_file):
        assert "loophound-test-" in resource["path"]
