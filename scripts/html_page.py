#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the page of `loophound export -f html` together, as two strings of C.

    scripts/html_page.py DIRECTORY >html_page.def

The first is what stands before the data, the second what stands behind. Style and script stand in
the page itself; their hashes go into its policy, so that no other script runs in it and nothing is
fetched.

They are made shorter: no comments, no spaces that say nothing, `let` for `const`, short names for
what a script declares. That is simple because the sources keep to this: a comment has its lines to
itself, there are no regular expressions, no templates within templates, and each statement has its
semicolon.
"""

from __future__ import annotations  # pip may build with Python 3.8

import base64
import hashlib
import re
import string
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

# In this order: what is used at once stands before.
SCRIPTS = "dom data view header canvas range lanes places tree flame details main".split()
LIMIT = 40 * 1024  # bytes that are ours, beside the data
QUOTED = re.compile(r'("(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)', re.DOTALL)
JOINED = re.compile(rf"(\blet \w+=[^;{{}}\"`]*(?:{QUOTED.pattern}[^;{{}}\"`]*)*);let (?=\w)")
# What a script declares: functions, variables, parameters.
DECLARED = re.compile(
    r"(?:function|const|let) (\w+)|(?:const|let) \[([\w, ]+)\]"
    r"|\(([\w, ]+)\) =>|function \w+\(([\w, ]+)\)"
)


def without_comments(text: str) -> str:
    text = re.sub(r"^\s*/\*.*?\*/\n", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def outside_quotes(text: str, change: Callable[[str], str]) -> str:
    """Changes code, and within templates what stands in ${...}; other text stays as it is."""

    def changed(code: re.Match[str]) -> str:
        return outside_quotes(code[0], change)

    parts: list[str] = QUOTED.split(text)
    for at, part in enumerate(parts):
        if at % 2 == 0:
            parts[at] = change(part)
        elif part.startswith("`"):
            parts[at] = re.sub(r"(?<=\$\{)[^}]*", changed, part)
    return "".join(parts)


def without_spaces(code: str) -> str:
    code = re.sub(r"\bconst\b", "let", code)
    code = re.sub(r" ?([-{}()\[\],;:=<>+*/?&|!%]) ?", r"\1", code)
    code = re.sub(r"\((\w+)\)=>", r"\1=>", code)
    return re.sub(r"(?<!\w)\n|\n(?!\w)", "", code).replace(";}", "}").replace(",)", ")")


def short_names(taken: set[str]) -> Iterator[str]:
    for length in (1, 2):
        for letters in product(string.ascii_letters, repeat=length):
            name = "".join(letters)
            if name not in taken | {"do", "if", "in", "of"}:
                yield name


def declared(script: str) -> set[str]:
    code = re.sub(QUOTED, "", script)
    return {name for found in DECLARED.findall(code) for part in found for name in part.split(", ")}


def with_short_names(script: str) -> str:
    """A name that is a member somewhere, or a key, stays: nobody can tell them apart here. All
    others get the same one everywhere, so that what hides another one still does."""
    words = re.findall(r"\w+", script)
    kept = re.findall(r"(?<!\.)\.(\w+)|(\w+):", re.sub(QUOTED, "", script))
    names = declared(script) - {name for pair in kept for name in pair}
    often = sorted(
        (name for name in names if len(name) > 2), key=lambda name: (-words.count(name), name)
    )
    new = short_names(set(words))
    short = {name: next(new) for name in often}
    return outside_quotes(
        script, lambda code: re.sub(r"\w+", lambda word: short.get(word[0], word[0]), code)
    )


def with_joined_variables(script: str) -> str:
    """`let a=1;let b=2` is `let a=1,b=2`, where no block is in between."""
    joined = ""
    while joined != script:
        joined = script
        script = re.sub(JOINED, r"\1,", joined)
    return joined


def script_of(directory: Path) -> str:
    parts = [without_comments((directory / f"{name}.js").read_text()) for name in SCRIPTS]
    script = outside_quotes(with_short_names("\n".join(parts)), without_spaces)
    script = with_joined_variables(script)
    return f'"use strict";(()=>{{\n{script}\n}})();'


def style_of(directory: Path) -> str:
    style = without_comments((directory / "page.css").read_text())
    style = re.sub(r" ?([{};]|: |, )\s*", lambda found: found[1].strip(), style)
    return style.replace(";}", "}").strip()


def hash_of(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src {hash_of(script)}; style-src {hash_of(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def page_of(directory: Path) -> str:
    """All of it, {{data}} where the data goes."""
    style, script = style_of(directory), script_of(directory)
    if "</" in script or "</" in style:
        raise SystemExit("html_page: '</' in the style or the script would end it")
    page = re.sub(r"<!--.*?-->\n", "", (directory / "page.html").read_text(), flags=re.DOTALL)
    page = page.replace(">\n<", "><")
    for name, text in {"policy": policy(style, script), "style": style, "script": script}.items():
        page = page.replace("{{" + name + "}}", text)
    return page


def c_string(text: str) -> str:
    """One literal for each line. What is not ASCII stands as octal numbers of its bytes."""
    lines = []
    for line in text.encode().splitlines(keepends=True):
        signs = (
            chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
            for byte in line
        )
        lines.append('    "' + "".join(signs) + '"')
    return "\n".join(lines)


def main() -> int:
    page = page_of(Path(sys.argv[1]))
    begin, end = page.split("{{data}}")
    size = len(page.encode())
    if size > LIMIT:
        raise SystemExit(f"html_page: the page has {size} bytes of ours, more than {LIMIT}")
    print(f"/* Made by scripts/html_page.py: {size} bytes. */")
    print(f"static const char page_begin[] =\n{c_string(begin)};")
    print(f"static const char page_end[] =\n{c_string(end)};")
    return 0


if __name__ == "__main__":
    sys.exit(main())
