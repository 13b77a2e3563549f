# SPDX-License-Identifier: Apache-2.0
"""Programs get each symbol in the version that they were linked with, through the library."""

from __future__ import annotations

import platform
import subprocess

import pytest
from harness import PROGRAMS, clean_environment, preload_environment

VERSIONS = PROGRAMS / "versions"
pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="libc has no older versions here that differ"
)
every_binding = pytest.mark.parametrize("bind", [{}, {"LD_BIND_NOW": "1"}], ids=["lazy", "now"])


def run(what: str, environment: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [VERSIONS, what], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@every_binding
def test_older_versions_answer_as_they_always_did(bind: dict[str, str]) -> None:
    expected = [
        "realpath@GLIBC_2.2.5: NULL, EINVAL",
        "realpath: /, 0",
        "posix_spawn@GLIBC_2.2.5: 0, 5",
        "posix_spawn: ENOEXEC, 0",
        "posix_spawnp@GLIBC_2.2.5: 0, 5",
        "posix_spawnp: ENOEXEC, 0",
    ]
    assert run("results", clean_environment() | bind) == expected
    assert run("results", preload_environment() | bind) == expected


@every_binding
def test_symbols_with_and_without_versions_are_found_in_the_library(bind: dict[str, str]) -> None:
    bare = run("bindings", clean_environment() | bind)
    assert {line.split(": ")[1] for line in bare} == {"libc.so.6"}
    under = run("bindings", preload_environment() | bind)
    assert {line.split(": ")[1] for line in under} == {"libloophound.so"}
    assert len(under) == len(bare) == 7
