#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a walk over JavaScript frames costs, on each Node.js that is found. `make bench`.

Those that `make test-node` has got, and the system's. A walk is repeated where it stands, the first
time apart: then V8 has no table of a script's lines, and its source is looked through.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "node"))

from harness import BUILD
from js_walk import TIMED, ask, build

WALKS = 200
AT_MOST_US = 20  # of the loop's own time, for a frame of a report


def main() -> None:
    found = sorted((BUILD / "nodes").glob("*/node"))
    system = shutil.which("node")
    found += [Path(system)] if system else []
    with tempfile.TemporaryDirectory() as where:
        walk = build(Path(where), [])
        print(f"JavaScript frames, us a frame (at most {AT_MOST_US}); us the first walk; frames")
        for node in found:
            looks = ask(node, walk, TIMED, WALKS)
            frame_us = statistics.median(look["best_us"] / look["frames"] for look in looks)
            first_us = statistics.median(look["first_us"] for look in looks)
            frames = statistics.mean(look["frames"] for look in looks)
            print(f"  {frame_us:6.1f} {first_us:8.1f} {frames:6.1f}  {node}")


if __name__ == "__main__":
    main()
