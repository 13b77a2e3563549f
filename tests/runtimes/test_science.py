# SPDX-License-Identifier: Apache-2.0
"""Libraries that compute in C below a line of Python: one stall, and that line on top of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import BUILD, describe, first_frame_in, of_type, read_events
from watched import HERE, watched

PYTHON = BUILD / "runtimes-venv" / "bin" / "python"
PROGRAM = HERE / "python" / "science.py"


@pytest.mark.parametrize("kind", ["matmul", "apply", "predict"])
def test_library_that_computes_is_a_stall_at_the_line_that_called_it(kind: str, hits: Path) -> None:
    with watched(hits, [PYTHON, PROGRAM, kind]) as process:
        out, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    line, cpu_ms = out.split()
    stalls = of_type(read_events(hits), "stall")
    stall = stalls[-1]  # preparing is one too, as it may be
    assert stall["oncpu_ms"] == pytest.approx(float(cpu_ms), rel=0.1), describe(stalls)
    frame = first_frame_in(stall["samples"][0], PROGRAM.name)
    assert frame and frame["line"] == int(line), stall["samples"][0]
    assert sum(sample["count"] for sample in stall["samples"]) >= 10
