# SPDX-License-Identifier: Apache-2.0
"""Programs that the library cannot get into, or that do not bear it: said in a line, unharmed."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import (
    COMMAND,
    LIBRARY,
    ROOT,
    blocks,
    clean_environment,
    preload_environment,
    read_events,
    run_command,
)
from test_run import LAST_LINE, last_line

SOURCES = ROOT / "tests" / "programs" / "kinds"
NOBODY = 65534
TEXT = "a line\nand half a line"

FREESTANDING = ["-m32", "-nostdlib", "-fno-stack-protector", "-Wl,-e,start"]

# How a kind of program is built, and what is said about it.
KINDS = {
    "static": (["gcc", "-static"], "echo.c", "is statically linked"),
    "static-pie": (["gcc", "-static-pie"], "echo.c", "is statically linked"),
    "musl": (["musl-gcc"], "echo.c", "is linked with another libc"),
    "musl-static": (["musl-gcc", "-static"], "echo.c", "is statically linked"),
    "32-bit": (["gcc", *FREESTANDING, "-static"], "echo32.c", "is not an x86-64 program"),
}


def build(directory: Path, kind: str) -> Path:
    compiler, source, _ = KINDS[kind]
    program = directory / kind
    subprocess.run([*compiler, "-O1", SOURCES / source, "-o", program], check=True, timeout=60)
    return program


def build_plain(directory: Path) -> Path:
    program = directory / "plain"
    subprocess.run(["gcc", "-O1", SOURCES / "echo.c", "-o", program], check=True, timeout=60)
    return program


def run_plain(*argv: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        env=clean_environment(),
        input=TEXT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def check_unharmed(
    done: subprocess.CompletedProcess[str],
    plain: subprocess.CompletedProcess[str],
    program: str | Path,
    said: str,
) -> None:
    """Our line comes first, then all that the program writes, and at last the sum."""
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout), done.stderr
    line, rest = done.stderr.split("\n", 1)
    assert line.startswith(f"loophound: {program} {said}"), done.stderr
    assert rest.startswith(plain.stderr)
    assert LAST_LINE.fullmatch(rest[len(plain.stderr) :].rstrip("\n")), done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_program_out_of_reach_runs_unharmed_and_the_reason_is_one_line(
    kind: str, tmp_path: Path
) -> None:
    program = build(tmp_path, kind)
    plain = run_plain(program, "one", "two")
    assert plain.returncode == 7 and TEXT in plain.stdout
    done = run_command("run", "--", program, "one", "two", stdin=TEXT)
    check_unharmed(done, plain, program, KINDS[kind][2])
    assert last_line(done)[:2] == [0, 0]


@pytest.mark.parametrize("kind", ["static", "musl"])
def test_script_is_as_its_interpreter_is(kind: str, tmp_path: Path) -> None:
    program = build(tmp_path, kind)
    script = tmp_path / "script"
    script.write_text(f"#! {program} -x\nwhatever\n")
    script.chmod(0o755)
    plain = run_plain(script)
    assert f"argument {script}" in plain.stdout
    done = run_command("run", "--", script, stdin=TEXT)
    check_unharmed(done, plain, program, KINDS[kind][2])


def test_program_is_looked_for_as_the_shell_does(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    build(tmp_path, "static").rename(tmp_path / "found")
    (tmp_path / "empty" / "found").mkdir()  # no program
    path = f"{tmp_path}/empty:{tmp_path}:{os.environ['PATH']}"
    done = run_command("run", "--", "found", extra={"PATH": path})
    assert done.stderr.startswith(f"loophound: {tmp_path}/found is statically linked")
    assert done.returncode == 7


def test_musl_program_bears_the_library_wherever_it_is_started(tmp_path: Path) -> None:
    """Of another libc symbols are missing, and its dynamic linker ends the program for that."""
    program = build(tmp_path, "musl")
    script = f"'{program}' a; echo status $?"
    plain = run_plain("sh", "-c", script)
    assert "status 7" in plain.stdout
    done = run_command("run", "--", "sh", "-c", script, stdin=TEXT)
    assert done.stdout == plain.stdout, done.stderr
    bare = subprocess.run(
        [program, "a"],
        env=preload_environment(),
        input=TEXT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    direct = run_plain(program, "a")
    assert (bare.returncode, bare.stdout, bare.stderr) == (7, direct.stdout, direct.stderr)


def test_32_bit_program_gets_no_word_from_its_own_linker(tmp_path: Path) -> None:
    """The line that ld.so writes about a library of 64 bits would be the program's."""
    linker = Path("/lib/ld-linux.so.2")
    if not linker.exists():
        pytest.skip("there is no 32-bit dynamic linker")
    program = tmp_path / "dynamic"
    argv: list[str | Path] = [
        "gcc",
        *FREESTANDING,
        "-pie",
        f"-Wl,-dynamic-linker,{linker}",
        SOURCES / "echo32.c",
    ]
    subprocess.run([*argv, "-o", program], check=True, timeout=60)
    plain = run_plain(program)
    assert (plain.returncode, plain.stdout) == (7, TEXT)
    check_unharmed(
        run_command("run", "--", program, stdin=TEXT), plain, program, "is not an x86-64 program"
    )


def test_static_go_program_is_out_of_reach() -> None:
    plain = run_plain("tml")
    done = run_command("run", "--", "tml", stdin=TEXT)
    check_unharmed(done, plain, "/usr/bin/tml", "is statically linked")


def test_dynamic_go_program_is_loaded_and_what_it_calls_passes_by() -> None:
    plain = run_plain("fzf", "--filter", "half")
    assert plain.stdout == "and half a line\n"
    done = run_command("run", "--", "fzf", "--filter", "half", stdin=TEXT)
    check_unharmed(done, plain, "/usr/bin/fzf", "is a Go program")
    assert last_line(done)[:2] == [1, 0]


def set_user(program: Path) -> None:
    program.chmod(0o4755)


def set_user_unreadable(program: Path) -> None:
    program.chmod(0o4711)


def set_group(program: Path) -> None:
    program.chmod(0o2755)


def give_capability(program: Path) -> None:
    """cap_net_bind_service, permitted and effective: struct vfs_cap_data of linux/capability.h."""
    program.chmod(0o755)
    os.setxattr(program, "security.capability", struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0))


@pytest.fixture
def shared_tmp(tmp_path: Path) -> Path:
    """A directory with our programs that others may enter, too."""
    for directory in (tmp_path, *tmp_path.parents):
        if directory.stat().st_mode & 0o005 != 0o005:
            directory.chmod(0o755)
    for file in (COMMAND, LIBRARY):
        shutil.copy(file, tmp_path)
    return tmp_path


def run_as_nobody(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    return run_plain(*argv, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand out rights")
@pytest.mark.parametrize(
    ("privilege", "said"),
    [
        (set_user, "is setuid or setgid"),
        (set_user_unreadable, "is setuid or setgid"),
        (set_group, "is setuid or setgid"),
        (give_capability, "gains file capabilities"),
    ],
)
def test_program_with_more_rights_than_its_user_keeps_them(
    privilege: Callable[[Path], None], said: str, shared_tmp: Path
) -> None:
    if os.statvfs(shared_tmp).f_flag & os.ST_NOSUID:
        pytest.skip("mounted nosuid")
    program = build_plain(shared_tmp)
    privilege(program)
    plain = run_as_nobody(program)
    assert "secure 1\n" in plain.stdout
    done = run_as_nobody(shared_tmp / "loophound", "run", "--", program)
    check_unharmed(done, plain, program, said)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand out rights")
def test_rights_that_are_the_users_own_are_no_reason(tmp_path: Path) -> None:
    program = build_plain(tmp_path)
    set_user(program)
    done = run_command("run", "--", program, stdin=TEXT)
    assert done.stderr.startswith("to standard error\n")
    assert last_line(done)[0] == 1


# The compiler, what it looks for, more flags, and what it says of the mistake.
SANITIZERS = [
    ("gcc", "address", [], "heap-use-after-free"),
    ("gcc", "address", ["-static-libasan"], "heap-use-after-free"),
    ("gcc", "undefined", [], "signed integer overflow"),
    ("gcc", "thread", [], "data race"),
    ("clang", "address", [], "heap-use-after-free"),
    ("clang", "address", ["-shared-libasan"], "heap-use-after-free"),
    ("clang", "undefined", [], "signed integer overflow"),
    ("clang", "thread", [], "data race"),
]


def build_sanitized(directory: Path, compiler: str, sanitizer: str, flags: list[str]) -> Path:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    program = directory / "sanitized"
    argv: list[str | Path] = [
        compiler,
        "-g",
        f"-fsanitize={sanitizer}",
        *flags,
        SOURCES / "sanitized.c",
    ]
    if "-shared-libasan" in flags:
        where = subprocess.run(
            [compiler, "-print-file-name=libclang_rt.asan-x86_64.so"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        argv.append(f"-Wl,-rpath,{Path(where).parent}")
    subprocess.run([*argv, "-o", program], check=True, timeout=60)
    if run_plain(program).returncode != 5:
        pytest.skip(f"{compiler}'s {sanitizer} sanitizer does not run here")
    return program


def under(program: Path, hits: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_command("run", "--strict", "--calls", "sleep", "-o", hits, "--", program, *arguments)


@pytest.mark.parametrize(("compiler", "sanitizer", "flags", "says"), SANITIZERS)
def test_sanitized_program_runs_and_its_mistakes_are_found(
    compiler: str, sanitizer: str, flags: list[str], says: str, tmp_path: Path, hits: Path
) -> None:
    program = build_sanitized(tmp_path, compiler, sanitizer, flags)
    done = under(program, hits)
    assert (done.returncode, done.stdout) == (5, "done\n"), done.stderr
    found = [block["call"] for block in blocks(read_events(hits))]
    assert found == ([] if sanitizer == "thread" else ["nanosleep"]), done.stderr
    assert done.stderr.count("not watched") == (1 if sanitizer == "thread" else 0)

    plain = run_plain(program, sanitizer)
    assert says in plain.stderr
    done = under(program, hits, sanitizer)
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout), done.stderr
    assert done.stderr.count(says) == plain.stderr.count(says)


def test_options_for_asan_stay_the_users() -> None:
    for given in ("", "verify_asan_link_order=1", "detect_leaks=0"):
        done = run_command(
            "run", "--", "sh", "-c", 'echo "$ASAN_OPTIONS"', extra={"ASAN_OPTIONS": given}
        )
        ours = "verify_asan_link_order=0"
        wanted = given if ours[:-1] in given else f"{given}:{ours}".lstrip(":")
        assert done.stdout == f"{wanted}\n"
