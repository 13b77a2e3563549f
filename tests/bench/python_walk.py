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

from pythons import INTERPRETERS, READABLE
from walk_module import ask, build

TRIES = 3
AT_MOST_US = 60  # of the loop's own time


def main() -> None:
    with tempfile.TemporaryDirectory() as where:
        walk = build(Path(where), [])
        print(f"a Python stack of many modules, us of CPU (at most {AT_MOST_US} repeated)")
        print("  Python frames  first  least median  calls pieces")
        for python in READABLE:
            tries = [ask(python, "cost.py", walk) for _ in range(TRIES)]
            best = min(tries, key=lambda told: told["least_us"])
            print(
                f"  {INTERPRETERS[python]:<6} {best['frames']:>6} {best['first_us']:6.1f} "
                f"{best['least_us']:6.1f} {best['median_us']:6.1f} {best['asked']:>6} "
                f"{best['pieces']:>6}  {python}",
                flush=True,
            )


if __name__ == "__main__":
    main()
