# SPDX-License-Identifier: Apache-2.0
"""Is it plain from the command line and the configuration's text that pytest is to be started
again? Then that is done before the other plugins are imported, which takes most of a start, and
before the rest of this package is.

Where it is not plain nothing is done, and pytest_load_initial_conftests decides, which knows all.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import Any

from loophound import _reexec

# Of LOOPHOUND_<name>, with which pytest is started again.
USUAL_OPTIONS = {
    "STRICT": "on",
    "RATE": "off",
    "OUTPUT_LIMIT": "off",
    "NOISE": "tests,-test-code",  # whether a test or what it calls did it is judged by _scope.py
    "FOLLOW": "*python*",
}
_COMMANDS = ("console_main", "_console_main")  # functions of pytest
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


def is_command() -> bool:
    """Was this pytest started as a command, and not by pytest.main() in another program, which
    would be started anew, nor in a test of pytest itself?"""
    frame: Any | None = sys._getframe()
    while frame is not None:
        code, frame = frame.f_code, frame.f_back
        if not code.co_filename.endswith("_pytest/config/__init__.py"):
            continue
        if code.co_name in _COMMANDS:
            return True
        if code.co_name == "main":  # called by the command up to pytest 9.0
            return frame is not None and frame.f_code.co_name in _COMMANDS
    return False


def start_again() -> None:
    """As the plugin is imported: nothing is captured yet, and no other plugin's time is lost."""
    if not is_plain() or not is_command() or _reexec.why_not() is not None:
        return
    if "PYTEST_CURRENT_TEST" not in _reexec.initial_environment():
        with contextlib.suppress(OSError):  # then pytest_load_initial_conftests says it
            _reexec.start_again(USUAL_OPTIONS)
