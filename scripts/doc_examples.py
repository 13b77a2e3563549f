#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the examples of Markdown pages and compares what comes with what the page shows.

A comment before a block of code says what the block is:

    <!-- file app.py -->  the content of a file
    <!-- run -->          commands behind $, and what they print; `...` alone stands for any lines
    <!-- run stalls -->   the same, with stalls; else they are off: a busy machine makes its own
    <!-- server 8000 -->  one command that listens on this port, and all it prints until Ctrl-C
    <!-- client -->       a `run` block, while the servers before it run
    <!-- runtimes -->     anywhere: the page needs what scripts/bootstrap runtimes installs
    <!-- node-servers --> likewise: what make node-servers gets

All of a page runs in one empty directory. Ports are replaced by free ones. Before two texts are
compared, what differs from run to run (times, pids, lines of libraries) is made equal.

Used by tests/e2e/test_docs.py; `scripts/doc_examples.py --update PAGE` fills in empty outputs.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 60
MORE = ("runtimes", "node-servers")
BLOCK = re.compile(
    r"<!-- (file|run|server|client)(?: ([^>]*?))? -->\n```(\w*)\n(.*?)```\n", re.DOTALL
)

# What differs from run to run, and what stands for it.
VOLATILE = [
    # A processor that others had, and what came of it: short of it, any call takes a while.
    (r"( on the CPU)(?:, [\d.]+ ms blocked)?, [\d.]+ m?s waiting for a processor", r"\1"),
    (r", [\d.]+ m?s waiting for a processor", ""),
    (r"loophound\[\d+\]", "loophound[PID]"),
    (r"\b(pid|child) \d+", r"\1 PID"),
    (r"\b0x[0-9a-f]+\b", "ADDRESS"),
    (r"\bprocess \[\d+\]", "process [PID]"),
    (r"\b(pipe|socket):?(?: \d+|\[\d+\])", r"\1 FD"),
    (r"\bthread \d+", "thread TID"),
    (r"\b127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\b[\d.]+ → (?=[\d.]+ ms\b)", "TIME → "),
    (r"\b\d+(\.\d+)? m?s\b", "TIME"),
    (r"\| [+-][\d.]+ \|", "| CHANGE |"),
    (r"\b\d+ %", "N %"),
    (r"\bin \d+ of \d+ samples", "in N of N samples"),
    (r"\d+ frames? of", "N frames of"),
    (r"#\d+\b", "#ID"),
    (r"\bTask-\d+", "Task-N"),
    (r"(;\[\w+\]) \d+$", r"\1 MICROSECONDS"),  # folded stacks
    (r"\((events\.py):\d+\)", r"(\1:N)"),  # of Python's own library
    (r"[ \t]+", " "),
]
# Lines of code that are not the example's own, and differ between versions of what is installed.
NOT_OURS = (r"^( \S+?:)\d+ ", r"\1N ")


@dataclass(frozen=True)
class Block:
    kind: str
    argument: str
    text: str
    begin: int  # of its text in the page
    line: int

    def steps(self) -> list[tuple[str, str]]:
        """Commands, and what each prints."""
        parts = re.split(r"^\$ ((?:.*\\\n)*.*)\n", self.text, flags=re.MULTILINE)
        return list(zip(parts[1::2], parts[2::2], strict=True))


class Difference(Exception):
    """What came is not what the page shows."""


def blocks_of(page: str) -> list[Block]:
    return [
        Block(
            found[1], found[2] or "", found[4], found.start(4), page[: found.start(4)].count("\n")
        )
        for found in BLOCK.finditer(page)
    ]


def needs_more(page: str) -> str | None:
    """What the page needs that `make test` does not install."""
    return next((what for what in MORE if f"<!-- {what} -->" in page), None)


def is_by_chance(line: str, seen: set[str]) -> bool:
    """Whether a client had come back already, and how often a long report is repeated."""
    if re.match(r" +(at least )?\d+ descriptors? (was|were) ready", line):
        return True
    found = re.search(r"MainThread still .* (#\d+)$", line)
    repeated = found is not None and found[1] in seen
    seen.update([found[1]] if found else [])
    return repeated


def normal(text: str) -> list[str]:
    lines = []
    seen: set[str] = set()
    for line in text.splitlines():
        if is_by_chance(line, seen):
            continue
        for pattern, word in VOLATILE:
            line = re.sub(pattern, word, line)
        lines.append(re.sub(*NOT_OURS, line).rstrip())
    return lines


def matches(shown: str, came: str) -> bool:
    """Is this what the page shows? `...` stands for any lines, none too."""
    pattern = "".join(
        "(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + "\n" for line in normal(shown)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in normal(came))) is not None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Example:
    """The blocks of one page, in order, in a directory of their own."""

    def __init__(self, page: str, build: Path, directory: Path) -> None:
        self.page = page
        self.build = build
        self.directory = directory
        self.came: dict[int, str] = {}  # what to write where the page shows nothing yet
        self._ports = {argument: str(free_port()) for argument in self._named_ports()}

    def _named_ports(self) -> set[str]:
        return {block.argument for block in blocks_of(self.page) if block.kind == "server"}

    def _with_ports(self, text: str) -> str:
        for named, port in self._ports.items():
            text = re.sub(rf"\b{named}\b", port, text)
        return text.replace("/usr/local/lib/", f"{self.build}/")

    def _as_shown(self, text: str) -> str:
        for named, port in self._ports.items():
            text = re.sub(rf"\b{port}\b", named, text)
        return text.replace(str(self.directory), "/home/you")

    def _own_tools(self) -> Path:
        """The user's own Rust, if there is one, before the system's, which lies beside python3."""
        tools = self.directory / ".tools"
        tools.mkdir(exist_ok=True)
        for name in ("cargo", "rustc"):
            found = shutil.which(name)
            if found and not (tools / name).is_symlink():
                (tools / name).symlink_to(found)
        return tools

    def _environment(self, stalls: bool) -> dict[str, str]:
        ours = ("LOOPHOUND_", "LD_", "GITHUB_", "PYTEST_CURRENT_TEST")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        paths = [str(self.build), str(self._own_tools()), str(Path(sys.executable).parent)]
        paths += [str(self.build / "node-servers/pm2/node_modules/.bin")]
        paths += [kept["PATH"], "/usr/sbin"]
        kept.update(PATH=":".join(paths), PYTHONDONTWRITEBYTECODE="1", LC_ALL="C.UTF-8")
        kept["C_INCLUDE_PATH"] = str(ROOT / "include")
        kept["PM2_HOME"] = str(self.directory / ".pm2")
        kept["LOOPHOUND_STALL"] = "on" if stalls else "off"
        return kept

    def _start(self, command: str, stalls: bool = False) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["sh", "-c", self._with_ports(command)],
            cwd=self.directory,
            env=self._environment(stalls),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _run(self, block: Block) -> None:
        for command, shown in block.steps():
            process = self._start(command, block.argument == "stalls")
            came, _ = process.communicate(timeout=PATIENCE_S)
            self._compare(block, command, shown, came)

    def _wait_until_listening(self, block: Block, process: subprocess.Popen[str]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not listens(int(self._ports[block.argument])):
            if process.poll() is not None or time.monotonic() > end:
                raise Difference(f"line {block.line}: does not listen:\n{block.text}")
            time.sleep(0.02)

    def _serve(self, block: Block, rest: list[Block]) -> None:
        """Starts it, then the servers and clients that follow; what it printed is compared."""
        ((command, shown),) = block.steps()
        process = self._start(f"exec {command}")
        try:
            self._wait_until_listening(block, process)
            while rest and rest[0].kind in ("server", "client"):
                following = rest.pop(0)
                if following.kind == "server":
                    self._serve(following, rest)
                else:
                    self._run(following)
            process.send_signal(signal.SIGINT)
            came, _ = process.communicate(timeout=PATIENCE_S)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        self._compare(block, command, shown, came)

    def _compare(self, block: Block, command: str, shown: str, came: str) -> None:
        came = self._as_shown(came)
        came += "\n" * (came != "" and not came.endswith("\n"))
        if not block.text.split("\n", 1)[1].strip() and came.strip():
            self.came[block.begin + len(block.text)] = came
        elif not matches(shown, came):
            raise Difference(f"line {block.line}: $ {command}\nshown:\n{shown}came:\n{came}")

    def run(self) -> None:
        blocks = blocks_of(self.page)
        while blocks:
            block = blocks.pop(0)
            if block.kind == "file":
                path = self.directory / block.argument
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self._with_ports(block.text), encoding="utf-8")
            elif block.kind == "server":
                self._serve(block, blocks)
            else:
                self._run(block)

    def updated(self) -> str:
        page = self.page
        for at in sorted(self.came, reverse=True):
            page = page[:at] + self.came[at] + page[at:]
        return page


def run_page(path: Path, build: Path) -> Example:
    """Runs all of a page's examples. Raises Difference where the page shows something else."""
    directory = Path(tempfile.mkdtemp(prefix="doc-"))
    try:
        example = Example(path.read_text(encoding="utf-8"), build, directory)
        example.run()
        return example
    finally:
        shutil.rmtree(directory)


def with_patience(attempt: Callable[[], Example], attempts: int = 3) -> Example:
    """A busy machine may make blocks of its own out of anything: the last attempt counts."""
    for _ in range(attempts - 1):
        try:
            return attempt()
        except Difference:
            continue
    return attempt()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--update", action="store_true", help="fill in outputs that are empty")
    parser.add_argument("page", type=Path, nargs="+")
    arguments = parser.parse_args()
    status = 0
    for page in arguments.page:
        try:
            example = run_page(page, arguments.build.resolve())
        except Difference as difference:
            print(f"{page}: {difference}")
            status = 1
            continue
        if arguments.update:
            page.write_text(example.updated(), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
