#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""loophound beside everybody else who finds what blocks an asyncio loop: `make bench-peers`.

All run in one environment, with their best settings (peers/tools.py): fifty scenarios that block
and ten that do not (peers/scenarios.py), each in a process of its own, and one application under
one load (peers/app.py), in rounds in which all take turns. Writes docs/benchmarks.md.

    tests/bench/peers.py [--build DIR] [--rounds N] [--only TOOL ...] [--scenario NAME ...] [--dry]
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import page
from load import loaded, quantile_us
from servers import Missing, Running, Server, start, uvicorn

ROOT = Path(__file__).resolve().parents[2]
PEERS = Path(__file__).resolve().parent / "peers"
ROUNDS = 6
WINDOW_S = 2.0
LIMIT_S = 60.0
HANG_S = 4.0


@dataclass(frozen=True)
class Tool:
    """How one is used, and what is known of it without measuring."""

    name: str
    package: str = ""  # of PyPI; "": none
    inside: str = "none"  # in tools.py, of those that work inside the process
    flags: tuple[str, ...] | None = None  # of `loophound run`; None: not ours
    sampler: bool = False  # py-spy, from outside
    tracer: bool = False  # strace, from outside: it has no lines
    no_change: str = "no"  # to the application
    no_root: str = "yes"
    other_runtimes: str = "no"


TOOLS = (
    Tool("nothing"),
    Tool("loophound", flags=(), no_change="yes", other_runtimes="yes"),
    Tool("loophound --strict", flags=("--strict",), no_change="yes", other_runtimes="yes"),
    Tool("blockbuster", "blockbuster", "blockbuster"),
    Tool("aiocop", "aiocop", "aiocop"),
    Tool("pyleak", "pyleak", "pyleak"),
    Tool("aiodebug", "aiodebug", "aiodebug"),
    Tool("loop.set_debug(True)", "", "debug", no_change="yes (an environment variable)"),
    Tool("py-spy record --idle", "py-spy", sampler=True, no_change="yes", no_root="to attach"),
    Tool("strace -f -c", tracer=True, no_change="yes", other_runtimes="yes"),
)
BY_NAME = {tool.name: tool for tool in TOOLS}


@dataclass
class Found:
    """What one tool made of the scenarios."""

    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)  # told, but never at the line
    silent: list[str] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)
    clean: int = 0
    hang: str = ""


def python(build: Path) -> str:
    return str(build / "bench-venv" / "bin" / "python")


def scenarios(build: Path) -> dict[str, dict[str, int]]:
    """Their names, by kind, with the line that is to be named."""
    program = (
        "import json, scenarios as s; print(json.dumps({'blocking': {n: s.line_of(f) for n, f in"
        " s.BLOCKING.items()}, 'clean': dict.fromkeys(s.CLEAN, 0), 'hangs': {n: s.line_of(f)"
        " for n, f in s.HANGS.items()}}))"
    )
    done = subprocess.run(
        [python(build), "-c", program], cwd=PEERS, capture_output=True, text=True, check=True
    )
    kinds: dict[str, dict[str, int]] = json.loads(done.stdout)
    return kinds


def command_of(tool: Tool, build: Path, name: str, output: Path) -> list[str]:
    inner = [python(build), "one.py", tool.inside, name]
    if tool.flags is not None:
        flags = [*tool.flags, "--stacks", "inline", "-o", str(output)]
        return [str(build / "loophound"), "run", *flags, "--", *inner]
    if tool.sampler:
        spy = str(build / "bench-venv" / "bin" / "py-spy")
        return [spy, "record", "--idle", "-r", "100", "-f", "raw", "-o", str(output), "--", *inner]
    return inner


def run(tool: Tool, build: Path, name: str, limit_s: float) -> str:
    """All that it has said about one scenario; what hangs is ended after the limit."""
    ours = ("LOOPHOUND_", "LD_PRELOAD", "BENCH_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "output.jsonl"
        command = command_of(tool, build, name, output)
        environment["BENCH_DIRECTORY"] = directory
        with subprocess.Popen(
            command,
            cwd=PEERS,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                said, _ = process.communicate(timeout=limit_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                said, _ = process.communicate()
        if tool.flags is None and not tool.sampler:
            files = sorted(Path(directory).glob("stacktrace-*.txt"))  # aiodebug's
            return said.decode(errors="replace") + "".join(one.read_text() for one in files)
        return output.read_text(errors="replace") if output.exists() else ""


def lines_told(tool: Tool, said: str) -> tuple[bool, set[int]]:
    """Was anything told, and which lines of scenarios.py are in it?"""
    if tool.flags is None:
        pattern = r"scenarios\.py(?::|\", line )(\d+)"
        return bool(said.strip()), {int(line) for line in re.findall(pattern, said)}
    lines: set[int] = set()
    told = False
    for text in said.splitlines():
        with contextlib.suppress(ValueError):  # the last one may be torn where we ended it
            event = json.loads(text)
            if event["type"] in ("block", "inflight", "stall"):
                told = True
                stacks = [event.get("stack"), *(s.get("stack") for s in event.get("samples") or [])]
                lines |= {
                    frame["line"]
                    for stack in stacks
                    for frame in stack or []
                    if str(frame.get("file")).endswith("/scenarios.py")
                }
    return told, lines


def find(tool: Tool, build: Path, only: list[str] | None) -> Found:
    found = Found()
    kinds = scenarios(build)
    for name, line in kinds["blocking"].items():
        if only and name not in only:
            continue
        told, lines = lines_told(tool, run(tool, build, name, LIMIT_S))
        where = found.right if line in lines else found.wrong if told else found.silent
        where.append(name)
    for name in kinds["clean"]:
        if only and name not in only:
            continue
        found.clean += 1
        if lines_told(tool, run(tool, build, name, LIMIT_S))[0]:
            found.false_alarms.append(name)
    for name, line in kinds["hangs"].items():
        told, lines = lines_told(tool, run(tool, build, name, HANG_S))
        found.hang = "yes" if line in lines else "without the line" if told else "no"
    return found


@contextlib.contextmanager
def watched_from_outside(tool: Tool, build: Path, pid: int, directory: Path) -> Iterator[None]:
    """py-spy and strace, beside a server that runs."""
    command: list[str] = []
    if tool.sampler:
        spy = str(build / "bench-venv" / "bin" / "py-spy")
        output = str(directory / "samples")
        command = [spy, "record", "--idle", "-r", "100", "-f", "raw", "-o", output, "-d", "3600"]
        command += ["-p", str(pid)]
    elif tool.tracer:
        command = ["strace", "-f", "-c", "-o", str(directory / "calls"), "-p", str(pid)]
    if not command:
        yield
        return
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
            if process.poll() is not None:
                raise Missing(f"{tool.name} ended with status {process.returncode}")
        finally:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()


def one_load(tool: Tool, build: Path) -> tuple[float, float, float]:
    """Answers a second, us of the server's processor time for one, p99 in us."""
    server = Server(tool.name, uvicorn("asyncio", str(PEERS / "app.py")))
    variables = {"BENCH_TOOL": tool.inside}
    if tool.flags:
        variables["LOOPHOUND_STRICT"] = "on"
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        ours = tool.flags is not None
        with (
            start(server, build, directory, ours, variables) as running,
            watched_from_outside(tool, build, running.pid, directory),
        ):
            return figures_of(running, build, directory)


def figures_of(running: Running, build: Path, directory: Path) -> tuple[float, float, float]:
    with loaded(running, build, directory) as load:
        before = load.read(latencies=True)
        after = load.wait(before, WINDOW_S)
    answers = after.answers - before.answers
    cpu_us = (after.cpu_ns - before.cpu_ns) / 1000 / answers
    return answers / WINDOW_S, cpu_us, quantile_us(before, after, 0.99)


def costs(tools: list[Tool], build: Path, rounds: int) -> dict[str, list[str]]:
    """Of each: throughput, processor time per request and p99, as ratios to nothing."""
    taken: dict[str, list[tuple[float, float, float]]] = {tool.name: [] for tool in tools}
    failed: dict[str, str] = {}
    for number in range(rounds):
        for tool in tools if number % 2 == 0 else tools[::-1]:
            if tool.name in failed:
                continue
            try:
                taken[tool.name].append(one_load(tool, build))
            except (Missing, OSError) as error:
                failed[tool.name] = str(error)
                print(f"  {tool.name}: not measured: {error}", flush=True)
        print(f"  round {number + 1} of {rounds}", flush=True)
    bare = taken[TOOLS[0].name]
    result = {}
    for tool in tools:
        if tool.name in failed or not bare:
            result[tool.name] = ["not measured"] * 3
            continue
        pairs = list(zip(taken[tool.name], bare, strict=True))
        ratios = [[mine[part] / none[part] for mine, none in pairs] for part in range(3)]
        result[tool.name] = [
            f"{statistics.median(part):.3f} [{min(part):.3f} {max(part):.3f}]" for part in ratios
        ]
    return result


def version(tool: Tool, build: Path) -> str:
    if not tool.package:
        return ""
    path = [str(one) for one in (build / "bench-venv" / "lib").glob("python*/site-packages")]
    for found in importlib.metadata.distributions(name=tool.package, path=path):
        return f" {found.version}"
    return ""


def row(tool: Tool, build: Path, found: Found | None, cost: list[str]) -> list[str]:
    name = f"{tool.name}{version(tool, build)}"
    if found is None:
        told = ["", "", "", "", ""]
    else:
        clean = f"{found.clean - len(found.false_alarms)} of {found.clean}"
        told = [str(len(found.right)), str(len(found.wrong)), str(len(found.silent)), clean]
        told.append(found.hang)
    if tool.sampler and found is not None:
        told[0], told[3], told[4] = f"{told[0]} (in its samples)", "it judges nothing", "by hand"
    if tool.tracer:
        told = ["0", "", "", "it judges nothing", "by hand"]
    known = (
        [tool.no_change, tool.no_root, tool.other_runtimes] if tool.name != "nothing" else [""] * 3
    )
    return [name, *told, *cost, *known]


HEAD = (
    "tool",
    "right line",
    "told, other line",
    "silent",
    "clean ones silent",
    "hang for ever told",
    "throughput",
    "CPU per request",
    "p99",
    "no change to the app",
    "no root",
    "other runtimes",
)


def missed_lists(found: dict[str, Found]) -> str:
    lines = []
    for name, one in found.items():
        parts = [("other line", one.wrong), ("silent", one.silent), ("false", one.false_alarms)]
        said = "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names)
        if said:
            lines.append(f"- {name}: {said}.")
    return "What each did not name:\n\n" + "\n".join(lines) + "\n" if lines else ""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="0: no load")
    parser.add_argument("--only", nargs="+", choices=list(BY_NAME), default=list(BY_NAME))
    parser.add_argument("--scenario", nargs="+", help="only these")
    parser.add_argument("--dry", action="store_true", help="print, and leave the page alone")
    options = parser.parse_args()
    build = options.build.resolve()
    tools = [tool for tool in TOOLS if tool.name in options.only or tool is TOOLS[0]]
    found: dict[str, Found] = {}
    for tool in tools:
        if tool is TOOLS[0] or tool.tracer:
            continue
        found[tool.name] = one = find(tool, build, options.scenario)
        print(
            f"  {tool.name}: {len(one.right)} right, {len(one.wrong)} with another line,"
            f" {len(one.silent)} silent; {len(one.false_alarms)} false of {one.clean};"
            f" hang: {one.hang}",
            flush=True,
        )
    cost = costs(tools, build, options.rounds) if options.rounds else {}
    rows = [row(tool, build, found.get(tool.name), cost.get(tool.name, [""] * 3)) for tool in tools]
    text = page.table(HEAD, rows) + "\n" + missed_lists(found)
    text += "\n" + page.taken_on(f", {options.rounds} rounds, uvicorn with asyncio")
    print(text)
    if not options.dry:
        page.put("peers", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
