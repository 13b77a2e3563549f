#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a walk over JavaScript frames costs, on each Node.js that is found. `make bench`.

Those that `make test-node` has got, and the system's. A walk is repeated where it stands, the first
time apart: then V8 has no table of a script's lines, and its source is looked through. The longest
one is that of walks through spoilt memory (tests/node/walk.c), which use up what a walk may do.
LOOPHOUND_BENCH_WALKS: how many of these, 60000.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "node"))

from harness import BUILD
from js_walk import LOOKS, SPOILT, TIMED, ask, build

WALKS = 200
SPOILT_WALKS = int(os.environ.get("LOOPHOUND_BENCH_WALKS", "60000"))
STACK = 16  # frames
AT_MOST_US = 20  # of the loop's own time, for a frame of a report that is repeated
AT_MOST_MS = 5  # for a walk


def main() -> None:
    found = sorted((BUILD / "nodes").glob("*/node"))
    system = shutil.which("node")
    found += [Path(system)] if system else []
    with tempfile.TemporaryDirectory() as where:
        walk = build(Path(where), [])
        print(
            f"JavaScript frames: us a frame (repeated at most {AT_MOST_US}), "
            f"us a stack of {STACK}, ms the longest walk (at most {AT_MOST_MS})"
        )
        print("   first repeated  first repeated  longest")
        for node in found:
            looks = ask(node, walk, TIMED, WALKS)
            deep = [look for look in looks if look["frames"] >= STACK]
            worst_us = max(
                look["worst_us"] for look in ask(node, walk, SPOILT, SPOILT_WALKS // LOOKS)
            )
            figures = [
                statistics.median(look[kind] / look["frames"] for look in some) * frames
                for some, frames in ((looks, 1), (deep, STACK))
                for kind in ("first_us", "best_us")
            ]
            print(
                "  {:6.1f} {:8.1f} {:6.0f} {:8.0f}".format(*figures),
                f"{worst_us / 1000:8.1f}  {node}",
                flush=True,
            )


if __name__ == "__main__":
    main()
