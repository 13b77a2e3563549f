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

from figures import tell
from harness import BUILD
from js_walk import TIMED, ask, build

WALKS = 200


def main() -> None:
    found = sorted((BUILD / "nodes").glob("*/node"))
    system = shutil.which("node")
    found += [Path(system)] if system else []
    with tempfile.TemporaryDirectory() as where:
        walk = build(Path(where), [])
        print("JavaScript frames")
        for node in found:
            looks = ask(node, walk, TIMED, WALKS)
            frame_us = statistics.median(look["best_us"] / look["frames"] for look in looks)
            first_us = statistics.median(look["first_us"] for look in looks)
            frames = statistics.mean(look["frames"] for look in looks)
            where_from = "system" if node.parent.name == "bin" else node.parent.name
            thing = f"{where_from}, {frames:.0f} frames"
            tell("walk_js_frame", frame_us, thing)
            tell("walk_js_first", first_us, thing)


if __name__ == "__main__":
    main()
