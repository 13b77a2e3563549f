# SPDX-License-Identifier: Apache-2.0
"""Where a report points: stacks that are whole, whose code a frame is, the text of the line."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import PYTHON, ROOT, Event, blocks, of_type, run_command, run_preloaded

TWO_MISTAKES = ROOT / "tests" / "programs" / "places" / "two_mistakes.cc"


def stacks_of(event: Event) -> Iterator[list[Event]]:
    if "stack" in event:
        yield event["stack"]
    for part in ("samples", "groups"):
        for sample in event.get(part) or []:
            yield sample["stack"]


def all_stacks(events: list[Event]) -> list[list[Event]]:
    return [stack for event in events for stack in stacks_of(event) if stack]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def run_app(app: Path, output: Path, **options: Any) -> list[Event]:
    done, events = run_preloaded([PYTHON, app], output, **{"THRESHOLD": "20ms", **options})
    assert done.returncode == 0, done.stderr
    return events


def the_block(events: list[Event]) -> Event:
    (block,) = blocks(events)
    return block


def users(stack: list[Event]) -> list[tuple[str, int]]:
    return [(frame["function"], frame["line"]) for frame in stack if frame.get("user")]


def where(output: Path) -> list[str]:
    """The last column of the table: the file without its directory, blanks as one."""
    done = run_command("report", output)
    assert (done.returncode, done.stderr) == (0, "")
    heading, *rows, _ = done.stdout.splitlines()
    at = heading.index("WHERE")
    return [" ".join(row[at:].split()).rpartition("/")[2] for row in rows]


MAIN_OF_NAP = """import asyncio, sys
sys.path.insert(0, {packages!r})
import nap
async def main():
    nap.nap()
asyncio.run(main())
"""

# Each step is a frame of C, and one of Python.
DEEP = """
import asyncio, functools, time
def down(depth):
    if depth == 0:
        time.sleep(0.3)
        return 0
    return functools.reduce(lambda _, left: down(left), [depth - 1], 0)
async def main():
    down({depth})
asyncio.run(main())
"""


def test_stack_goes_on_to_the_outermost_frame(hits: Path, tmp_path: Path) -> None:
    app = write(tmp_path / "app.py", DEEP.format(depth=20))
    stack = the_block(run_app(app, hits))["stack"]
    assert len(stack) > 64
    assert stack[-1]["function"] == "_start"
    assert not any(frame.get("cut") for frame in stack)


@pytest.mark.parametrize(
    ("depth", "options"), [(20, {"STACK": "10"}), (300, {"STACK_BYTES": "256K"})]
)
def test_stack_with_more_frames_than_are_reported_says_so(
    depth: int, options: dict[str, Any], hits: Path, tmp_path: Path
) -> None:
    app = write(tmp_path / "app.py", DEEP.format(depth=depth))
    stack = the_block(run_app(app, hits, **options))["stack"]
    assert len(stack) == int(options.get("STACK", 256))
    assert [frame.get("cut", False) for frame in stack] == [False] * (len(stack) - 1) + [True]
    text = tmp_path / "hits.txt"
    done = run_command("run", "-o", text, "--", PYTHON, app, THRESHOLD="20ms", **options)
    assert done.returncode == 0
    said = f"  ... frames further out are cut (LOOPHOUND_STACK={len(stack)}"
    assert any(line.startswith(said) for line in text.read_text().splitlines())


def test_frames_of_the_interpreter_give_way_to_the_users(hits: Path, tmp_path: Path) -> None:
    """Three of C for one of Python: the user's code is beyond the first 256 of all."""
    packages = tmp_path / "site-packages"
    write(packages / "deep.py", DEEP.format(depth=60).partition("async def")[0])
    source = MAIN_OF_NAP.replace("nap.nap()", "deep.down(60)").replace("import nap", "import deep")
    app = write(tmp_path / "app.py", source.format(packages=str(packages)))
    stack = the_block(run_app(app, hits))["stack"]
    assert users(stack) == [("main", 5)]
    assert stack[-1].get("cut") is True
    assert len(stack) <= 256


# Its time goes by in calls that are no blocks: samples are taken inside of our wrappers, too.
CALLS = """
import asyncio, os, time
async def main():
    end = time.monotonic() + 1
    while time.monotonic() < end:
        for _ in range(1000):
            os.stat("/home")
asyncio.run(main())
"""


def test_none_of_our_own_frames_is_in_any_stack(hits: Path, tmp_path: Path) -> None:
    app = write(tmp_path / "app.py", CALLS)
    events = run_app(app, hits)
    stacks = all_stacks(events)
    assert len(stacks) > 3
    modules = {Path(frame["module"] or "").name for stack in stacks for frame in stack}
    assert not [name for name in modules if name.startswith("libloophound")]


# A package of another name for each test: nothing of one is in the cache of the next.
LAZY = "import time\n\ntime.sleep(0.3)\n"
IMPORTS = """
import asyncio, importlib, sys
sys.path.insert(0, {packages!r})
async def handler():
    importlib.import_module("lazy.inner")
asyncio.run(handler())
"""


def make_lazy(packages: Path) -> None:
    write(packages / "lazy" / "__init__.py", "")
    write(packages / "lazy" / "inner.py", LAZY)


def test_import_of_a_package_points_to_the_users_line_and_folds_importlib(
    hits: Path, tmp_path: Path
) -> None:
    packages = tmp_path / "site-packages"
    make_lazy(packages)
    app = write(tmp_path / "app.py", IMPORTS.format(packages=str(packages)))
    # Files that are read slowly do not count.
    run_app(app, hits, THRESHOLD="200ms")
    line = 'importlib.import_module("lazy.inner")'
    assert set(where(hits)) == {f"app.py:5 handler {line}"}  # a slow disk makes a stall beside it
    text = tmp_path / "hits.txt"
    run_command("run", "-t", "200ms", "-o", text, "--", PYTHON, app)
    assert "importlib._bootstrap" not in text.read_text()
    assert " of importlib" in text.read_text()
    marked = [row.split() for row in text.read_text().splitlines() if row.startswith("> ")]
    assert marked and all(row[-1] == line for row in marked)


TOOL = """
import asyncio, time
async def encode():
    time.sleep(0.3)
def main():
    asyncio.run(encode())
"""
SCRIPT = """
import sys
sys.path.insert(0, {packages!r})
from tool import main
main()
"""


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """A script that starts a tool, as pip makes one, which has all of its code elsewhere."""
    packages = tmp_path / "site-packages"
    write(packages / "tool" / "__init__.py", TOOL)
    return write(tmp_path / "bin" / "tool", SCRIPT.format(packages=str(packages)))


def test_script_that_starts_a_tool_is_not_the_users_code(hits: Path, tool: Path) -> None:
    block = the_block(run_app(tool, hits))
    assert users(block["stack"]) == []
    assert where(hits) == ["__init__.py:4 encode time.sleep(0.3)"]


def test_project_makes_an_installed_package_the_users(hits: Path, tool: Path) -> None:
    block = the_block(run_app(tool, hits, PROJECT="site-packages/tool/*"))
    assert users(block["stack"]) == [("encode", 4)]


def test_project_makes_all_other_files_libraries(hits: Path, tmp_path: Path) -> None:
    write(tmp_path / "vendored" / "nap.py", "import time\ndef nap():\n    time.sleep(0.3)\n")
    source = MAIN_OF_NAP.format(packages=str(tmp_path / "vendored"))
    app = write(tmp_path / "app.py", source)
    assert users(the_block(run_app(app, hits))["stack"]) == [("nap", 3)]
    again = tmp_path / "again.jsonl"
    assert users(the_block(run_app(app, again, PROJECT="app.py"))["stack"]) == [("main", 5)]


MOVES = "import asyncio, time\nasync def main():\n    time.sleep(0.3)\nasyncio.run(main())\n"


def test_same_mistake_is_one_row_when_its_line_has_moved(hits: Path, tmp_path: Path) -> None:
    app = write(tmp_path / "app.py", MOVES)
    run_app(app, hits, THRESHOLD="200ms")
    write(app, "# a comment\n" + MOVES)
    events = run_app(app, hits, THRESHOLD="200ms")
    app.unlink()
    sources = [
        frame["source"] for block in blocks(events) for frame in block["stack"] if "source" in frame
    ]
    assert sources == ["time.sleep(0.3)"] * 2
    assert where(hits) == ["app.py:4 main time.sleep(0.3)"]


def test_two_mistakes_in_one_function_are_two_rows(hits: Path, tmp_path: Path) -> None:
    text = MOVES.replace("    time.sleep(0.3)\n", "    time.sleep(0.3)\n    time.sleep(0.4)\n")
    app = write(tmp_path / "app.py", text)
    run_app(app, hits)
    assert where(hits) == ["app.py:4 main time.sleep(0.4)", "app.py:3 main time.sleep(0.3)"]


def test_stall_has_the_text_of_its_line_too(hits: Path, tmp_path: Path) -> None:
    app = write(tmp_path / "app.py", MOVES.replace("time.sleep(0.3)", "sum(range(10_000_000))"))
    events = run_app(app, hits)
    app.unlink()
    assert of_type(events, "stall")
    assert where(hits) == ["app.py:3 main sum(range(10_000_000))"]


@pytest.mark.parametrize("flag", ["-g", "-g0"])
def test_two_mistakes_in_templates_of_the_library_are_two_rows(
    flag: str, hits: Path, tmp_path: Path
) -> None:
    program = tmp_path / "two_mistakes"
    compiler = os.environ.get("CXX", "c++")
    subprocess.run([compiler, "-O2", flag, TWO_MISTAKES, "-o", program, "-lpthread"], check=True)
    run_preloaded([program], hits, THRESHOLD="20ms")
    called = "std::this_thread::sleep_for(std::chrono::milliseconds({ms}));"
    lines = TWO_MISTAKES.read_text().splitlines()
    expected = []
    for function, ms in (("shop::resize_image", 400), ("shop::send_mail", 300)):
        call = called.format(ms=ms)
        line = next(number for number, text in enumerate(lines, 1) if call in text)
        with_line = f"two_mistakes.cc:{line} {function} {call}"
        expected.append(with_line if flag == "-g" else f"two_mistakes {function}")
    found = [row.removesuffix("()") for row in where(hits)]
    assert found == expected
