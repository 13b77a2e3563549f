# SPDX-License-Identifier: Apache-2.0
"""Is it plain from the command line and the configuration's text that pytest is to be started
again? Then that is done before the other plugins are imported, which takes most of a start.

Where it is not plain, _early says no, and pytest_load_initial_conftests decides, which knows all.
"""

from __future__ import annotations

import os
import re
import sys

_FILES = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)
_ASKED = re.compile(r"^\s*loophound\s*=\s*[\"']?(?:true|1|yes|on)\b", re.MULTILINE | re.IGNORECASE)
_OPTIONS = re.compile(r"^\s*loophound_(?:noise|threshold)\s*=", re.MULTILINE)
_NEGATIVE = (
    "--loophound-n",  # -noise, -no-reexec
    "-c",
    "--config-file",
    "-o",
    "--override-ini",
    "--rootdir",
    "-h",
    "--help",
    "--version",
    "-V",
    "--markers",
    "--fixtures",
    "-p=no:loophound",
    "no:loophound",
)


def _configuration(directory: str) -> str | None:
    """The text of the files that pytest may read, from the directory up; None: there are none."""
    texts: list[str] = []
    while True:
        for name in _FILES:
            try:
                with open(os.path.join(directory, name), encoding="utf-8") as file:
                    texts.append(file.read())
            except (OSError, UnicodeDecodeError):
                continue
        parent = os.path.dirname(directory)
        if parent == directory:
            return "\n".join(texts)
        directory = parent


def is_plain() -> bool:
    """Of the command line of this process."""
    arguments = [*os.environ.get("PYTEST_ADDOPTS", "").split(), *sys.argv[1:]]
    if os.environ.get("LOOPHOUND_PYTEST") == "0":
        return False
    if any(argument.startswith(_NEGATIVE) for argument in arguments):
        return False
    # Tests elsewhere may have another configuration.
    if any(a.startswith(("/", "..")) or "/.." in a for a in arguments if not a.startswith("-")):
        return False
    text = _configuration(os.getcwd()) or ""
    if _OPTIONS.search(text):
        return False
    return "--loophound" in arguments or bool(_ASKED.search(text))
