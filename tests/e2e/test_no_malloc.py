# SPDX-License-Identifier: Apache-2.0
"""Nothing is allocated inside the program, whatever is found and reported there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from harness import PROGRAMS, blocks, describe, of_type, run_preloaded

BLOCKING = {"nanosleep", "read", "pthread_mutex_lock", "open"}

# So short that each call is timed, however late the watchdog comes.
SHORT = {"THRESHOLD": "3ms", "RATE": "off"}
RAW = {"COLLECTOR": "/nowhere/loophound"}


@pytest.mark.parametrize(
    "options",
    [SHORT, {**SHORT, **RAW}, {"STRICT": "on", **SHORT}],
    ids=["collector", "raw lines", "strict"],
)
def test_reports_are_made_without_malloc(options: dict[str, Any], hits: Path) -> None:
    """The program's own malloc counts who calls it: the library, or a thread that is in it."""
    fifo = hits.with_name("fifo")
    os.mkfifo(fifo)
    done, events = run_preloaded([PROGRAMS / "no_malloc", fifo], hits, **options)
    ours, total = map(int, done.stdout.split(" of "))
    assert total > 0, "the malloc that counts is called"
    assert ours == 0
    assert {block["call"] for block in blocks(events)} >= BLOCKING, describe(events)
    assert of_type(events, "inflight"), describe(events)
    if "STRICT" not in options:
        assert of_type(events, "stall"), describe(events)
