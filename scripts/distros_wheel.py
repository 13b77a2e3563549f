# SPDX-License-Identifier: Apache-2.0
"""`scripts/distros --wheel FILE`: the wheel on every system, with its own python3 and pip."""

import re
import shutil
from dataclasses import astuple, dataclass
from pathlib import Path

from systems import ROOT, Distro, System, made

PROGRAM = ROOT / "tests" / "wheel" / "blocks.py"
PLACE = "/var/tmp/wheel"  # in the system; /tmp is another one for each command

# What pip may not do: look for something else, or elsewhere.
TRY = f"""
    cd {PLACE}
    python3 --version
    python3 -m venv venv
    venv/bin/pip --version
    venv/bin/pip --disable-pip-version-check install --no-index ./*.whl
    venv/bin/loophound run -o hits.jsonl --stacks inline -- venv/bin/python blocks.py
    echo "found: $(venv/bin/python blocks.py hits.jsonl)"
"""


@dataclass
class Row:
    """What came out of one system."""

    system: str
    libc: str = ""
    python: str = ""
    pip: str = ""
    found: str = ""


def try_wheel(system: System, folder: Path, wheel: Path) -> Row:
    distro, problem = made(system, folder)
    if problem:
        return Row(system.name, found=f"skipped: {problem}")
    if distro.run("apt-get -qy install python3-venv", "wheel-venv").returncode != 0:
        return Row(system.name, found="FAIL: python3-venv cannot be installed")
    put(distro, wheel)
    said = distro.run(TRY, "wheel").stdout
    libc = distro.run("getconf GNU_LIBC_VERSION", "libc").stdout.strip().removeprefix("glibc ")
    return Row(
        system.name,
        libc,
        first(r"^Python (\S+)$", said),
        first(r"^pip (\S+) ", said),
        first(r"^found: (.*)$", said) or f"FAIL: {last_line(said)}",
    )


def put(distro: Distro, wheel: Path) -> None:
    place = distro.root / PLACE[1:]
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    shutil.copy(wheel, place)
    shutil.copy(PROGRAM, place)


def first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1] if found else ""


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["nothing was said"])[-1]


def has_failed(row: Row) -> bool:
    return row.found != "4 of 4" and not row.found.startswith("skipped")


def lines_of(rows: list[Row]) -> list[list[str]]:
    return [["system", "libc", "Python", "pip", "blocks found"], *(list(astuple(r)) for r in rows)]
