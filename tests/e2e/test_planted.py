# SPDX-License-Identifier: Apache-2.0
"""Strict mode on planted faults in coroutines: each is told, and none of its clean forms."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from harness import PROGRAMS, PYTHON, ROOT, Event, blocks, functions, of_type, run_preloaded

PLANTED = ROOT / "tests" / "programs" / "python" / "planted.py"


def names() -> list[str]:
    listed = subprocess.run([PYTHON, PLANTED, "names"], stdout=subprocess.PIPE, text=True)
    return listed.stdout.split()


def run(form: str, hits: Path, **options: Any) -> list[Event]:
    lines = "a line of input\n" * len(names())
    with TemporaryDirectory(dir=PROGRAMS) as directory:  # on a disk
        argv: list[str | Path] = [PYTHON, PLANTED, form, directory]
        done, events = run_preloaded(argv, hits, stdin=lines, STRICT="on", **options)
    assert done.returncode == 0, done.stderr
    assert of_type(events, "summary")[0]["dropped"] == 0
    return events


def is_within(block: Event, fault: str) -> bool:
    return any(
        frame["function"] == fault and Path(frame["file"] or "").name.startswith("planted_")
        for frame in block["stack"]
    )


def where(block: Event) -> str:
    functions = [frame["function"] or "?" for frame in block["stack"] if frame["lang"] == "python"]
    return f"{block['test']}: {block['call']} in {' < '.join(functions)}"


def test_each_planted_fault_is_told_with_its_function(hits: Path) -> None:
    faults = names()
    assert len(faults) >= 40
    events = run("faults", hits)
    told = {block["test"] for block in blocks(events) if is_within(block, block["test"])}
    assert sorted(set(faults) - told) == []


def test_no_clean_form_is_told(hits: Path) -> None:
    """Nor is what is done before and after the loop."""
    events = run("clean", hits, THRESHOLD="3600s")
    assert len(of_type(events, "loop")) == len(names()), "each was in a loop"
    assert sorted(set(map(where, blocks(events)))) == []


LATE = """
import asyncio
async def main():
    await asyncio.sleep(0)
    import late
asyncio.run(main())
"""


@pytest.mark.parametrize(("noise", "is_told"), [("auto", False), ("-import", True)])
def test_late_import_of_an_own_module_is_told_where_it_is_asked_for(
    noise: str, is_told: bool, hits: Path
) -> None:
    with TemporaryDirectory(dir=PROGRAMS) as directory:  # on a disk
        (Path(directory) / "late.py").write_text("price = 7\n")
        (Path(directory) / "app.py").write_text(LATE)
        argv: list[str | Path] = [PYTHON, Path(directory) / "app.py"]
        done, events = run_preloaded(argv, hits, STRICT="on", THRESHOLD="3600s", NOISE=noise)
    assert done.returncode == 0, done.stderr
    told = [block for block in blocks(events) if "main" in functions(block)]
    assert bool(told) == is_told, list(map(where, blocks(events)))
    assert (of_type(events, "summary")[0]["quiet"].get("import", 0) > 0) != is_told
