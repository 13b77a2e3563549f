# SPDX-License-Identifier: Apache-2.0
"""JavaScript that a tool has made is told by the lines that a person wrote, by its source map."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from harness import Event, run_command

# Strict mode, and a wait that ends by itself: a test depends on no time.
MADE = """\
"use strict";
function pause() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}
setImmediate(pause);
"""
MADE_LINE = 3
MADE_IN_ONE_LINE = (
    "function one(){}function two(){}"
    "setImmediate(()=>Atomics.wait(new Int32Array(new SharedArrayBuffer(4)),0,0,1));"
)
WRITTEN_LINE = 7
WRITTEN = "\n" * (WRITTEN_LINE - 1) + "    Atomics.wait(cell, 0, 0, 1); // as it was written\n"
# Line 3 from its first column on: source 0, line 7, column 5.
MAPPINGS = ";;AAMI"


def map_for(source: str, **members: str) -> str:
    return json.dumps({"version": 3, "sources": [source], "mappings": MAPPINGS, **members})


def inline(text: str) -> str:
    data = base64.b64encode(text.encode()).decode()
    return f"data:application/json;charset=utf-8;base64,{data}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "dist").mkdir()
    (tmp_path / "src" / "app.ts").write_text(WRITTEN, encoding="utf-8")
    return tmp_path


def frames_of(project: Path, function: str) -> list[Event]:
    lines = (project / "hits.jsonl").read_text(encoding="utf-8").splitlines()
    blocks = [event for event in map(json.loads, lines) if event["type"] == "block"]
    return [frame for event in blocks for frame in event["stack"] if frame["function"] == function]


def run_made(project: Path, url: str | None, script_name: str = "dist/app.js") -> tuple[Event, str]:
    """The frame of the one block that the script is in, and the run's text."""
    script = project / script_name
    mark = "" if url is None else f"//# sourceMappingURL={url}\n"
    script.write_text(MADE + mark, encoding="utf-8")
    run_command(
        "run",
        "--strict",
        "-o",
        project / "hits.jsonl",
        "--stacks",
        "inline",
        "--calls",
        "lock",
        "--",
        "node",
        script,
    )
    text = run_command("run", "--strict", "--calls", "lock", "--", "node", script).stderr
    [frame] = frames_of(project, "pause")
    return frame, text


def assert_written(project: Path, frame: Event) -> None:
    assert (frame["file"], frame["line"]) == (str(project / "src" / "app.ts"), WRITTEN_LINE)
    assert (frame["generated_file"], frame["generated_line"]) == (
        str(project / "dist" / "app.js"),
        MADE_LINE,
    )
    assert frame["user"] is True


def test_map_beside_the_script_tells_the_line_that_was_written(project: Path) -> None:
    (project / "dist" / "app.js.map").write_text(map_for("../src/app.ts"), encoding="utf-8")
    frame, text = run_made(project, "app.js.map")
    assert_written(project, frame)
    assert "Atomics.wait(cell, 0, 0, 1); // as it was written" in text


def test_map_inside_the_script_does_so_too(project: Path) -> None:
    frame, _ = run_made(project, inline(map_for("app.ts", sourceRoot="../src")))
    assert_written(project, frame)


def test_names_are_those_of_urls(project: Path) -> None:
    """Turbopack and others write "[way].ts" as %5Bway%5D.ts; a lone sign is itself."""
    (project / "dist" / "app 1%.js.map").write_text(map_for("../src/%61pp.ts"), encoding="utf-8")
    frame, _ = run_made(project, "%61pp%201%.js.map")
    assert_written(project, frame)


def test_bundlers_name_is_a_path_from_where_it_was_started(project: Path) -> None:
    frame, _ = run_made(project, inline(map_for("webpack://shop/./src/app.ts")))
    assert (frame["file"], frame["line"]) == ("src/app.ts", WRITTEN_LINE)


def test_package_with_names_of_its_own_is_no_code_of_the_user(project: Path) -> None:
    package = project / "node_modules" / "pack"
    (package / "dist").mkdir(parents=True)
    (package / "package.json").write_text('{"version": "1.2.3"}', encoding="utf-8")
    url = inline(map_for("webpack://pack/./src/app.ts"))
    frame, _ = run_made(project, url, "node_modules/pack/dist/app.js")
    assert (frame["file"], frame["line"]) == (str(package / "src" / "app.ts"), WRITTEN_LINE)
    assert (frame["library"], frame["version"]) == ("pack", "1.2.3")
    assert "user" not in frame


@pytest.mark.parametrize("url", [None, "gone.map", "http://localhost:1/app.js.map", ".", "data:,x"])
def test_script_without_a_map_is_told_as_it_is(url: str | None, project: Path) -> None:
    frame, text = run_made(project, url)
    assert (frame["file"], frame["line"]) == (str(project / "dist" / "app.js"), MADE_LINE)
    assert "generated_file" not in frame
    assert "source map" not in text


def test_module_is_told_by_its_path_where_v8_has_a_url(project: Path) -> None:
    script = project / "my café 100%" / "made.mjs"
    script.parent.mkdir()
    script.write_text(MADE, encoding="utf-8")
    run = ["run", "--strict", "--calls", "lock", "--stacks", "inline"]
    run_command(*run, "-o", project / "hits.jsonl", "--", "node", script)
    [frame] = frames_of(project, "pause")
    assert (frame["file"], frame["line"]) == (str(script), MADE_LINE)


def test_of_a_long_line_the_part_is_shown_that_blocks(project: Path) -> None:
    script = project / "made.js"
    script.write_text(f"{'one();' * 99}{MADE_IN_ONE_LINE}{'two();' * 99}", encoding="utf-8")
    text = run_command("run", "--strict", "--calls", "lock", "--", "node", script).stderr
    shown = next(line for line in text.splitlines() if line.startswith(">"))
    assert " ..." in shown and "Atomics.wait(new Int32Array" in shown, text
    assert "one();" not in shown, text


def test_broken_map_is_said_once_and_changes_nothing(project: Path) -> None:
    frame, text = run_made(project, inline('{"version":3,"sources":["a.ts"],"mappings":"!"}'))
    assert (frame["file"], frame["line"]) == (str(project / "dist" / "app.js"), MADE_LINE)
    assert text.replace("\n  ", " ").count("cannot be followed") == 1, text
    assert "1 script with a broken source map" in text.replace("\n  ", " "), text
    lines = (project / "hits.jsonl").read_text(encoding="utf-8").splitlines()
    summary = next(event for event in map(json.loads, lines) if event["type"] == "summary")
    assert summary["scripts"] == {"broken_map": 1}
