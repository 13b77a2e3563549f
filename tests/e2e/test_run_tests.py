# SPDX-License-Identifier: Apache-2.0
"""scripts/run_tests.py counts every test and leaves one report of all of them."""

from __future__ import annotations

import importlib
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

run_tests: Any = importlib.import_module("run_tests")

# A suite whose tests run in two parts: many at once, and then those that are marked as alone.
SUITE = """
import pytest

def test_passes(): pass
def test_fails(): assert False
def test_is_skipped(): pytest.skip("not here")

@pytest.mark.alone
def test_passes_alone(): pass
@pytest.mark.alone
def test_fails_alone(): assert False
"""
TESTS = {"passes", "fails", "is_skipped", "passes_alone", "fails_alone"}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of sources with this suite in it, which the script takes for its own."""
    suite = tmp_path / "tests" / "e2e"
    suite.mkdir(parents=True)
    (suite / "test_suite.py").write_text(SUITE)
    (tmp_path / "build").mkdir()
    monkeypatch.setattr(run_tests, "ROOT", tmp_path)
    monkeypatch.delenv("LOOPHOUND_TEST_AGAIN", raising=False)
    return tmp_path


def reported(report: Path) -> list[str]:
    cases = ElementTree.parse(report).getroot().iter("testcase")
    return [case.get("name", "").removeprefix("test_") for case in cases]


def test_both_parts_of_a_run_are_in_one_report(tree: Path) -> None:
    totals = run_tests.run_suite("e2e", tree / "build", [])
    assert totals.line() == "2 passed, 2 failed, 1 skipped"
    assert [path.name for path in (tree / "build").glob("*.xml")] == ["e2e.xml"]
    assert sorted(reported(tree / "build" / "e2e.xml")) == sorted(TESTS)


def test_run_of_some_tests_is_reported_as_such(tree: Path) -> None:
    totals = run_tests.run_suite("e2e", tree / "build", ["-k", "passes"])
    assert totals.line() == "2 passed, 0 failed"
    assert set(reported(tree / "build" / "e2e.xml")) == {"passes", "passes_alone"}


def test_part_that_cannot_run_is_a_failure_and_the_other_is_reported(tree: Path) -> None:
    (tree / "tests" / "e2e" / "conftest.py").write_text(
        "def pytest_configure(config):\n" "    assert config.option.markexpr != 'not alone'\n"
    )
    totals = run_tests.run_suite("e2e", tree / "build", [])
    assert totals.line() == "1 passed, 2 failed"
    assert set(reported(tree / "build" / "e2e.xml")) == {"passes_alone", "fails_alone"}


# Each fails in its first run only.
UNSTEADY = """
import os, pytest

def is_second_run(name):
    was_here = os.path.exists(name)
    open(name, "w").close()
    return was_here

def test_is_unsteady(): assert is_second_run("one")

@pytest.mark.alone
def test_is_unsteady_too(): assert is_second_run("two")
"""


@pytest.mark.parametrize("second_run", [True, False])
def test_second_run_decides_where_it_is_wanted_and_is_said(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], second_run: bool
) -> None:
    (tree / "tests" / "e2e" / "test_suite.py").write_text(UNSTEADY)
    monkeypatch.setenv("LOOPHOUND_TEST_AGAIN", "1" if second_run else "0")
    totals = run_tests.run_suite("e2e", tree / "build", [])
    said = capfd.readouterr().out
    assert totals.line() == ("2 passed, 0 failed" if second_run else "0 passed, 2 failed")
    assert ("UNSTEADY: 2 passed" in said and "::test_is_unsteady_too" in said) == second_run


def test_one_that_fails_twice_is_the_only_one_that_counts(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    suite = UNSTEADY + "def test_always_fails(): assert False\n"
    (tree / "tests" / "e2e" / "test_suite.py").write_text(suite)
    monkeypatch.setenv("LOOPHOUND_TEST_AGAIN", "1")
    assert run_tests.run_suite("e2e", tree / "build", []).line() == "2 passed, 1 failed"
    assert "UNSTEADY: 2 passed when run again" in capfd.readouterr().out


def test_what_fails_twice_has_failed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPHOUND_TEST_AGAIN", "1")
    assert run_tests.run_suite("e2e", tree / "build", []).line() == "2 passed, 2 failed, 1 skipped"
