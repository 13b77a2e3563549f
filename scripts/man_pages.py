#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fills a template of a man page, docs/man/*.scd, from the tables; what it prints is for scdoc(1).

Words between two @ stand for what is in the tables: @FLAGS@ those of the page's subcommand,
@VARIABLES@ the options of the environment (all on loophound(1), elsewhere those without a flag).
"""

import argparse
import re
import sys
from pathlib import Path

from tables import Flag, calls, conditions, flags, formats, names_by_group, options, subcommands


def plain(text: str) -> str:
    """Text in which scdoc(5) finds no markup."""
    return re.sub(r"([\\*_<>`#~\[])", r"\\\1", text)


def entry(head: str, text: str) -> str:
    return f"{head}\n\t{text}"


def flag_entry(flag: Flag) -> str:
    head = ", ".join(f"*{form}*" for form in flag.forms)
    notes = [f"Default: *{plain(flag.default)}*."] if flag.default else []
    notes += [f"Variable: *{plain(flag.variable)}*."] if flag.variable else []
    text = plain(sentence(flag.meaning)) + "".join(f" {note}" for note in notes)
    return entry(f"{head} _{flag.argument}_" if flag.argument else head, text)


def variable_entry(option: Flag) -> str:
    forms = f" The flag *{option.forms[-1]}* of *loophound-run*(1)." if option.forms else ""
    text = f"{plain(sentence(option.doc))} Default: *{plain(option.default)}*.{forms}"
    return entry(f"*{plain(option.variable)}*", text)


def sentence(text: str) -> str:
    """What begins with a value ("text or json; ...") begins as that is typed."""
    begins_with_value = re.match(r"[a-z]+( or |[:,])", text)
    return f"{text if begins_with_value else text[0].upper() + text[1:]}."


def substitutions(page: str, command: Path) -> dict[str, str]:
    """What the words of one page stand for. `page` is its name without the section."""
    _, _, name = page.partition("-")
    table = {row.name: row for row in subcommands()}
    variables = [option for option in options() if not name or not option.forms]
    groups = names_by_group(calls(command))
    found = {
        "VARIABLES": "\n\n".join(map(variable_entry, variables)),
        "SUBCOMMANDS": "\n\n".join(
            entry(f"*loophound {row.name}* {plain(row.arguments)}".rstrip(), sentence(row.doc))
            for row in table.values()
        ),
        "CONDITIONS": "\n\n".join(
            entry(
                f"*{one.name}:*_{plain(one.takes)}_",
                f"{plain(one.doc[0].upper() + one.doc[1:])}. For example *{plain(one.example)}*.",
            )
            for one in conditions()
        ),
        "FORMATS": "\n\n".join(
            entry(f"*{one.name}*", plain(sentence(one.doc))) for one in formats()
        ),
        "GROUPS": "\n\n".join(
            entry(f"*{group}*", plain(", ".join(names))) for group, names in groups.items()
        ),
    }
    if name:
        found["DOC"] = plain(table[name].doc)
        found["ARGUMENTS"] = plain(table[name].arguments)
        found["NOTES"] = plain(table[name].notes)
        found["FLAGS"] = "\n\n".join(map(flag_entry, flags(name)))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("template", type=Path)
    parser.add_argument("--command", type=Path, required=True, help="the loophound that was built")
    arguments = parser.parse_args()
    words = substitutions(arguments.template.name.split(".")[0], arguments.command)
    text = arguments.template.read_text(encoding="utf-8")
    for word, meaning in words.items():
        text = text.replace(f"@{word}@", meaning)
    sys.stdout.write(re.sub(r"^; .*\n", "", text, flags=re.MULTILINE))  # comments
    return 0


if __name__ == "__main__":
    sys.exit(main())
