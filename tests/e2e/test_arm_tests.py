# SPDX-License-Identifier: Apache-2.0
"""scripts/arm_tests.py: no machine is a skipped run, but one that ends early has failed."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

arm_tests: Any = importlib.import_module("arm_tests")

BOTH = "7 passed, 1 failed\n5 passed, 0 failed, 2 skipped\n"


@pytest.mark.parametrize(
    ("says", "status", "expected"),
    [
        pytest.param(BOTH, 1, [12, 1, 2], id="both parts ended"),
        pytest.param("7 passed, 0 failed\n", 126, [7, 1, 0], id="it died after one"),
        pytest.param("", 126, [0, 1, 0], id="it died at once"),
        pytest.param("7 passed, 0 failed\n", 124, [7, 1, 0], id="too long"),
        pytest.param("", 125, None, id="no machine"),
    ],
)
def test_what_a_machine_ended_with_is_counted(
    says: str,
    status: int,
    expected: list[int] | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    box = tmp_path / "scripts" / "armbox"
    box.parent.mkdir()
    box.write_text(f"import sys\nprint({says!r}, end='')\nsys.exit({status})\n")
    monkeypatch.setattr(arm_tests, "ROOT", tmp_path)
    assert arm_tests.run_in("bookworm", "true", 60, 2) == expected
