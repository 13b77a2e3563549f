# SPDX-License-Identifier: Apache-2.0
"""A blocked coroutine under every interpreter of this machine: the whole way, to the report."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import ROOT, blocks, describe, first_frame_in, functions, of_type, run_preloaded
from pythons import INTERPRETERS, OTHERS, READABLE

CLASSIC = ROOT / "tests" / "programs" / "python" / "classic.py"


@pytest.mark.parametrize("python", READABLE)
def test_python_frames_stand_among_the_native_ones(python: str, hits: Path) -> None:
    done, events = run_preloaded([python, CLASSIC, "sleep", "on"], hits)
    assert (done.returncode, done.stderr) == (0, "")
    (block,) = blocks(events)
    frame = first_frame_in(block, "classic.py")
    assert frame, describe(events)
    assert (frame["function"], frame["line"]) == ("sleep", int(done.stdout.split()[1]))
    langs = [frame["lang"] for frame in block["stack"]]
    assert (langs[0], langs[-1]) == ("native", "native"), "C calls Python and is called by it"
    first, last = langs.index("python"), len(langs) - langs[::-1].index("python")
    assert "native" in langs[first:last], "the C between asyncio's Handle and the coroutine"
    # Each loop of the interpreter gave way to its Python frames.
    assert "_PyEval_EvalFrameDefault" not in functions(block)


@pytest.mark.parametrize("python", OTHERS)
def test_a_version_without_a_row_is_said_and_has_native_frames(python: str, hits: Path) -> None:
    done, events = run_preloaded([python, CLASSIC, "sleep", "on"], hits)
    assert (done.returncode, done.stderr) == (0, "")
    (start,), (block,) = of_type(events, "start"), blocks(events)
    (warning,) = (line for line in start["warnings"] if line.startswith("Python"))
    assert warning.startswith(f"Python {INTERPRETERS[python]}: no Python frames")
    assert {frame["lang"] for frame in block["stack"]} == {"native"}


def has_symbols(python: str) -> bool:
    """Without them the collector's functions have no names."""
    program = Path(python)
    files = [program, *program.parent.parent.glob("lib/libpython3.*.so.1.0")]
    return any(b"\0gc_collect\0" in file.read_bytes() for file in files)


NAMED = [python for python in READABLE if has_symbols(python)]
COLLECTS = """
import asyncio, gc
gc.disable()
cache = [{"k": [i], "s": (i,)} for i in range(500000)]
async def clean():
    await asyncio.sleep(0.01)
    gc.collect()
asyncio.run(clean())
"""


@pytest.mark.parametrize("python", NAMED)
def test_pause_of_the_garbage_collector_says_so(python: str, hits: Path, tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(COLLECTS)
    done, events = run_preloaded([python, app], hits, THRESHOLD="20ms")
    assert (done.returncode, done.stderr) == (0, "")
    groups = [group for stall in of_type(events, "stall") for group in stall["groups"]]
    collecting = [group for group in groups if group["collecting_ms"] > 0.5 * group["ms"]]
    assert collecting, groups
    (frame,) = (frame for frame in collecting[0]["stack"] if frame.get("user"))
    assert (frame["function"], frame["line"]) == ("clean", 7)
