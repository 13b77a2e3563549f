#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a walk over 16 Python frames costs, on each interpreter that is found. `make bench`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from pythons import INTERPRETERS, READABLE
from walk_module import ask, build

WALKS = 1000
TRIES = 5
AT_MOST_US = 100  # of the loop's own time, for a report


def main() -> None:
    with tempfile.TemporaryDirectory() as where:
        walk = build(Path(where), [])
        print(f"16 Python frames, us a walk, the best of {TRIES} rounds (at most {AT_MOST_US})")
        for python in READABLE:
            best_us = min(ask(python, "cases.py", walk, "cost", WALKS)["us"] for _ in range(TRIES))
            print(f"  {INTERPRETERS[python]:<6} {best_us:6.1f}  {python}")


if __name__ == "__main__":
    main()
