# SPDX-License-Identifier: Apache-2.0
"""Scripts of which the library alone cannot tell a line: long ones, of which it counts no lines;
and those whose source map is in the program's memory alone."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from harness import Event, of_type, read_events, run_command

OPTIONS = "--strict --stacks inline --stack full --noise none --calls lock".split()
# It waits, for 1 ms: strict mode tells that without looking at the time.
PAUSE = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)"
# As long as the block is not written: the text may be read from the program's memory.
STAYS = """
const looks = setInterval(() => {
  if (require('fs').readFileSync(process.argv[2]).includes('"block"')) clearInterval(looks);
}, 10);
"""
MEGABYTES = 5
WRITTEN_LINE = 40


def bundle(letters: str) -> str:
    """A long script; in its last line is what is looked for."""
    line = f"// {letters} stands for what a bundler has put together\r\n"
    begin = f'"use strict";\n{line * (MEGABYTES * 1000000 // len(line))}'
    return f"{begin}function pause() {{ {PAUSE}; }}\nsetImmediate(pause);\n"


def place_of(text: str, what: str) -> tuple[int, int]:
    """Line and column, from 1 on."""
    before = text[: text.index(what)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def run(node: Path, script: str | Path, hits: Path) -> tuple[Event, list[Event]]:
    """The frame of pause(), and all events."""
    done = run_command("run", *OPTIONS, "-o", hits, "--", node, script, hits, RATE="off")
    assert done.returncode == 0, done.stderr
    events = read_events(hits)
    frames = [
        frame
        for event in of_type(events, "block")
        for frame in event["stack"]
        if frame["function"] == "pause"
    ]
    assert len(frames) == 1, events
    return frames[0], events


@pytest.mark.parametrize("letters", ["latin", "漢字"])
def test_line_of_a_long_script_is_right(
    node: Path, letters: str, hits: Path, tmp_path: Path
) -> None:
    text = bundle(letters)
    script = tmp_path / "bundle.js"
    script.write_text(text, encoding="utf-8", newline="")
    frame, _ = run(node, script, hits)
    assert (frame["file"], frame["line"], frame["column"]) == (
        str(script),
        *place_of(text, PAUSE[PAUSE.index("wait") :]),
    )


def test_line_of_a_long_script_without_a_file_is_right(
    node: Path, hits: Path, tmp_path: Path
) -> None:
    text = bundle("evaluated")
    (tmp_path / "text.js").write_text(text, encoding="utf-8", newline="")
    script = tmp_path / "run.js"
    script.write_text(
        "const text = require('fs').readFileSync(`${__dirname}/text.js`, 'utf8');\n"
        f"(0, eval)(text);\n{STAYS}",
        encoding="utf-8",
    )
    frame, _ = run(node, script, hits)
    assert frame["line"] == place_of(text, PAUSE)[0]


def with_map(made_line: int, source: str) -> str:
    """The URL of a map: what stands in that line was written in line WRITTEN_LINE of `source`."""
    step = (WRITTEN_LINE - 1) << 1
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    number = digits[step & 31 | 32] + digits[step >> 5]
    mappings = ";" * (made_line - 1) + f"AA{number}A"
    text = json.dumps({"version": 3, "sources": [source], "mappings": mappings})
    return f"data:application/json;base64,{base64.b64encode(text.encode()).decode()}"


def test_source_map_that_is_in_memory_alone_is_followed(
    node: Path, hits: Path, tmp_path: Path
) -> None:
    """As tsx and ts-node do it: what runs has the file's name, and is another text."""
    written = tmp_path / "app.ts"
    written.write_text("type Nothing = never;\n" * 100, encoding="utf-8")
    made = f"function pause() {{\n{PAUSE};\n}}\nsetImmediate(pause);\n"
    made += f"//# sourceMappingURL={with_map(2, str(written))}\n"
    script = tmp_path / "run.js"
    script.write_text(
        f"const made = {json.dumps(made)};\n"
        "require.extensions['.ts'] = (module, file) => module._compile(made, file);\n"
        f"require('./app.ts');\n{STAYS}",
        encoding="utf-8",
    )
    frame, _ = run(node, script, hits)
    assert (frame["file"], frame["line"]) == (str(written), WRITTEN_LINE)
    assert (frame["generated_file"], frame["generated_line"]) == (str(written), 2)


def test_what_cannot_be_told_is_said_and_counted(node: Path, hits: Path, tmp_path: Path) -> None:
    """A long script that does not begin where its file does is one that is not read."""
    (tmp_path / "text.js").write_text(bundle("moved"), encoding="utf-8", newline="")
    script = tmp_path / "run.js"
    script.write_text(
        "const text = require('fs').readFileSync(`${__dirname}/text.js`, 'utf8');\n"
        "require('vm').runInThisContext(text, { filename: '/moved.js', lineOffset: 7 });\n",
        encoding="utf-8",
    )
    frame, events = run(node, script, hits)
    assert (frame["file"], frame["line"]) == ("/moved.js", None)
    assert of_type(events, "summary")[0]["scripts"] == {"no_lines": 1}
    shown = run_command("run", *OPTIONS[:-2], "--calls", "lock", "--", node, script, hits).stderr
    assert shown.replace("\n  ", " ").count("the lines of /moved.js are not known") == 1
    assert "1 script without lines" in shown.replace("\n  ", " ")
