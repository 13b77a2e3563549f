# SPDX-License-Identifier: Apache-2.0
"""What is in a loop and what is not: work in it is told, work after it and beside it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import BUILD, blocks, describe, first_frame_in, functions, of_type
from watched import HERE, finish, watched

PYTHON = BUILD / "runtimes-venv" / "bin" / "python"
ENDS = HERE / "python" / "ends.py"
INSIDE = next(n for n, line in enumerate(ENDS.read_text().splitlines(), 1) if "# inside" in line)


@pytest.mark.parametrize(
    "runtime",
    [
        "uvloop",
        "tornado",
        "twisted",
        "gevent",
        "greenlet",
        "trio",
        "trio_guest",
    ],
)
def test_only_what_is_below_the_loop_is_told(runtime: str, hits: Path) -> None:
    with watched(hits, [PYTHON, ENDS, runtime]) as process:
        events = finish(process, hits)
    (block,) = blocks(events)
    frame = first_frame_in(block, ENDS.name)
    assert frame and frame["line"] == INSIDE, describe(events)
    assert of_type(events, "stall") == [], describe(events)
    told = of_type(events, "inflight")
    assert not any("work_outside" in functions(event) for event in told), describe(told)
