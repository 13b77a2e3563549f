# SPDX-License-Identifier: Apache-2.0
"""Outputs: what is refused, whose files they are, and that the program never waits for a reader."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from subprocess import PIPE

import pytest
from harness import (
    PYTHON,
    blocks,
    of_type,
    preload_environment,
    run_command,
    run_preloaded,
    started,
    wait_until,
)

NAP = """
import asyncio, time
async def main():
    await asyncio.sleep(0)
    time.sleep(0.1)
asyncio.run(main())
"""

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def shared_directory(parent: Path) -> Path:
    """Where others may write, too, as in /tmp."""
    directory = parent / "shared"
    directory.mkdir()
    directory.chmod(0o1777)
    return directory


def refused(output: Path | str) -> str:
    done = run_command("run", "-o", output, "--", PYTHON, "-c", "print('started')")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"loophound: cannot write to {output}: ")
    assert line.endswith("; nothing started")
    return line


@pytest.mark.parametrize("name", ["no/such/hits.jsonl", "no/such/%p.jsonl", "."])
def test_bad_path_is_refused_before_the_command_starts(name: str, tmp_path: Path) -> None:
    said = refused(tmp_path / name)
    assert "No such file or directory" in said or "Is a directory" in said


def test_link_where_others_may_write_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    link = shared_directory(tmp_path) / "hits.jsonl"
    link.symlink_to(target)
    assert "symbolic link" in refused(link)
    environment = preload_environment(OUTPUT=str(link))
    with started([PYTHON, "-c", NAP], environment, stderr=PIPE) as process:
        assert process.stderr
        said = process.stderr.readline()
        assert process.wait() == 0
    assert f"cannot write to {link}: it is a symbolic link" in said
    assert not target.exists()


def test_link_in_a_directory_of_ones_own_is_followed(tmp_path: Path) -> None:
    target = tmp_path / "target.jsonl"
    link = tmp_path / "hits.jsonl"
    link.symlink_to(target)
    _, events = run_preloaded([PYTHON, "-c", NAP], link)
    assert len(blocks(events)) == 1
    assert target.exists()


@only_root
@pytest.mark.parametrize("collector", ["auto", "none"])
def test_file_of_another_user_is_refused(collector: str, hits: Path) -> None:
    hits.write_text("theirs\n")
    os.chown(hits, 65534, -1)
    if collector == "auto":
        assert "it belongs to another user" in refused(hits)
    environment = preload_environment(OUTPUT=str(hits), COLLECTOR=collector)
    with started([PYTHON, "-c", NAP], environment) as process:
        assert process.wait() == 0
    assert hits.read_text() == "theirs\n"


@pytest.mark.parametrize("collector", ["auto", "none"])
def test_new_file_is_for_its_owner_only(collector: str, hits: Path) -> None:
    _, events = run_preloaded([PYTHON, "-c", NAP], hits, COLLECTOR=collector)
    assert len(blocks(events)) == 1
    assert hits.stat().st_mode & 0o777 == 0o600


PREPARED = (
    """
import os, sys
os.link(sys.argv[1], f"{sys.argv[2]}/{os.getpid()}.jsonl")
"""
    + NAP
)


@pytest.mark.parametrize("collector", ["auto", "none"])
def test_name_with_a_pid_that_was_prepared_is_not_written_to(
    collector: str, tmp_path: Path
) -> None:
    """By a second name for a file of ours, as anybody may lay it where all may write."""
    precious = tmp_path / "precious"
    precious.write_text("precious\n")
    environment = preload_environment(OUTPUT=f"{tmp_path}/%p.jsonl", COLLECTOR=collector)
    argv: list[str | Path] = [PYTHON, "-c", PREPARED, precious, tmp_path]
    with started(argv, environment) as process:
        assert process.wait() == 0
    assert precious.read_text() == "precious\n"


FORKS = """
import asyncio, os, sys, time
async def main():
    await asyncio.sleep(0)
    time.sleep(0.05)
    await asyncio.sleep(0.05)  # in which the report is written
    print("told", flush=True)
    for _ in range(20):
        if os.fork() == 0:
            os._exit(0)
        os.wait()
        await asyncio.sleep(0.01)
    print("forked", flush=True)
    sys.stdin.readline()
    time.sleep(0.05)
asyncio.run(main())
"""


def full_pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, b"x" * 4095 + b"\n")
    return reader, writer


def test_full_pipe_costs_its_lines_and_no_fork_waits(tmp_path: Path) -> None:
    """A watchdog that waits in a write keeps each fork waiting for a second."""
    reader, writer = full_pipe()
    environment = preload_environment(OUTPUT="stderr", COLLECTOR="none", THRESHOLD="20ms")
    begin = time.monotonic()
    with started([PYTHON, "-c", FORKS], environment, stdin=PIPE, stderr=writer) as process:
        os.close(writer)
        assert process.stdin and process.stdout
        assert [process.stdout.readline() for _ in range(2)] == ["told\n", "forked\n"]
        assert time.monotonic() - begin < 15
        os.read(reader, 4096)
        process.stdin.write("\n")
        process.stdin.flush()
        with os.fdopen(reader, encoding="utf-8") as lines:
            events = [json.loads(line) for line in lines]
        assert process.wait() == 0
    assert of_type(events, "block")
    (summary,) = of_type(events, "summary")
    assert summary["dropped"] > 0


def test_fifo_without_a_reader_costs_its_lines_and_nothing_waits(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    environment = preload_environment(OUTPUT=str(fifo), COLLECTOR="none", THRESHOLD="20ms")
    with started([PYTHON, "-c", FORKS], environment, stdin=PIPE) as process:
        assert process.stdin and process.stdout
        assert [process.stdout.readline() for _ in range(2)] == ["told\n", "forked\n"]
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.wait() == 0
        os.set_blocking(reader, True)
        with os.fdopen(reader, encoding="utf-8") as lines:
            events = [json.loads(line) for line in lines]
    (summary,) = of_type(events, "summary")
    told = of_type(events, "block")
    assert 1 <= len(told) < summary["blocks"]
    assert summary["dropped"] > 0


TORN = '{"v":1,"type":"block","id":1,"call":"re'
WHOLE = '{"v":1,"type":"loop"}\n'


def lines_after(before: str, hits: Path, way: str) -> list[str]:
    """The lines of a file that has held `before`, once a program has written to it."""
    hits.write_text(before)
    if way == "run":
        run_command("run", "-t", "50ms", "-o", hits, "--", PYTHON, "-c", NAP)
    else:
        collector = {} if way == "collector" else {"COLLECTOR": "none"}
        environment = preload_environment(OUTPUT=str(hits), THRESHOLD="50ms", **collector)
        with started([PYTHON, "-c", NAP], environment) as process:
            assert process.wait() == 0
    wait_until("the summary", lambda: '"type":"summary"' in hits.read_text())
    return hits.read_text().splitlines()


@pytest.mark.parametrize("way", ["run", "collector", "raw"])
def test_line_that_an_earlier_writer_left_torn_takes_no_other_with_it(way: str, hits: Path) -> None:
    """Its disk was full, or it was killed."""
    first, *others = lines_after(TORN, hits, way)
    assert first == TORN
    kinds = [json.loads(line)["type"] for line in others]
    assert kinds[0] == "start"
    done = run_command("report", hits)
    assert done.returncode == 0
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"loophound: {hits}:1: not an event of ours (")
    assert "1 process, 1 block," in done.stdout


@pytest.mark.parametrize("way", ["run", "collector", "raw"])
def test_file_that_ends_well_gets_no_empty_line(way: str, hits: Path) -> None:
    first, *others = lines_after(WHOLE, hits, way)
    assert first + "\n" == WHOLE
    kinds = [json.loads(line)["type"] for line in others]
    assert kinds[0] == "start"


def test_standard_error_that_is_appended_to_a_file_is_a_file_too(hits: Path) -> None:
    hits.write_text(TORN)
    with hits.open("a") as errors:
        environment = preload_environment(COLLECTOR="none", THRESHOLD="50ms", FORMAT="json")
        with started([PYTHON, "-c", NAP], environment, stderr=errors) as process:
            assert process.wait() == 0
    wait_until("the summary", lambda: '"type":"summary"' in hits.read_text())
    first, second, *_ = hits.read_text().splitlines()
    assert first == TORN and second.startswith("{")
