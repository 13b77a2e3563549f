#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the unit tests of a build for aarch64, and those end to end that know the processor, in the
emulated machine (scripts/armbox). Ends with one line, as scripts/run_tests.py does: N passed, N
failed.

    scripts/arm_tests.py --build build/aarch64-linux-gnu [--smoke | --node]

On Debian 12, with libunwind 1.6, and on Debian 13, whose libc signs its return addresses. All goes
to the machine's own disk first, in one file: a folder of this machine's has no FIFOs and no
mappings there, and is slow. --smoke: a few of them, on Debian 12, in some minutes. --node:
JavaScript's stacks, of the versions of Node.js that are in the build's nodes/
(scripts/node_versions.py), on Debian 13.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITES = ["bookworm", "trixie"]
# What knows the processor: loops and calls, stacks, what ends calls, processes, the watchdog.
FILES = """
    loops poll_loops python native stalls victims holders cancellation contexts forks manners
    sandbox inlined
""".split()
# As on x86-64, to the letter.
README = "docs.py::test_examples_of_the_page_give_what_it_shows[README.md]"
E2E = [*(f"{name}.py" for name in FILES), README]
SMOKE_UNIT = ["test_unwind", "test_elf_file", "test_modules", "test_ring", "test_symbols"]
SMOKE_E2E = ["loops.py", "contexts.py", "native.py", "python.py"]
NODE = "tests/node/test_truth.py tests/node/test_busy.py"
NODE_TESTS = "test_stack_of_javascript or (test_what_keeps and (regex or sort))"
COPIED = "scripts src include tests docs Makefile pyproject.toml README.md".split()
BUILT = ["libloophound.so", "loophound"]
NO_MACHINE = 125
SECONDS = {True: 900, False: 3600}
AGAIN = os.environ.get("LOOPHOUND_TEST_AGAIN", "0")  # scripts/run_tests.py
LAST_LINE = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)


def packed(build: Path, names: list[str]) -> str:
    """Packs what the tests need, with these parts of the build; the command that unpacks it."""
    where = build.resolve().relative_to(ROOT)
    pack = build / "tests.tar"
    left_out = ["--exclude=*.d", "--exclude=*.a", "--exclude=__pycache__"]
    parts = [*COPIED, *(f"{where}/{name}" for name in names)]
    subprocess.run(["tar", "-C", ROOT, "-cf", pack, *left_out, *parts], check=True)
    return f"mkdir /loophound && cd /loophound && tar -xf /work/{where}/{pack.name} || exit 1"


def script_of(build: Path, smoke: bool) -> tuple[str, int]:
    """What the machine's shell runs, and how many lines of it say how it went. The unit tests and
    the others side by side, for many only wait; then, one by one, those that are to be alone."""
    where = build.resolve().relative_to(ROOT)
    units = [f"unit/{name}" for name in SMOKE_UNIT] if smoke else ["unit"]
    wanted = shlex.join(f"tests/e2e/test_{name}" for name in (SMOKE_E2E if smoke else E2E))
    run = f"python3 scripts/run_tests.py --build {where}"
    alone = "" if smoke else f"{run} --only e2e -- -m alone {wanted}"
    script = f"""
        {packed(build, [*units, "programs", *BUILT])}
        export LOOPHOUND_TEST_EMULATED=1 LOOPHOUND_TEST_AGAIN={AGAIN}
        {run} --only unit >unit.log 2>&1 &
        {run} --only e2e -- -n 2 -m 'not alone' {wanted}
        wait
        cat unit.log
        {alone}
    """
    return script, 3 if alone else 2


def script_of_node(build: Path) -> tuple[str, int]:
    """The same for JavaScript: the versions that there are."""
    where = build.resolve().relative_to(ROOT)
    versions = " ".join(sorted(path.name for path in (build / "nodes").iterdir()))
    script = f"""
        {packed(build, ["nodes", *BUILT])}
        export LOOPHOUND_TEST_EMULATED=1 NODE_VERSIONS='{versions}'
        python3 scripts/run_tests.py --build {where} --only node -- -n 2 {NODE} -k '{NODE_TESTS}'
    """
    return script, 1


def run_in(suite: str, script: str, seconds: int, runs: int) -> list[int] | None:
    """Passed, failed, skipped; None: there is no machine here, which was said. `runs`: how many
    lines say how it went."""
    box = [sys.executable, str(ROOT / "scripts/armbox"), "--suite", suite]
    box += ["--seconds", str(seconds), str(ROOT), "bash", "-c", script]
    output = ""
    with subprocess.Popen(box, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            output += line
    if process.returncode == NO_MACHINE:
        return None
    found = LAST_LINE.findall(output)
    counts = [sum(int(one[i] or 0) for one in found) for i in range(3)]
    if len(found) != runs:  # one of the parts has not come to its end
        print(f"arm_tests: {suite} ended early, with status {process.returncode}")
        counts[1] += 1
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the tests in an emulated aarch64 machine.")
    parser.add_argument("--build", type=Path, default=ROOT / "build/aarch64-linux-gnu")
    parser.add_argument("--smoke", action="store_true", help="a few of them, on Debian 12")
    parser.add_argument("--node", action="store_true", help="JavaScript's stacks, on Debian 13")
    asked = parser.parse_args()
    totals = [0, 0, 0]
    suites = SUITES[:1] if asked.smoke else SUITES[1:] if asked.node else SUITES
    script, runs = (
        script_of_node(asked.build) if asked.node else script_of(asked.build, asked.smoke)
    )
    for suite in suites:
        print(f"== Debian's {suite} on aarch64", flush=True)
        counts = run_in(suite, script, SECONDS[asked.smoke], runs)
        if counts is None:
            print("skipped: no emulated aarch64 machine can be had here")
            totals[2] += 1
            continue
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
    print(f"{totals[0]} passed, {totals[1]} failed, {totals[2]} skipped")
    return 1 if totals[1] else 0


if __name__ == "__main__":
    sys.exit(main())
