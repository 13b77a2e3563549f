# SPDX-License-Identifier: Apache-2.0
"""The pages for people: their examples give what they show, and all members have a row."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from harness import BUILD, PROGRAMS, PYTHON, ROOT, read_events, run_command, run_preloaded

sys.path.insert(0, str(ROOT / "scripts"))
import doc_examples

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WITH_EXAMPLES = [
    page
    for page in PAGES
    if doc_examples.blocks_of(page.read_text()) and not doc_examples.needs_more(page.read_text())
]


def name_of(page: Path) -> str:
    return page.name


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=name_of)
def test_examples_of_the_page_give_what_it_shows(page: Path) -> None:
    doc_examples.with_patience(lambda: doc_examples.run_page(page, BUILD))


def test_every_page_that_should_have_examples_has_some() -> None:
    assert {page.name for page in WITH_EXAMPLES} >= {
        "README.md", "asyncio.md", "c.md", "node.md", "servers.md", "report.md", "limits.md"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "came"),
    [
        (
            "loophound[1] X blocked 3.1 ms in recv  #1\n",
            "loophound[7] X blocked 10 s in recv  #2\n",
        ),
        ("  a.py:12  f   return 1\n", "  a.py:13 f  return 1\n"),
        ("a\n...\nz\n", "a\nb\nc\nz\n"),
        ("a\n...\n", "a\n"),
    ],
)
def test_what_differs_from_run_to_run_is_equal(shown: str, came: str) -> None:
    assert doc_examples.matches(shown, came)


@pytest.mark.parametrize(
    ("shown", "came"),
    [
        (
            "loophound[1] X blocked 3.1 ms in recv  #1\n",
            "loophound[1] X blocked 3.1 ms in read  #1\n",
        ),
        ("> a.py:12  f   return 1\n", "> a.py:13  f  return 1\n"),
        ("a\n...\nz\n", "a\nb\nc\n"),
        ("1 block\n", "1 block\n2 blocks\n"),
        ("", "something\n"),
    ],
)
def test_what_matters_is_not_equal(shown: str, came: str) -> None:
    assert not doc_examples.matches(shown, came)


def documented_members() -> dict[str, set[str]]:
    """By heading of docs/output.md: the first cells of its tables."""
    members: dict[str, set[str]] = {}
    heading = ""
    for line in (ROOT / "docs" / "output.md").read_text().splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("| `"):
            members.setdefault(heading, set()).add(line.split("`")[1])
    return members


MEMBERS = documented_members()
COMMON = MEMBERS["JSON Lines"]
OPTIONAL_OF_FRAMES = {
    "column", "at_start", "generated_file", "generated_line",
    "class", "regexp", "bytes", "elements",
    "inlined", "user", "api", "library", "version", "cut", "source", "build_id"
}  # fmt: skip
RESOURCES = (ROOT / "docs" / "output.md").read_text().split("### resource")[1].split("###")[0]
KINDS_OF_RESOURCES = {
    line.split("`")[1]: set(re.findall(r"`(\w+)`", line)[1:])
    for line in RESOURCES.splitlines()
    if line.startswith("| `") and "member" not in line
}


def check_frame(frame: dict[str, Any]) -> None:
    always = MEMBERS["frame"] - OPTIONAL_OF_FRAMES
    assert always <= set(frame) <= MEMBERS["frame"]


def check_parts(event: dict[str, Any]) -> None:
    """Holder, victims, task, advice, resource and frames have the members of their tables."""
    for part in ("holder", "victims", "task", "advice"):
        if event.get(part):
            assert set(event[part]) == MEMBERS[part]
    if event.get("resource"):
        kind = event["resource"]["kind"]
        always = {"kind"} | KINDS_OF_RESOURCES[kind]
        assert always <= set(event["resource"]) <= always | MEMBERS["Waits for descriptors"]
    stacks = [event.get("stack") or [], *(sample["stack"] for sample in event.get("samples", []))]
    stacks.append((event.get("holder") or {}).get("stack") or [])
    for stack in stacks:
        for frame in stack:
            check_frame(frame)


def check_event(event: dict[str, Any]) -> None:
    expected = MEMBERS[event["type"]]
    if event["type"] == "inflight":
        of_iteration = expected if event["call"] is None else set()
        expected = (MEMBERS["block"] - {"ended"}) | of_iteration
    assert set(event) == COMMON | expected
    check_parts(event)


PROGRAM = """
import asyncio, socket, subprocess, threading, time

async def main():
    time.sleep(0.06)
    await asyncio.sleep(0)
    subprocess.run(["sleep", "0.06"])
    end = time.monotonic() + 0.2
    while time.monotonic() < end: pass
    await asyncio.sleep(0)
    a, b = socket.socketpair()
    threading.Timer(0.1, b.send, [b"x"]).start()
    a.recv(1)
    await asyncio.sleep(0)

asyncio.run(main())
"""


def test_every_event_has_the_members_of_its_table(hits: Path) -> None:
    done = run_command("run", "-t", "20ms", "-o", hits, "--", PYTHON, "-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    events = read_events(hits)
    assert {event["type"] for event in events} == {
        "start", "loop", "inflight", "block", "stall", "summary"
    }  # fmt: skip
    for event in events:
        check_event(event)


def test_holder_of_a_lock_has_the_members_of_its_table(hits: Path) -> None:
    _, events = run_preloaded([PROGRAMS / "holders", "mutex"], hits, THRESHOLD="20ms")
    held = [event for event in events if event.get("holder")]
    assert held, "no holder was named"
    for event in events:
        check_event(event)
