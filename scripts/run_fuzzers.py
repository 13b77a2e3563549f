#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs each fuzzer that has been built for a bounded time and ends with: N passed, N failed.

A fuzzer starts from what tests/fuzz/corpus/NAME holds. What it finds on its way is kept in
BUILD/corpus/NAME for the next run; an input that fails in BUILD/found. To run such an input again:
BUILD/fuzz/NAME BUILD/found/NAME-crash-...

--keep writes the smallest set of inputs that reaches the same code back to tests/fuzz/corpus.
"""

import argparse
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT / "tests" / "fuzz" / "corpus"
INPUT_TIMEOUT_S = 10
GRACE_S = 120  # libFuzzer first runs the whole corpus
SEED_BYTES_MOST = 8192  # what is kept in the tree is small
SEEDS_MOST = 48


def limits(seconds: int, seed: int) -> list[str]:
    return [
        f"-seed={seed}",
        f"-max_total_time={seconds}",
        f"-timeout={INPUT_TIMEOUT_S}",
        "-rss_limit_mb=2500",
        f"-max_len={2 * SEED_BYTES_MOST}",
        "-print_final_stats=1",
    ]


def fuzz(program: Path, build: Path, seconds: int, seed: int) -> bool:
    """Returns whether all went well; otherwise prints how it ended."""
    name = program.name
    found = build / "found"
    corpus = build / "corpus" / name
    for directory in (found, corpus):
        directory.mkdir(parents=True, exist_ok=True)
    command = [
        str(program),
        *limits(seconds, seed),
        f"-artifact_prefix={found}/{name}-",
        str(corpus),
    ]
    try:
        done = subprocess.run(
            [*command, str(SEEDS / name)],
            cwd=build,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds + GRACE_S,
            check=False,
        )
        output, status = done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        output, status = f"no end {GRACE_S} s after its time", -1
    runs = [line.split()[1] for line in output.splitlines() if line.startswith("stat::number_of")]
    print(
        f"{name}: {'passed' if status == 0 else 'FAILED'}, {''.join(runs) or '0'} runs", flush=True
    )
    if status != 0:
        print("\n".join(output.splitlines()[-60:]), f"\n{name} ended with status {status}")
    return status == 0


def keep(program: Path, build: Path) -> None:
    """Replaces the seeds in the tree by the smallest inputs that reach what the corpus reaches."""
    seeds = SEEDS / program.name
    merged = build / "merged" / program.name
    shutil.rmtree(merged, ignore_errors=True)
    merged.mkdir(parents=True)
    command = [str(program), "-merge=1", f"-max_len={SEED_BYTES_MOST}", str(merged), str(seeds)]
    subprocess.run(
        [*command, str(build / "corpus" / program.name)],
        cwd=build,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    inputs = sorted(merged.iterdir(), key=lambda path: path.stat().st_size)
    step = max(1, -(-len(inputs) // SEEDS_MOST))  # some of each size
    for path in inputs[::step]:
        shutil.copy(path, seeds / path.name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build/san-fuzzer"))
    parser.add_argument("--seconds", type=int, default=60, help="for each fuzzer")
    parser.add_argument("--seed", type=int, default=0, help="of the inputs; 0: others each time")
    parser.add_argument("--only", help="name of one fuzzer")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    build = (ROOT / arguments.build).resolve()

    programs = [build / "fuzz" / path.stem for path in sorted((ROOT / "tests/fuzz").glob("*.c"))]
    programs = [path for path in programs if arguments.only in (None, path.name)]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(
            pool.map(lambda path: fuzz(path, build, arguments.seconds, arguments.seed), programs)
        )
    if arguments.keep:
        for program in programs:
            keep(program, build)
    failed = results.count(False)
    print(f"{len(results) - failed} passed, {failed} failed", flush=True)
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
