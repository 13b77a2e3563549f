# SPDX-License-Identifier: Apache-2.0
"""The programs in all the ways they are built, and where their debug information is."""

from __future__ import annotations

import lzma
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SOURCES = Path(__file__).resolve().parent / "programs"
DEBUG_ROOT = Path("/usr/lib/debug")


def run(*command: str | Path, cwd: Path | None = None) -> str:
    text = [str(word) for word in command]
    return subprocess.run(
        text, cwd=cwd, check=True, capture_output=True, text=True, timeout=300
    ).stdout


def in_the_file(program: Path) -> None:
    """The debug information stays where the compiler put it."""


def by_debug_link(program: Path) -> None:
    debug = program.with_suffix(".debug")
    run("objcopy", "--only-keep-debug", program, debug)
    run("objcopy", "-S", "--remove-section=.note.gnu.build-id", program)
    run("objcopy", f"--add-gnu-debuglink={debug}", program)


def by_build_id(program: Path) -> None:
    """Where packages put it: needs the right to write there. The caller removes the file."""
    debug = debug_file_by_build_id(program)
    debug.parent.mkdir(parents=True, exist_ok=True)
    run("objcopy", "--only-keep-debug", program, debug)
    run("objcopy", "-S", program)


def debug_file_by_build_id(program: Path) -> Path:
    notes = run("readelf", "-n", program)
    build_id = notes.partition("Build ID:")[2].split()[0]
    return DEBUG_ROOT / ".build-id" / build_id[:2] / f"{build_id[2:]}.debug"


def in_mini_debug_info(program: Path) -> None:
    """MiniDebugInfo, as Fedora has it: a compressed symbol table in the stripped file."""
    mini = program.with_suffix(".mini")
    run("objcopy", "-S", "--keep-file-symbols", program, mini.with_suffix(".empty"))
    run("objcopy", "--only-keep-debug", program, mini)
    run("objcopy", "--strip-debug", "--remove-section=.comment", mini)
    packed = program.with_suffix(".xz")
    packed.write_bytes(lzma.compress(mini.read_bytes()))
    run("strip", program)
    run("objcopy", f"--add-section=.gnu_debugdata={packed}", program)


def in_a_shared_file(program: Path) -> None:
    """dwz: what two files have in common goes into a third one (.gnu_debugaltlink)."""
    other = program.with_suffix(".other")
    other.write_bytes(program.read_bytes())
    shared = program.with_suffix(".shared")
    run("dwz", "-M", shared, "-m", shared, program, other)


@dataclass(frozen=True)
class Build:
    """One program. `strict` names come from debug information, or at least a symbol table."""

    language: str
    name: str
    flags: Sequence[str]
    compiler: str
    place: Callable[[Path], None] = field(default=in_the_file)

    @property
    def id(self) -> str:
        return f"{self.language}-{self.name}"

    def make(self, directory: Path) -> Path:
        program = directory / "chain"
        sources = {"c": ["wait.c", "chain.c"], "c++": ["chain.cc"], "rust": ["chain.rs"]}
        files = [SOURCES / source for source in sources[self.language]]
        # Relative names below a directory of its own, as most projects are built.
        run(self.compiler, *self.flags, *files, "-o", program, cwd=directory)
        self.place(program)
        return program


def rows(language: str, compiler: str, table: dict[str, str]) -> list[Build]:
    return [Build(language, name, flags.split(), compiler) for name, flags in table.items()]


C_FLAGS = {
    "O0": "-O0 -g",
    "O2": "-O2 -g",
    "no-frame-pointer": "-O2 -g -fomit-frame-pointer",
    "frame-pointer": "-O2 -g -fno-omit-frame-pointer",
    "lto": "-O2 -g -flto",
    "no-debug": "-O2",
    "stripped": "-O2 -s",
}
C_ONLY_FLAGS = {"dwarf4": "-O2 -g -gdwarf-4", "split-dwarf": "-O2 -g -gsplit-dwarf"}
RUST_FLAGS = {
    "O0": "--edition 2021 -g",
    "O2": "--edition 2021 -g -C opt-level=2",
    "lto": "--edition 2021 -g -C opt-level=2 -C lto=fat",
    "no-debug": "--edition 2021 -C opt-level=2",
}
PLACES = {
    "debug-link": by_debug_link,
    "build-id": by_build_id,
    "mini": in_mini_debug_info,
    "dwz": in_a_shared_file,
}
BUILDS = (
    rows("c", "gcc", {**C_FLAGS, **C_ONLY_FLAGS})
    + rows("c", "clang", {"clang": "-O2 -g"})
    + [Build("c", name, ["-O2", "-g"], "gcc", place) for name, place in PLACES.items()]
    + rows("c++", "g++", C_FLAGS)
    + [Build("c++", "dwz", ["-O2", "-g"], "g++", in_a_shared_file)]
    + rows("rust", os.environ.get("RUSTC", "rustc"), RUST_FLAGS)
)
