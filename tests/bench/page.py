# SPDX-License-Identifier: Apache-2.0
"""Parts of docs/benchmarks.md that benchmarks write: what stands between two comments."""

from __future__ import annotations

import datetime
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench import machine

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"


def put(part: str, text: str) -> None:
    """Between `<!-- part: begin -->` and `<!-- part: end -->`."""
    page = PAGE.read_text()
    begin, end = f"<!-- {part}: begin -->\n", f"<!-- {part}: end -->"
    if begin not in page or end not in page:
        raise SystemExit(f"{PAGE}: there is no place for {part}")
    head, _, rest = page.partition(begin)
    tail = rest.partition(end)[2]
    PAGE.write_text(f"{head}{begin}{text.strip()}\n{end}{tail}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def taken_on(more: str = "") -> str:
    """The machine, the day and the version."""
    here = machine()
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    return (
        f"Taken on {day} at {commit or 'an unknown commit'}: {here['processor']},"
        f" {here['processors']} processors, Linux {platform.release()}, load {here['load']} when it"
        f" ended{more}.\n"
    )
