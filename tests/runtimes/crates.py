# SPDX-License-Identifier: Apache-2.0
"""Builds the programs in Rust, each in its own directory, with the crates of its Cargo.lock."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from watched import BUILT, HERE

# From 1.68 on cargo reads the index of crates.io file by file; before it has to be asked to.
SPARSE_SINCE = (1, 68)
BUILD_LIMIT_S = 300


def cargo_environment(target: Path) -> tuple[list[str], dict[str, str]]:
    said = subprocess.run(["cargo", "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(int(part) for part in said.split()[1].split(".")[:2])
    environment = dict(os.environ, CARGO_TARGET_DIR=str(target))
    if version >= SPARSE_SINCE:
        return [], environment
    return ["-Z", "sparse-registry"], dict(environment, RUSTC_BOOTSTRAP="1")


def build_crate(name: str) -> Path:
    """The crate `<name>-loops` in the directory of that name, built. Its program."""
    target = BUILT / name
    flags, environment = cargo_environment(target)
    command = ["cargo", "-q", *flags, "build", "--locked"]
    subprocess.run(command, cwd=HERE / name, env=environment, check=True, timeout=BUILD_LIMIT_S)
    return target / "debug" / f"{name}-loops"
