#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a walk over some 34 Python frames of many modules costs the thread that has them, on each
interpreter that is found: CPU time, the first time and repeated, and the system calls of one.
`make bench`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from figures import tell
from pythons import INTERPRETERS, READABLE
from walk_module import ask, build

TRIES = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as where:
        walk = build(Path(where), [])
        for python in READABLE:
            tries = [ask(python, "cost.py", walk) for _ in range(TRIES)]
            best = min(tries, key=lambda told: told["least_us"])
            thing = f"{INTERPRETERS[python]}, {best['frames']} frames, {best['asked']} calls"
            tell("walk_python", best["least_us"], thing)
            tell("walk_python_median", best["median_us"], thing)
            tell("walk_python_first", best["first_us"], thing)


if __name__ == "__main__":
    main()
