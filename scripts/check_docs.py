#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says what of the Markdown pages is not so: links, files that are named, members of the output.

- A relative link leads to a file, and its anchor to a heading there.
- A path in backticks that begins with a folder of the tree is there (a * stands for anything).
- README.md is short, and docs/README.md has a link to every page.
- A flag that stands behind `loophound run` or `loophound report` is one of its flags.
- docs/output.md has a row for each member that is written (src/common/event_*.c), and no other, and
  so has docs/output.schema.json.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tables import ROOT, flags

README_LINES_MAX = 150
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
# build/ is not looked at: it is made.
NAMED = re.compile(r"`((?:src|docs|scripts|tests|include|\.ci)/[\w./*-]*)`")
KEY = re.compile(
    r"(?:lh_member_\w+|lh_json_key|key_\w+|lh_event_sums|write_(?:time|who|text|number))"
    r'\(json, "(\w+)"'
)
TYPE = re.compile(r'(?:\{|lh_event_open\(json, )"(start|loop|inflight|block|stall|summary)"')
SOURCES = [*ROOT.glob("src/common/event_*.c"), ROOT / "src/collect/sink/stack_book.c"]
# Rows of docs/output.md that are values, by their heading.
VALUES = {"resource", "Text"}


def pages() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).exists()]


def anchor_of(heading: str) -> str:
    """As GitHub makes it: lower case, words joined by -, without what is no letter."""
    words = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return words.replace(" ", "-")


def anchors(page: Path) -> set[str]:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    return {anchor_of(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


def problems_of_flags(text: str) -> Iterator[str]:
    for subcommand, rest in re.findall(r"loophound (run|doctor|report) ([^\n`]*)", text):
        ours = re.split(r"-- | \| ", rest)[0]
        known = {form for flag in flags(subcommand) for form in flag.forms} | {"--help"}
        for form in re.findall(r"(?<![\w-])--?[a-z][\w-]*", ours):
            if form not in known:
                yield f"has {form} behind loophound {subcommand}, which has no such flag"


def problem_of_link(page: Path, link: str) -> str | None:
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.exists():
        return f"leads to {name}, which is not there"
    if anchor and anchor not in anchors(target):
        return f"leads to #{anchor}, which {target.name} has no heading for"
    return None


def problems_of_page(page: Path) -> Iterator[str]:
    text = page.read_text(encoding="utf-8")
    yield from problems_of_flags(text)
    text = FENCED.sub("", text)
    for link in LINK.findall(text):
        problem = None if re.match(r"\w+:", link) else problem_of_link(page, link)
        if problem:
            yield f"the link ({link}) {problem}"
    for path in NAMED.findall(text):
        if not any(ROOT.glob(path.rstrip("/"))):
            yield f"names `{path}`, which is not there"


def members_written() -> set[str]:
    found: set[str] = set()
    for source in SOURCES:
        found |= set(KEY.findall(source.read_text(encoding="utf-8")))
    return found


def members_documented() -> set[str]:
    """First cells of the tables, and what the cells of other tables say in backticks."""
    found: set[str] = set()
    heading = ""
    for line in (ROOT / "docs" / "output.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("| `") and heading == "resource":
            found |= {"kind", *re.findall(r"`(\w+)`", line)[1:]}
        elif line.startswith("| `") and heading not in VALUES:
            found.add(line.split("`")[1])
            for group in re.findall(r"`\[?\{([\w, ]+)\}\]?`", line):
                found |= set(group.split(", "))
    return found


def types_written() -> set[str]:
    return {kind for source in SOURCES for kind in TYPE.findall(source.read_text(encoding="utf-8"))}


def members_in_schema() -> set[str]:
    text = (ROOT / "docs" / "output.schema.json").read_text(encoding="utf-8")
    return {
        name for part in json.loads(text)["definitions"].values() for name in part["properties"]
    }


def problems_of_output() -> Iterator[str]:
    written, documented = members_written(), members_documented()
    for name in sorted(written - documented):
        yield f"has no row for the member {name}, which is written"
    for name in sorted(documented - written):
        yield f"has a row for {name}, which nothing writes"
    for name in sorted(written ^ members_in_schema()):
        yield f"and output.schema.json disagree with what is written: {name}"
    headings = anchors(ROOT / "docs" / "output.md")
    for name in sorted(types_written() - headings):
        yield f"has no heading for the event {name}"


def problems_of_index() -> Iterator[str]:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {link.partition("#")[0] for link in LINK.findall(index)}
    for page in sorted((ROOT / "docs").glob("*.md")):
        if page.name not in linked | {"README.md"}:
            yield f"has no link to {page.name}"


def main() -> int:
    problems = [
        f"{page.relative_to(ROOT)} {problem}"
        for page in pages()
        for problem in problems_of_page(page)
    ]
    lines = len((ROOT / "README.md").read_text(encoding="utf-8").splitlines())
    if lines > README_LINES_MAX:
        problems.append(f"README.md has {lines} lines, more than {README_LINES_MAX}")
    problems += [f"docs/output.md {problem}" for problem in problems_of_output()]
    problems += [f"docs/README.md {problem}" for problem in problems_of_index()]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
