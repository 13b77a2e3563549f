#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The files that git knows: names that a person would choose, a licence in each source."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

NAME = re.compile(
    r"^\[[a-z]+\]$|"  # what Next.js calls a folder that stands for any word of a URL
    r"^[A-Za-z0-9][A-Za-z0-9._+-]*$|^\.[a-z][a-z0-9._-]*$|^_?[a-z][a-z0-9_.-]*$|^__[a-z]+__\.py$"
)
TAG = "SPDX-License-Identifier: Apache-2.0"
SOURCES = set(".c .h .cc .def .in .py .rs .java .js .mjs .ts .tsx .sh .tcl .toml .scd".split())
NOT_OURS = ("tests/fuzz/corpus/",)  # bytes that fuzzers found


def problem_of(name: str) -> str | None:
    """What is wrong with one file, or None."""
    for part in name.split("/"):
        if not NAME.match(part):
            return f"'{part}' is no name that a person would choose: letters, digits, dots, dashes"
    path = ROOT / name
    if path.is_symlink() or name.startswith(NOT_OURS):
        return None
    text = path.read_bytes()
    if not text and path.name not in ("__init__.py", "py.typed"):
        return "is empty"
    if (path.suffix in SOURCES or text.startswith(b"#!")) and TAG.encode() not in text[:400]:
        return f"its first lines do not say: {TAG}"
    return None


def main() -> int:
    git = ["git", "ls-files", "-z"]
    listed = subprocess.run(git, check=True, capture_output=True, text=True, cwd=ROOT)
    problems = [
        f"{name}: {problem}"
        for name in listed.stdout.split("\0")
        if name and (ROOT / name).exists() and (problem := problem_of(name))
    ]
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
