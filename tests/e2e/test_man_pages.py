# SPDX-License-Identifier: Apache-2.0
"""The man pages: each is well formed, fits 80 columns, and holds all that the tables do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness import BUILD, COMMAND, ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import tables

NAMES = sorted(path.stem for path in (ROOT / "docs" / "man").glob("*.scd"))
COLUMNS = 80


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each page, as `make man` writes it, in a directory of this session's own."""
    directory = tmp_path_factory.mktemp("man")
    found = {}
    for name in NAMES:
        template = ROOT / "docs" / "man" / f"{name}.scd"
        command = [sys.executable, str(ROOT / "scripts" / "man_pages.py"), str(template)]
        text = subprocess.run(
            [*command, "--command", str(COMMAND)], check=True, capture_output=True
        ).stdout
        found[name] = directory / name
        found[name].write_bytes(
            subprocess.run(["scdoc"], input=text, check=True, capture_output=True).stdout
        )
    return found


def shown(page: Path) -> str:
    """What man(1) shows on a terminal of 80 columns; no word is broken there."""
    command = ["man", "--no-hyphenation", "-l", str(page)]
    environment = dict(os.environ, MANWIDTH=str(COLUMNS), MAN_KEEP_FORMATTING="", LC_ALL="C.UTF-8")
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    ).stdout


def test_each_subcommand_has_a_page() -> None:
    wanted = {f"loophound-{row.name}.1" for row in tables.subcommands() if row.name != "help"}
    assert set(NAMES) == {"loophound.1", *wanted}


@pytest.mark.parametrize("name", NAMES)
def test_page_is_well_formed_and_fits_the_terminal(name: str, pages: dict[str, Path]) -> None:
    lint = ["mandoc", "-Tlint", "-Werror", str(pages[name])]
    assert subprocess.run(lint, capture_output=True, text=True).stdout == ""
    groff = ["man", "--warnings", "-Tutf8", "-Z", "-l", str(pages[name])]
    assert subprocess.run(groff, capture_output=True, text=True).stderr == ""
    text = shown(pages[name])
    assert text.startswith(f"{name.removesuffix('.1')}(1)")
    assert max(map(len, text.splitlines())) <= COLUMNS


@pytest.mark.parametrize("subcommand", ["run", "report", "export", "diff", "rules"])
def test_page_has_every_flag_and_its_default(subcommand: str, pages: dict[str, Path]) -> None:
    words = shown(pages[f"loophound-{subcommand}.1"]).split()
    text = " ".join(words)
    for flag in tables.flags(subcommand):
        assert ", ".join(flag.forms) in text
        assert not flag.default or f"Default: {flag.default}." in text
        assert not flag.variable or flag.variable in text


def test_first_page_has_every_subcommand_and_variable(pages: dict[str, Path]) -> None:
    text = shown(pages["loophound.1"])
    for row in tables.subcommands():
        assert f"loophound {row.name}" in text
    for option in tables.options():
        assert option.variable in text


def test_page_of_export_has_every_format(pages: dict[str, Path]) -> None:
    words = shown(pages["loophound-export.1"]).split()
    assert {one.name for one in tables.formats()} <= set(words)


def test_page_of_rules_has_every_condition(pages: dict[str, Path]) -> None:
    text = shown(pages["loophound-rules.1"])
    for condition in tables.conditions():
        assert f"{condition.name}:{condition.takes}" in text


def test_page_of_calls_has_every_name_in_its_group(pages: dict[str, Path]) -> None:
    text = shown(pages["loophound-calls.1"])
    words = text.replace(",", " ").split()
    groups = tables.names_by_group(tables.calls(COMMAND))
    assert len(groups) >= 8
    for group, names in groups.items():
        assert {group, *names} <= set(words)


def test_make_man_writes_the_pages() -> None:
    subprocess.run(["make", "-C", ROOT, f"B={BUILD}", "man"], check=True, capture_output=True)
    assert all((BUILD / "man" / name).stat().st_size > 0 for name in NAMES)
