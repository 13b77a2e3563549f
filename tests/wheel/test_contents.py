# SPDX-License-Identifier: Apache-2.0
"""What is in the wheels: for which systems, what it needs, under which licences."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from harness import ROOT
from package import DIST, FOLDER, MACHINES, TOOLS, metadata_of, run, text_in, wheel_for, wheel_named

PROGRAMS = ["loophound", "libloophound.so"]
SYSTEM = FOLDER / "debian-11" / "root"
LIBC = {"libc.so.6", "libpthread.so.0"}
LIBC |= {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
ELF_MACHINES = {"x86_64": "X86-64", "aarch64": "AArch64"}


@pytest.fixture(scope="module", params=list(MACHINES))
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def native(machine: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of library and command, taken out of the wheel."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel_for(machine)) as archive:
        archive.extractall(folder)
    return folder / "loophound" / "native"


def test_auditwheel_agrees_with_the_tag(machine: str) -> None:
    wheel = wheel_for(machine)
    said = run(TOOLS / "auditwheel", "show", wheel, PATH=f"{TOOLS}:/usr/bin:/bin")
    fits = re.search(rf'tag:\s+"manylinux_2_(\d+)_{machine}"', " ".join(said.stdout.split()))
    assert fits, said.stdout + said.stderr
    claimed = re.fullmatch(
        rf"loophound-[\d.]+-py3-none-manylinux_2_(\d+)_{machine}\.whl", wheel.name
    )
    assert claimed and int(fits[1]) <= int(claimed[1])


def test_tag_is_of_the_oldest_libc_that_the_command_accepts(machine: str) -> None:
    oldest = re.search(r"#define OLDEST_MINOR (\d+)", (ROOT / "src/cli/locate.c").read_text())
    assert oldest and f"manylinux_2_{oldest[1]}_" in wheel_for(machine).name


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_but_libc_is_needed(native: Path, name: str) -> None:
    needed = re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-d", native / name).stdout)
    assert "libc.so.6" in needed
    assert set(needed) <= LIBC
    # On Arm the stack protector's guard is the dynamic linker's.
    assert name != "libloophound.so" or set(needed) <= {"libc.so.6", "ld-linux-aarch64.so.1"}
    # Nor is anything loaded later on (src/collect/sys/lazy.c).
    loads = re.findall(
        rb"lib(?:dw|elf|unwind|jansson|z|zstd)[\w-]*\.so", (native / name).read_bytes()
    )
    assert loads == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_is_hardened_and_stripped(machine: str, native: Path, name: str) -> None:
    header = run("readelf", "-h", native / name).stdout
    assert "Type:                              DYN" in header
    assert ELF_MACHINES[machine] in header
    assert "BIND_NOW" in run("readelf", "-d", native / name).stdout
    assert ".debug_info" not in run("readelf", "-SW", native / name).stdout


def test_nothing_else_is_installed_with_it() -> None:
    for wheel in DIST.glob("*.whl"):
        assert metadata_of(wheel).get_all("Requires-Dist", []) == [], wheel


def test_pure_wheel_has_no_program_and_is_typed() -> None:
    with zipfile.ZipFile(wheel_named("py3-none-any")) as archive:
        names = archive.namelist()
    assert "loophound/py.typed" in names
    assert not [name for name in names if "/native/" in name]


def table_of_licenses() -> dict[str, list[str]]:
    rows = [
        line.split()
        for line in (ROOT / "licenses" / "bundled.txt").read_text().splitlines()
        if not line.startswith("#")
    ]
    return {archive: rest for archive, *rest in rows}


def test_each_linked_library_has_its_licence_in_the_wheel(machine: str) -> None:
    wheel = wheel_for(machine)
    linked = set(re.findall(r"\S+\.a\b", text_in(wheel, "native/contents.txt")))
    map_file = SYSTEM / "loophound" / MACHINES[machine] / "loophound.map"
    said = map_file.read_text(errors="replace")
    taken = {Path(path).name for path in re.findall(r"^(/\S+\.a)\(", said, re.MULTILINE)}
    assert linked == taken - {"libc_nonshared.a", "libgcc.a"}
    licenses = set(str(metadata_of(wheel)["License-Expression"]).split(" AND "))
    with zipfile.ZipFile(wheel) as archive:
        there = {name.rpartition("/licenses/")[2] for name in archive.namelist()}
    expected = {"Apache-2.0"}
    for archive_name in linked:
        _, spdx, *texts = table_of_licenses()[archive_name]
        expected.add(spdx)
        assert set(texts) <= there
    assert licenses == expected
    assert "LICENSE" in there


def test_pure_wheel_is_under_our_licence_alone() -> None:
    assert metadata_of(wheel_named("py3-none-any"))["License-Expression"] == "Apache-2.0"


def test_sources_of_what_is_under_the_lgpl_are_beside_the_wheel(machine: str) -> None:
    (sources,) = DIST.glob("*-sources.tar")
    with tarfile.open(sources) as archive:
        names = [Path(name).name for name in archive.getnames()]
    rows = re.findall(
        r"^(\S+) +(\S+) +LGPL", text_in(wheel_for(machine), "contents.txt"), re.MULTILINE
    )
    assert {project for project, _ in rows} == {"elfutils", "libiberty"}
    for project, version in rows:
        assert f"{project}_{version}.dsc" in names
        assert [name for name in names if name.startswith(f"{project}_") and ".orig.tar" in name]
    assert sources.name in text_in(wheel_for(machine), "contents.txt")


def sums() -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in DIST.iterdir()}


def test_made_once_more_it_has_the_same_bytes() -> None:
    before = sums()
    assert len(before) == 5
    commit = run("git", "-C", SYSTEM / "loophound", "rev-parse", "HEAD").stdout.strip()
    subprocess.run([sys.executable, ROOT / "scripts/wheel", FOLDER, commit], check=True)
    assert sums() == before
