#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/advice.md from src/advice.def; with --check says whether it is as it should be."""

import sys

from tables import ROOT, Row, rows_of, write_or_check

PAGE = ROOT / "docs" / "advice.md"
RUFF = "https://docs.astral.sh/ruff/rules/#flake8-async-async"

LOOPS = {
    "ANY": "Any loop",
    "TRIO": "trio",
    "ASYNCIO": "asyncio",
    "NODE": "Node.js",
    "TOKIO": "tokio",
    "JVM": "Java",
    "NGINX": "nginx",
    "REDIS": "Redis",
}
WHERE = {
    "API": "",
    "INSIDE": "further in: ",
    "STACK": "in the stack: ",
    "LIBRARY": "of the library: ",
}

HEAD = f"""# Advice

Made by `make docs` from `src/advice.def`; edit that.

Below a stack there may be one line that says what to do about it:

    > app.py:6  save  time.sleep(0.15)
      advice: use await asyncio.sleep()  [ruff ASYNC251]

Events have it as [`advice`](output.md#advice), and `loophound report --advice` shows it below each
row. It is found by what the loop waited in, what was called at your line, and which loop runs it,
as the stack tells: by the tables below, the first row that matches. Where none does there is no
advice. A [rule of ruff]({RUFF}) finds the same mistake in a coroutine without running it.

- In the first column is what was waited in: a [call](calls.md), `@` and a group of calls, a lock or
  the like of Python (`own`: the thread has it itself), or an iteration that was `computing` or
  `collecting` garbage. `stdin` is any call on descriptor 0.
- In the second one are names of functions as FILE:FUNCTION, the file from the directory of its
  installation on. The interpreter's own is a function such as `open()`, which has no file.
- `{{library}}` is a library's name and version.
"""


def code(text: str) -> str:
    words = [f"`{word}`" for word in text.replace("|", "\\|").split(",") if word]
    return ", ".join(words)


def called(where: str, names: str) -> str:
    if where == "ANY":
        return "anything"
    own = ["the interpreter's own"] if "" in names.split(",") else []
    return WHERE[where] + ", ".join([*own, code(names)]).removesuffix(", ")


def line(row: Row) -> str:
    _, _, calls, where, names, rule, text = row
    return f"| {code(calls)} | {called(where, names)} | {text} | {rule} |"


def page() -> str:
    python = "(l, o, c, w, n, r, t, a, e) (#l, #o, c, #w, n, r, t)"
    rows = rows_of("advice.def", "ADVICE", python)
    lines = [HEAD.rstrip("\n")]
    for loop, name in LOOPS.items():
        lines += ["", f"## {name}", ""]
        lines += ["| waited in | called | advice | ruff |", "| --- | --- | --- | --- |"]
        lines += [line(row) for row in rows if row[1] == loop]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, page(), __doc__))
