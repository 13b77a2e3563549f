# SPDX-License-Identifier: Apache-2.0
"""loophound doctor tells, of each kind of program, what will be seen of it, what not, and why."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from harness import (
    COMMAND,
    LIBRARY,
    ROOT,
    clean_environment,
    run_command,
    started,
)
from test_kinds import KINDS, build, build_plain, give_capability, run_as_nobody, set_user

SOURCES = ROOT / "tests" / "programs" / "kinds"
CANNOT = 98
ROWS, COLUMNS = 24, 80
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can do that")

Finding = dict[str, Any]


def check_screen(done: subprocess.CompletedProcess[str]) -> None:
    """All of it is seen at once, and each line is of a known form."""
    lines = done.stdout.splitlines()
    assert len(lines) < ROWS and max(map(len, lines)) <= COLUMNS, done.stdout
    assert lines[-1].startswith("loophound: ")
    for line in lines[:-1]:
        assert line[:6] in {"ok    ", "warn  ", "miss  ", "      "}, done.stdout


def examine(
    *arguments: str | Path, extra: dict[str, str] | None = None, **options: str
) -> tuple[int, list[Finding]]:
    """The status and the findings; the screen has them, too."""
    shown = run_command("doctor", *arguments, extra=extra, **options)
    assert shown.stderr == ""
    check_screen(shown)
    done = run_command("doctor", "--json", *arguments, extra=extra, **options)
    whole = json.loads(done.stdout)
    assert set(whole) == {"v", "type", "version", "command", "pid", "watchable", "checks"}
    assert (whole["v"], whole["type"]) == (1, "doctor")
    assert done.returncode == shown.returncode
    assert whole["watchable"] == (done.returncode == 0)
    for finding in whole["checks"]:
        assert set(finding) == {"check", "state", "text", "todo"}
    return done.returncode, whole["checks"]


def look(*arguments: str | Path, **options: Any) -> tuple[int, list[Finding]]:
    return examine("--", *arguments, **options)


def finding(found: Sequence[Finding], check: str, state: str) -> Finding:
    """The one of this check and state; without it the test fails."""
    of_it = [one for one in found if one["check"] == check and one["state"] == state]
    assert len(of_it) == 1, found
    return of_it[0]


def has(found: Sequence[Finding], check: str) -> bool:
    return any(one["check"] == check for one in found)


def put_script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def compile_text(path: Path, text: str, *flags: str | Path) -> Path:
    argv: list[str | Path] = ["gcc", "-x", "c", "-", "-x", "none", "-o", path, *flags]
    subprocess.run(argv, input=text, text=True, check=True, timeout=60)
    return path


NOTHING = "int main(void) { return 0; }\n"


# ---- the file of the program ----


@pytest.mark.parametrize("kind", KINDS)
def test_program_out_of_reach_is_told_in_the_words_of_run(kind: str, tmp_path: Path) -> None:
    program = build(tmp_path, kind)
    status, found = look(program)
    missed = finding(found, "program", "miss")
    assert status == CANNOT and KINDS[kind][2] in missed["text"] and missed["todo"]
    assert missed["text"] in " ".join(run_command("run", "--", program).stderr.split())


def test_plain_program_can_be_watched(tmp_path: Path) -> None:
    program = compile_text(tmp_path / "plain", NOTHING, "-g")
    status, found = look(program)
    assert status == 0 and {one["state"] for one in found} == {"ok"}
    assert finding(found, "program", "ok")["text"].startswith(f"{program}: dynamic, x86-64, glibc ")
    assert "names and lines" in finding(found, "symbols", "ok")["text"]


def test_stripped_program_has_few_names(tmp_path: Path) -> None:
    program = compile_text(tmp_path / "stripped", NOTHING, "-s", "-Wl,--build-id=none")
    status, found = look(program)
    told = finding(found, "symbols", "warn")
    assert status == 0 and "stripped" in told["text"] and "no build-id" in told["text"]


def test_program_of_another_machine(tmp_path: Path) -> None:
    program = build_plain(tmp_path)
    image = bytearray(program.read_bytes())
    image[18:20] = struct.pack("<H", 183)  # EM_AARCH64
    program.write_bytes(image)
    status, found = look(program)
    assert status == CANNOT
    assert "is not an x86-64 program" in finding(found, "program", "miss")["text"]


@pytest.mark.parametrize(
    ("name", "status", "said"), [("tml", CANNOT, "statically linked"), ("fzf", 0, "Go program")]
)
def test_go_program(name: str, status: int, said: str) -> None:
    got, found = look(name)
    assert got == status and said in finding(found, "program", "miss")["text"]


@ROOT_ONLY
@pytest.mark.parametrize(
    ("privilege", "said"), [(set_user, "setuid"), (give_capability, "file capabilities")]
)
def test_program_that_gains_rights(privilege: Any, said: str, tmp_path: Path) -> None:
    for directory in (tmp_path, *tmp_path.parents):
        directory.chmod(directory.stat().st_mode | 0o055)
    for file in (COMMAND, LIBRARY):
        shutil.copy(file, tmp_path)
    program = build_plain(tmp_path)
    privilege(program)
    done = run_as_nobody(tmp_path / "loophound", "doctor", "--", program)
    check_screen(done)
    assert done.returncode == CANNOT and said in done.stdout


@ROOT_ONLY
def test_program_that_may_not_be_read(tmp_path: Path) -> None:
    for directory in (tmp_path, *tmp_path.parents):
        directory.chmod(directory.stat().st_mode | 0o055)
    for file in (COMMAND, LIBRARY):
        shutil.copy(file, tmp_path)
    program = build_plain(tmp_path)
    program.chmod(0o711)
    done = run_as_nobody(tmp_path / "loophound", "doctor", "--", program)
    check_screen(done)
    assert done.returncode == 0 and "executed and not read" in done.stdout


@pytest.mark.parametrize("compiler", ["gcc", "clang"])  # clang puts it into the program
def test_sanitized_programs(compiler: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    source = tmp_path / "source.c"
    source.write_text(NOTHING)
    for kind in ("thread", "address"):
        argv: list[str | Path] = [compiler, source, f"-fsanitize={kind}", "-o", tmp_path / kind]
        subprocess.run(argv, check=True, timeout=60)
    status, found = look(tmp_path / "thread")
    assert status == CANNOT and "ThreadSanitizer" in finding(found, "tools", "miss")["text"]
    status, found = look(tmp_path / "address")
    assert status == 0 and "verify_asan_link_order=0" in finding(found, "tools", "warn")["todo"]


def test_corrupt_files_are_borne(tmp_path: Path) -> None:
    program = tmp_path / "program"
    for seed in sorted((ROOT / "tests" / "fuzz" / "corpus" / "elf").iterdir()):
        program.write_bytes(seed.read_bytes())
        program.chmod(0o755)
        done = run_command("doctor", "--", program)
        assert done.returncode in (0, CANNOT), (seed, done.stderr)
        check_screen(done)


def test_huge_parts_of_a_file_are_not_read(tmp_path: Path) -> None:
    """Each section says that it has 256 MiB, in a file that has them, in holes."""
    program = build_plain(tmp_path)
    image = bytearray(program.read_bytes())
    (sections,) = struct.unpack_from("<Q", image, 0x28)
    (count,) = struct.unpack_from("<H", image, 0x3C)
    for index in range(1, count - 1):  # the last has their names
        struct.pack_into("<Q", image, sections + 64 * index + 32, 256 << 20)
    program.write_bytes(image)
    os.truncate(program, 1 << 30)
    with started([COMMAND, "doctor", "--", program], clean_environment()) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert used.ru_maxrss < 128 << 10  # KiB


# ---- the way to it ----


@pytest.mark.parametrize(
    ("name", "status"), [("no-such-command", 127), ("/no/such/command", 127), ("/tmp", 126)]
)
def test_command_that_is_not_there(name: str, status: int) -> None:
    done = run_command("doctor", "--", name)
    check_screen(done)
    assert done.returncode == status == run_command("run", "--", name).returncode


def test_file_that_may_not_be_executed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    done = run_command("doctor", "--json", "--", file)
    assert done.returncode == 126 and f"chmod +x {file}" in done.stdout


def test_command_is_looked_for_in_path(tmp_path: Path) -> None:
    build(tmp_path, "static").rename(tmp_path / "found")
    status, found = look("found", extra={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert status == CANNOT and str(tmp_path / "found") in finding(found, "program", "miss")["text"]


@pytest.mark.parametrize(
    ("flags", "behind"), [("-u www", "-u www"), ("-nE A=b", "-nE A=b"), ("--user=www --", None)]
)
def test_sudo_drops_the_library(flags: str, behind: str | None, tmp_path: Path) -> None:
    sudo = put_script(tmp_path / "sudo", "#!/bin/sh\n")
    status, found = look(sudo, *flags.split(), sys.executable, "app.py")
    told = finding(found, "wrappers", "miss")
    assert status == CANNOT and "drops LD_PRELOAD" in told["text"]
    wanted = f"{sudo} {behind or flags} loophound run -- {sys.executable} app.py"
    assert told["todo"] == wanted
    assert finding(found, "python", "ok")  # what is behind it is looked at all the same


@pytest.mark.parametrize("flag", ["-i", "-", "--ignore-environment", "-uLD_PRELOAD"])
def test_env_that_clears_the_environment(flag: str) -> None:
    status, found = look("env", flag, "A=b", "true")
    assert status == CANNOT
    assert finding(found, "wrappers", "miss")["todo"] == f"env {flag} A=b loophound run -- true"


def test_what_only_starts_it_is_seen_through() -> None:
    status, found = look(
        "nice", "-n", "5", "timeout", "-s", "INT", "9", "env", "A=b", sys.executable
    )
    assert status == 0 and not has(found, "wrappers") and finding(found, "python", "ok")


@pytest.mark.parametrize(
    "name", ["docker", "kubectl", "systemd-run", "flatpak", "ssh", "systemctl"]
)
def test_what_starts_it_elsewhere(name: str, tmp_path: Path) -> None:
    wrapper = put_script(tmp_path / name, "#!/bin/sh\n")
    status, found = look(wrapper, "run", "thing")
    assert status == CANNOT and finding(found, "wrappers", "miss")["todo"]
    assert not has(found, "program")  # what would run there is not known here


def test_sandbox_may_hide_the_library(tmp_path: Path) -> None:
    status, found = look(
        put_script(tmp_path / "bwrap", "#!/bin/sh\n"), "--ro-bind", "/", "/", "true"
    )
    assert status == 0 and finding(found, "wrappers", "warn")["todo"]


def test_launcher_is_not_taken_for_what_it_starts(tmp_path: Path) -> None:
    launcher = build(tmp_path, "static").rename(tmp_path / "uv")
    status, found = look(launcher, "run", "uvicorn")
    assert status == 0 and not has(found, "program")
    assert "passes LD_PRELOAD on" in finding(found, "wrappers", "ok")["text"]


@ROOT_ONLY
@pytest.mark.parametrize(
    ("words", "status"),
    [(["www", "-c", "app"], 0), (["-", "www"], CANNOT), (["-l", "www"], CANNOT)],
)
def test_su_of_root_passes_it_on_but_for_a_login(words: list[str], status: int) -> None:
    got, found = look("su", *words)
    assert got == status and has(found, "wrappers")


@ROOT_ONLY
def test_su_of_others_is_setuid(tmp_path: Path) -> None:
    for directory in (tmp_path, *tmp_path.parents):
        directory.chmod(directory.stat().st_mode | 0o055)
    for file in (COMMAND, LIBRARY):
        shutil.copy(file, tmp_path)
    done = run_as_nobody(tmp_path / "loophound", "doctor", "--", "su", "www", "-c", "app")
    check_screen(done)
    assert done.returncode == CANNOT and "is setuid" in done.stdout


@pytest.mark.parametrize("text", ["exec {python} app.py", "{python} app.py"])
def test_command_of_a_shell_is_followed(text: str) -> None:
    _, found = look("sh", "-c", text.format(python=sys.executable))
    assert finding(found, "python", "ok")
    _, found = look("sh", "-c", text.format(python=sys.executable) + "; true")
    assert not has(found, "python") and finding(found, "program", "ok")


def test_script_is_what_its_interpreter_is(tmp_path: Path) -> None:
    script = put_script(tmp_path / "tool", f"#!{sys.executable} -u\nimport app\n")
    status, found = look(script)
    assert status == 0 and f"{script}, run by " in finding(found, "program", "ok")["text"]
    assert finding(found, "python", "ok")


@pytest.mark.parametrize("line", ["python3", "-S python3 -u"])
def test_script_by_env_is_followed(line: str, tmp_path: Path) -> None:
    script = put_script(tmp_path / "tool", f"#!/usr/bin/env {line}\nimport app\n")
    path = f"{Path(sys.executable).parent}:/usr/bin"
    status, found = look(script, extra={"PATH": path})
    version = "{}.{}.{}".format(*sys.version_info)
    assert status == 0 and f"Python {version}" in finding(found, "python", "ok")["text"]


def test_script_whose_interpreter_is_missing(tmp_path: Path) -> None:
    script = put_script(tmp_path / "tool", "#!/no/such/interpreter\n")
    done = run_command("doctor", "--", script)
    assert done.returncode == 127 and "/no/such/interpreter" in done.stdout


def test_shell_script_is_read(tmp_path: Path) -> None:
    script = put_script(
        tmp_path / "entry.sh", f'#!/bin/sh\nset -e\nunset LD_PRELOAD\nexec {sys.executable} "$@"\n'
    )
    status, found = look(script, "app.py")
    told = finding(found, "wrappers", "warn")
    assert status == 0 and f'{script}:3: "unset LD_PRELOAD"' in told["text"]
    assert finding(found, "python", "ok")


def test_shell_script_that_executes_its_arguments(tmp_path: Path) -> None:
    script = put_script(tmp_path / "entry.sh", '#!/bin/sh\nexec "$@"\n')
    status, found = look(script, build(tmp_path, "static"))
    assert status == CANNOT and "statically linked" in finding(found, "program", "miss")["text"]


@pytest.mark.parametrize("line", ["exec /no/such/program", "if false; then\n  exec /tmp\nfi"])
def test_line_that_may_never_be_reached_is_not_followed(line: str, tmp_path: Path) -> None:
    script = put_script(tmp_path / "entry.sh", f"#!/bin/sh\n{line}\n")
    status, found = look(script)
    assert status == 0 and "this shell" in finding(found, "program", "ok")["text"]


def test_scripts_that_execute_each_other_end(tmp_path: Path) -> None:
    script = tmp_path / "again.sh"
    put_script(script, f"#!/bin/sh\nexec {script}\n")
    assert run_command("doctor", "--", script).returncode == 0
