#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/frames.md from its tables; with --check says whether it is as it should be.

They are src/frames.def and src/runtimes.def.
"""

import sys

from tables import ROOT, Row, rows_of, write_or_check

PAGE = ROOT / "docs" / "frames.md"

LANGUAGES = {
    "PYTHON": "Python",
    "JIT": "JavaScript, and other code made at run time",
    "NATIVE": "Machine code",
}
PARTS = {
    "FILE": "file",
    "SCRIPT": "generated file",
    "MODULE": "module",
    "BASE": "module's name",
    "FUNCTION": "function",
}
WHOSE = {
    "USER": "**yours**",
    "OWN_NATIVE": "**yours**",
    "GENERATED": "made from a string",
    "LIBRARY": "a library's",
    "STANDARD": "a library's",
    "INTERPRETER": "the interpreter's",
    "RUNTIME": "the runtime's",
    "LIBC": "libc's",
    "NATIVE": "the system's",
}

HEAD = """# Whose code a frame is

Made by `make docs` from `src/frames.def` and `src/runtimes.def`; edit those.

A report marks one line with `>`, and `loophound report` has it as WHERE. It is, in this order:

1. the innermost frame of your own code: Python or JavaScript, or else machine code;
2. the innermost frame of Python or JavaScript, whoever wrote it;
3. the innermost function of the program that has a name.

Whose a frame is follows from its names, by the tables below: the first row that matches holds.
What is made from a string (`<string>`) is yours where it is the program itself: `python -c`.

Where a name cannot tell, `LOOPHOUND_PROJECT` does. It takes globs of files, and of functions and
modules of machine code; what matches is yours, and nothing else is. A glob matches whole components
of a path from the right:

    LOOPHOUND_PROJECT='app/*,site-packages/ours/*'
    LOOPHOUND_PROJECT='shop::*'
"""


RUNTIMES = """## Runtimes whose functions have no names

What runs a program of another language is machine code, and so are the frames of a stack. What its
functions are called, the runtime may tell: in `/tmp/perf-PID.map`, which is used where it is not
older than the process. Where it does not, one sentence before the stack says so, once:
"""


def code(text: str) -> str:
    return ", ".join(f"`{word}`" for word in text.replace("|", "\\|").split(","))


def line(row: Row) -> str:
    _, part, globs, function, whose, _, doc = row
    within = f", function {code(function)}" if function else ""
    return f"| {PARTS[part]} {code(globs)}{within} | {WHOSE[whose]} | {doc} |"


def page() -> str:
    python = "(l, p, g, f, w, e, d) (#l, #p, g, f, #w, e, d)"
    rows = rows_of("frames.def", "FRAMES", python)
    lines = [HEAD.rstrip("\n")]
    for lang, name in LANGUAGES.items():
        lines += ["", f"## {name}", "", "| what is matched | whose | what it is |"]
        lines += ["| --- | --- | --- |", *(line(row) for row in rows if row[0] == lang)]
    lines += ["", RUNTIMES.rstrip("\n"), "", "| runtime | what is said |", "| --- | --- |"]
    named = rows_of("runtimes.def", "RUNTIME", "(n, m, v, f, s) (n, m, f, s)")
    lines += [f"| {name} | {sentence} |" for name, _, _, sentence in named]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, page(), __doc__))
