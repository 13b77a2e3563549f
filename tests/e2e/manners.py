# SPDX-License-Identifier: Apache-2.0
"""What the tests of manners share: a program's outcome without and with the library."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness import (
    Event,
    clean_environment,
    preload_environment,
    read_events,
    started,
    wait_for_event,
)

Outcome = tuple[int, str, str]


def outcome(
    argv: Sequence[str | Path], environment: dict[str, str], **how: Any
) -> tuple[int, Outcome]:
    """The process's pid; its exit status and all that it wrote."""
    with started(argv, environment, stderr=subprocess.PIPE, **how) as process:
        out, err = process.communicate(timeout=60)
    return process.pid, (process.returncode, out, err)


def same_both_ways(
    argv: Sequence[str | Path],
    hits: Path,
    *,
    limit: Callable[[], None] | None = None,
    summary: bool = True,
    beside: Path | None = None,
    **options: str,
) -> tuple[str, list[Event]]:
    """The program ends and writes as it does without the library; what it wrote, and what was told
    of it by its end. `limit` runs before the program does; `beside` is preloaded too."""
    cwd = hits.parent
    environment = clean_environment()
    if beside is not None:
        environment["LD_PRELOAD"] = str(beside)
    _, plain = outcome(argv, environment, cwd=cwd, preexec_fn=limit)
    assert plain[0] == 0, plain
    environment = preload_environment(**{"OUTPUT": str(hits), "THRESHOLD": "50ms", **options})
    if beside is not None:
        environment["LD_PRELOAD"] += f":{beside}"
    pid, under = outcome(argv, environment, cwd=cwd, preexec_fn=limit)
    assert under == plain
    if summary:
        wait_for_event(hits, "summary", pid)
    return under[1], read_events(hits)
