# SPDX-License-Identifier: Apache-2.0
"""loophound run: status, signals and input are the command's own; the last line sums up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from harness import (
    BUILD,
    COMMAND,
    LIBRARY,
    PROGRAMS,
    PYTHON,
    SLEEP,
    blocks,
    clean_environment,
    of_type,
    read_events,
    run_command,
    started,
    wait_for_event,
)

LOOPS = PROGRAMS / "loops"
LAST_LINE = re.compile(
    r"loophound: (\d+) process(?:es)?, (\d+) loop threads?, "
    r"(\d+) blocks?, (\d+) stalls?, (\d+) dropped(?:, \d+ calls? quiet \(.*\))?"
)


def last_line(done: subprocess.CompletedProcess[str]) -> list[int]:
    match = LAST_LINE.fullmatch(done.stderr.splitlines()[-1])
    assert match, done.stderr
    return [int(number) for number in match.groups()]


@pytest.mark.parametrize("status", [0, 1, 7, 99, 255])
def test_exit_status_is_the_commands(status: int) -> None:
    assert run_command("run", "--", "sh", "-c", f"exit {status}").returncode == status


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGSEGV", "SIGINT"])
def test_death_by_a_signal_is_128_and_its_number(name: str) -> None:
    done = run_command("run", "--", "sh", "-c", f"kill -s {name[3:]} $$")
    assert done.returncode == 128 + getattr(signal, name)


def test_input_and_output_pass_through() -> None:
    text = "a line\nand half a line"
    done = run_command("run", "--", "cat", stdin=text)
    assert (done.returncode, done.stdout) == (0, text)


def test_output_is_byte_for_byte_the_commands() -> None:
    done = run_command("run", "--", "sh", "-c", "echo out; echo err >&2")
    assert done.stdout == "out\n"
    assert done.stderr.startswith("err\n")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT"])
def test_signals_are_passed_on_to_the_command(name: str) -> None:
    script = f"trap 'echo got {name}; exit 5' {name[3:]}; echo ready; while :; do sleep 0.01; done"
    argv = [str(COMMAND), "run", "--", "bash", "-c", script]
    number = getattr(signal, name)

    def heed() -> None:
        """What nohup(1) and its like have ignored, a shell cannot trap."""
        signal.signal(number, signal.SIG_DFL)

    environment = clean_environment()
    with started(argv, environment, stderr=subprocess.PIPE, preexec_fn=heed) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        out, _ = process.communicate(timeout=60)
    assert (out, process.returncode) == (f"got {name}\n", 5)


def test_last_line_counts_what_was_seen(hits: Path) -> None:
    done = run_command("run", "-t", "20ms", "-o", hits, "--", LOOPS, "epoll")
    processes, loops, found, stalls, dropped = last_line(done)
    events = read_events(hits)
    assert (processes, stalls, dropped) == (1, 0, 0)
    assert loops == len(of_type(events, "loop")) == 2
    assert found == len(blocks(events)) == 2


def test_processes_of_the_whole_tree_are_counted_and_watched(hits: Path) -> None:
    script = f"'{LOOPS}' epoll & '{LOOPS}' epoll & wait"
    done = run_command("run", "-t", "20ms", "-o", hits, "--", "sh", "-c", script)
    assert last_line(done) == [3, 4, 4, 0, 0]
    assert len({block["pid"] for block in blocks(read_events(hits))}) == 2


def test_follow_off_watches_the_command_alone(hits: Path) -> None:
    script = f"'{LOOPS}' epoll; exit 0"
    done = run_command("run", "-t", "20ms", "--follow", "off", "-o", hits, "--", "sh", "-c", script)
    assert last_line(done)[1:3] == [0, 0]


def test_without_a_loop_thread_it_says_why_and_how_to_name_one() -> None:
    done = run_command("run", "--", "true")
    *help_lines, _ = done.stderr.splitlines()
    said = "\n".join(help_lines)
    assert last_line(done)[1] == 0
    assert "no loop thread was seen" in said
    assert "--loop main" in said and "loophound_loop_enter" in said


def test_static_program_is_said_to_be_out_of_reach(tmp_path: Path) -> None:
    source, program = tmp_path / "static.c", tmp_path / "static"
    source.write_text("int main(void) { return 3; }\n")
    subprocess.run(["gcc", "-static", source, "-o", program], check=True)
    done = run_command("run", "--", program)
    assert done.returncode == 3
    assert last_line(done)[0] == 0
    assert "static" in done.stderr


def test_fail_exits_99_when_something_was_reported(hits: Path) -> None:
    done = run_command("run", "--fail", "-t", "20ms", "-o", hits, "--", LOOPS, "epoll")
    assert done.returncode == 99


def test_fail_keeps_the_status_of_a_command_that_failed(hits: Path) -> None:
    script = f"'{LOOPS}' epoll; exit 4"
    done = run_command("run", "--fail", "-t", "20ms", "-o", hits, "--", "sh", "-c", script)
    assert done.returncode == 4


def test_fail_is_0_when_nothing_was_reported(hits: Path) -> None:
    done = run_command("run", "--fail", "-t", "5s", "-o", hits, "--", LOOPS, "epoll")
    assert done.returncode == 0


def test_command_that_is_not_there_is_127_and_said() -> None:
    done = run_command("run", "--", "/nonexistent/command")
    assert done.returncode == 127
    assert "/nonexistent/command" in done.stderr


def test_command_that_cannot_be_executed_is_126(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("#!/bin/sh\n")
    assert run_command("run", "--", tmp_path / "file").returncode == 126


def test_library_is_put_before_what_was_preloaded_already() -> None:
    done = run_command(
        "run", "--", "sh", "-c", 'echo "$LD_PRELOAD"', extra={"LD_PRELOAD": "libm.so.6"}
    )
    first, *others = re.split("[: ]", done.stdout.strip())
    assert Path(first).samefile(LIBRARY)
    assert others == ["libm.so.6"]


def test_report_on_standard_error_is_text_with_the_source_line() -> None:
    program = (
        "import asyncio, time\n"
        "async def main():\n"
        "    await asyncio.sleep(0)\n"
        "    time.sleep(0.15)\n"
        "asyncio.run(main())\n"
    )
    app = Path(os.environ.get("TMPDIR", "/tmp")) / f"loophound-app-{os.getpid()}.py"
    app.write_text(program)
    try:
        done = run_command("run", "--", PYTHON, app)
    finally:
        app.unlink()
    header = re.search(
        rf"^loophound\[\d+\] \S+ blocked \d+\.\d ms in {SLEEP} "
        r"\((?:sleep|time-out) 1(?:50|49\.\d) ms\)  #\d+$",
        done.stderr,
        re.MULTILINE,
    )
    assert header, done.stderr
    assert re.search(rf"{app.name}:4 +main +time\.sleep\(0\.15\)$", done.stderr, re.MULTILINE)
    assert "\x1b" not in done.stderr, "colours are for terminals"
    assert last_line(done) == [1, 1, 1, 0, 0]


def test_lines_of_many_processes_are_never_torn(hits: Path) -> None:
    script = " & ".join([f"'{LOOPS}' threads"] * 12) + " & wait"
    done = run_command("run", "--strict", "--calls=sleep", "-o", hits, "--", "sh", "-c", script)
    events = read_events(hits)  # fails on a torn line
    assert len(blocks(events)) == 24
    assert last_line(done)[0] == 13
    assert hits.read_text().endswith("\n")


def test_output_is_there_when_run_returns(hits: Path) -> None:
    run_command("run", "-t", "20ms", "-o", hits, "--", LOOPS, "epoll")
    kinds = [event["type"] for event in read_events(hits)]
    assert kinds[0] == "start" and kinds[-1] == "summary"


def test_killed_run_takes_nothing_of_the_program_with_it(hits: Path, tmp_path: Path) -> None:
    """When the parent that collects is gone, the program itself runs on."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    script = f"echo ready; read line <'{fifo}'; '{LOOPS}' epoll; echo \"$line $?\""
    argv = [str(COMMAND), "run", "-t", "20ms", "-o", str(hits), "--", "sh", "-c", script]
    with started(argv, clean_environment(), stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.kill()
        process.wait()
        fifo.write_text("still here\n")
        assert process.stdout.readline() == "still here 0\n"


def test_library_for_stacks_is_loaded_only_for_a_stack(hits: Path) -> None:
    """It cannot be loaded here. The program, which needs it not, is told of it once."""
    broken = hits.parent / "libraries"
    broken.mkdir()
    for name in ("libdw.so.1", "libelf.so.1", "libunwind-x86_64.so.8"):
        (broken / name).write_text("no library")
    environment = {**clean_environment(), "LD_LIBRARY_PATH": str(broken)}

    def run(*argv: str | Path) -> subprocess.CompletedProcess[str]:
        command = [str(COMMAND), "run", "-t", "20ms", "-o", str(hits), "--", *map(str, argv)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    assert "shared object" not in run("true").stderr
    done = run(PROGRAMS / "limits", "none")
    said = [line for line in done.stderr.splitlines() if "stacks are told without it" in line]
    assert len(said) == 1 and str(broken) in said[0], done.stderr
    assert blocks(read_events(hits)), done.stderr


def test_bare_preload_writes_text_to_standard_error_by_default() -> None:
    environment = dict(clean_environment(THRESHOLD="20ms"), LD_PRELOAD=str(LIBRARY))
    done = subprocess.run([LOOPS, "epoll"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0
    head = r"^loophound\[\d+\] \S+ "
    block = r"blocked \d+\.\d ms in nanosleep \(sleep 200 ms\)  #"
    for of_the_place in (block, rf"again, 2nd time: {block}"):
        assert len(re.findall(head + of_the_place, done.stderr, re.MULTILINE)) == 1, done.stderr


def test_pid_and_executable_in_the_output_path(tmp_path: Path) -> None:
    script = f"'{LOOPS}' epoll & '{LOOPS}' epoll & wait"
    pattern = tmp_path / "%e-%p.jsonl"
    run_command("run", "-t", "20ms", "-o", pattern, "--", "sh", "-c", script)
    files = sorted(tmp_path.glob("loops-*.jsonl"))
    assert len(files) == 2
    for file in files:
        pid = int(file.stem.split("-")[1])
        assert {event["pid"] for event in read_events(file)} == {pid}
        wait_for_event(file, "summary", pid)


# Mounts of nothing that can be written to, over all of these; then the command.
READ_ONLY = 'for at in $READ_ONLY; do mount -t tmpfs -o ro none "$at" || exit 7; done; exec "$@"'


@pytest.mark.parametrize(
    ("read_only", "home", "place"),
    [
        ("/run /tmp", "/", "/dev/shm/"),
        ("/run /tmp /dev/shm", "/", "/var/tmp/"),
        ("/run /tmp /dev/shm /var/tmp", str(BUILD), f"{BUILD}/"),
        ("/run /tmp /dev/shm /var/tmp", "/proc", None),
    ],
)
def test_another_directory_is_used_where_none_is_to_be_written_to(
    read_only: str, home: str, place: str | None
) -> None:
    unset = ["XDG_RUNTIME_DIR", "TMPDIR"]
    environment = {k: v for k, v in clean_environment().items() if k not in unset}
    environment.update(HOME=home, READ_ONLY=read_only)
    script = "import os; print(os.environ['LOOPHOUND_SOCKET'])"
    command: list[str | Path] = [COMMAND, "run", "--", PYTHON, "-c", script]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode in {1, 7}:
        pytest.skip("not allowed to mount")
    if place is None:
        (line,) = done.stderr.splitlines()
        assert (done.returncode, done.stdout) == (125, ""), done.stderr
        assert line.startswith("loophound: no directory for its socket (XDG_RUNTIME_DIR, TMPDIR")
        assert line.endswith("; nothing started")
    else:
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"{place}loophound-"), done.stdout
        assert last_line(done)[0] == 1
