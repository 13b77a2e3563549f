# SPDX-License-Identifier: Apache-2.0
"""The Python interpreters of this machine, and which of them the library can read.

They are Debian's, those of pyenv and those on PATH, debug and free-threaded builds too, and those
that LOOPHOUND_TEST_PYTHONS names (`:` between paths).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from harness import ROOT

ROWS = re.findall(
    r"^PYTHON\w*\(0x03(\w\w),", (ROOT / "src/preload/python/offsets.def").read_text(), re.MULTILINE
)
KNOWN = {f"3.{int(row, 16)}" for row in ROWS}
OLDEST = (3, 7)  # the first with a _PyRuntime, and without a row


def probe(python: str) -> tuple[str, str]:
    """The program behind a name, which may be a script that starts another, and its version."""
    code = "import ctypes, os, sys; print(os.path.realpath(sys.executable)); "
    code += "print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    program, _, version = done.stdout.strip().partition("\n")
    return program, version


def interpreters() -> dict[str, str]:
    candidates = [Path("/usr/bin/python3"), *Path.home().glob(".pyenv/versions/3.*/bin/python3")]
    names = [f"python3.{v}{kind}" for v in range(8, 16) for kind in ("", "t", "-dbg")]
    candidates += [Path(p) for name in names if (p := shutil.which(name))]
    real = {str(path.resolve()) for path in candidates if path.exists()}
    probed = {probe(python) for python in real}
    # What is named is run as it is named: it may be a script that sets things up.
    named = [p for p in os.environ.get("LOOPHOUND_TEST_PYTHONS", "").split(":") if p]
    probed |= {(str(Path(python).absolute()), probe(python)[1]) for python in named}
    return {python: version for python, version in sorted(probed) if is_supported(version)}


def is_supported(version: str) -> bool:
    major, _, minor = version.partition(".")
    return (int(major or 0), int(minor or 0)) >= OLDEST


INTERPRETERS = interpreters()
READABLE = [python for python, version in INTERPRETERS.items() if version in KNOWN]
OTHERS = [python for python, version in INTERPRETERS.items() if version not in KNOWN]
MISSING = sorted(KNOWN - set(INTERPRETERS.values()))
