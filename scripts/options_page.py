#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/options.md from the tables; with --check says whether it is as it should be."""

import sys

from tables import ROOT, Flag, flags, options, write_or_check

PAGE = ROOT / "docs" / "options.md"


def code(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def code_of_default(flag: Flag) -> str:
    return code([flag.default]) if flag.default else ""


def row(option: Flag) -> str:
    default = code_of_default(option)
    return f"| `{option.variable}` | {code(option.forms)} | {default} | {option.doc} |"


def page() -> str:
    lines = [
        "# Every option",
        "",
        "Made by `make docs` from `src/options.def` and `src/cli/flags.def`; edit those.",
        "",
        "An option is a variable of the environment, and most are a flag of `loophound run`, too.",
        "The flag wins.",
        "",
        "- A bad value of a variable is said in one line, and the default is used.",
        "- A bad flag is said in the same line; nothing is started, and the exit status is 2.",
        "",
        "| variable | flag of `run` | default | meaning |",
        "| --- | --- | --- | --- |",
        *map(row, options()),
    ]
    for subcommand in ("run", "report", "export", "rules"):
        rows = [flag for flag in flags(subcommand) if not flag.variable]
        lines += [
            "",
            f"## Other flags of `loophound {subcommand}`",
            "",
            "| flag | default | meaning |",
            "| --- | --- | --- |",
            *(f"| {code(flag.forms)} | {code_of_default(flag)} | {flag.doc} |" for flag in rows),
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, page(), __doc__))
