# SPDX-License-Identifier: Apache-2.0
"""Where the Python package has library and command, and what it says where it has none."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest
from harness import BUILD, ROOT, clean_environment

PACKAGE = ROOT / "src" / "python" / "loophound"


def files_of(package: Path) -> types.ModuleType:
    """_files.py of a package, which need not be one that can be imported."""
    spec = importlib.util.spec_from_file_location("files_under_test", package / "_files.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The package as it is installed, without what is compiled."""
    target = tmp_path / "site-packages" / "loophound"
    shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def put_programs(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("libloophound.so", "loophound"):
        (folder / name).symlink_to(BUILD / name)


def test_installed_package_has_them_in_one_folder(package: Path) -> None:
    put_programs(package / "native")
    files = files_of(package)
    assert files.library_path() == str(package / "native" / "libloophound.so")
    assert files.command_path() == str(package / "native" / "loophound")
    assert files.why_missing() is None


def test_checkout_has_what_make_has_built(tmp_path: Path) -> None:
    package = tmp_path / "src" / "python" / "loophound"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    assert files_of(package).library_path() is None
    put_programs(tmp_path / "build")
    assert files_of(package).library_path() == str(tmp_path / "build" / "libloophound.so")


def test_package_without_them_says_what_to_do(package: Path) -> None:
    files = files_of(package)
    assert files.library_path() is files.command_path() is None
    assert "pip install --upgrade pip" in files.why_missing()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("sys.platform", "darwin", "on Linux, this is darwin"),
        ("sys.platform", "win32", "on Linux, this is win32"),
        ("sys.maxsize", 2**31 - 1, " with 32"),
        ("os.uname", lambda: types.SimpleNamespace(machine="riscv64"), "this is riscv64 with 64"),
        ("os.confstr", lambda name: None, "needs glibc, and this interpreter uses another"),
        ("os.confstr", lambda name: "glibc 2.27", "glibc 2.28 or later, this is 2.27"),
    ],
)
def test_other_systems_have_none_and_are_named(
    package: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object, said: str
) -> None:
    put_programs(package / "native")
    files = files_of(package)
    monkeypatch.setattr(name, value)
    assert said in files.why_missing()
    assert files.library_path() is files.command_path() is None


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_both_processors_have_them(
    package: Path, monkeypatch: pytest.MonkeyPatch, machine: str
) -> None:
    put_programs(package / "native")
    monkeypatch.setattr("os.uname", lambda: types.SimpleNamespace(machine=machine))
    files = files_of(package)
    assert files.why_missing() is None and files.library_path() is not None


def test_libc_without_its_names_is_not_taken_for_glibc(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> str:
        raise ValueError("unrecognized configuration name")  # musl

    monkeypatch.setattr("os.confstr", refuse)
    assert "musl" in files_of(package).why_missing()


def test_oldest_glibc_is_the_commands() -> None:
    oldest = re.search(r"#define OLDEST_MINOR (\d+)", (ROOT / "src/cli/locate.c").read_text())
    declared = files_of(PACKAGE)._OLDEST_GLIBC
    assert oldest and declared == (2, int(oldest[1]))


def start_package(package: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = dict(clean_environment(), PYTHONPATH=str(package.parent))
    command = [sys.executable, "-m", "loophound", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_module_becomes_the_command(package: Path) -> None:
    put_programs(package / "native")
    done = start_package(package, "run", "--", "sh", "-c", "exit 7")
    assert done.returncode == 7, done.stderr
    assert start_package(package, "nonsense").returncode == 2


def test_module_without_a_command_says_so_in_one_line(package: Path) -> None:
    done = start_package(package, "calls")
    assert done.returncode == 125
    assert re.fullmatch(r"loophound: cannot run here: .*\n", done.stderr)


def test_command_that_cannot_be_started_is_named(package: Path) -> None:
    put_programs(package / "native")
    command = package / "native" / "loophound"
    command.unlink()
    command.write_text("no program")
    command.chmod(0o644)
    done = start_package(package, "calls")
    assert done.returncode == 125
    assert done.stderr == f"loophound: cannot start {command}: Permission denied\n"
