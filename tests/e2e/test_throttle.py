# SPDX-License-Identifier: Apache-2.0
"""A stall under a cgroup's limit says how much of its wait for a processor that limit caused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from harness import PROGRAMS, PYTHON, Event, describe, run_preloaded, started, wait_until
from test_stalls import Truth, the_stall

pytestmark = pytest.mark.alone  # what takes the processor away from them is in their reports

STALLS = PROGRAMS / "stalls"
MOUNT = Path("/sys/fs/cgroup")
PERIOD_US = 100_000
# With the most shares, which a busy machine leaves it: most of its wait is for the limit.
LOW_US = PERIOD_US // 10


class Cgroup:
    """A cgroup of the test's own, of either version."""

    def __init__(self, path: Path, version: int) -> None:
        self.path = path
        self.version = version

    def limit(self, us_per_period: int) -> None:
        if self.version == 1:
            (self.path / "cpu.cfs_period_us").write_text(f"{PERIOD_US}\n")
            (self.path / "cpu.cfs_quota_us").write_text(f"{us_per_period}\n")
        else:
            (self.path / "cpu.max").write_text(f"{us_per_period} {PERIOD_US}\n")

    def give_shares(self) -> None:
        """The most there are: it has its processor at once, while it is not throttled."""
        name, most = ("cpu.shares", 262144) if self.version == 1 else ("cpu.weight", 10000)
        (self.path / name).write_text(f"{most}\n")

    def throttled_ms(self) -> float:
        """All that its members were held so far, the collector among them."""
        words = (self.path / "cpu.stat").read_text().split()
        stat = dict(zip(words[::2], map(float, words[1::2]), strict=True))
        return stat["throttled_time"] / 1e6 if self.version == 1 else stat["throttled_usec"] / 1e3

    def inside(self, *argv: str | Path) -> list[str | Path]:
        """The command, started as a member."""
        enter = 'echo $$ >"$0" && exec "$@"'
        return ["/bin/sh", "-c", enter, self.path / "cgroup.procs", *argv]

    def is_empty(self) -> bool:
        return (self.path / "cgroup.procs").read_text() == ""


def make_cgroup() -> Cgroup:
    name = f"loophound-test-{os.getpid()}"
    try:
        if (MOUNT / "cpu").is_dir():
            (MOUNT / "cpu" / name).mkdir()
            return Cgroup(MOUNT / "cpu" / name, 1)
        (MOUNT / "cgroup.subtree_control").write_text("+cpu\n")
        (MOUNT / name).mkdir()
        return Cgroup(MOUNT / name, 2)
    except OSError as error:
        pytest.skip(f"no cgroup with a limit on processors can be made here: {error}")


@pytest.fixture
def cgroup() -> Iterator[Cgroup]:
    made = make_cgroup()
    yield made
    wait_until("the collector's end", made.is_empty)  # it was started from inside
    made.path.rmdir()


def run_inside(cgroup: Cgroup, hits: Path) -> tuple[Truth, Event]:
    """What is true of an iteration that computes for 300 ms, and its stall."""
    done, events = run_preloaded(cgroup.inside(STALLS, "compute"), hits)
    assert (done.returncode, done.stderr) == (0, "")
    return Truth(done.stdout), the_stall(events)


def test_time_that_a_limit_takes_is_named(cgroup: Cgroup, hits: Path) -> None:
    cgroup.limit(LOW_US)
    cgroup.give_shares()
    truth, stall = run_inside(cgroup, hits)
    assert truth.wall.least > 5 * truth.cpu.most, "the limit took nothing away"
    assert truth.runqueue.has(stall["runqueue_ms"])
    assert 0.5 * stall["runqueue_ms"] <= stall["throttled_ms"] <= stall["runqueue_ms"]
    assert stall["throttled_ms"] <= cgroup.throttled_ms()


def test_text_names_it_beside_the_wait_that_it_is_a_part_of(cgroup: Cgroup, tmp_path: Path) -> None:
    cgroup.limit(LOW_US)
    cgroup.give_shares()
    log = tmp_path / "log"
    command = cgroup.inside(STALLS, "compute")
    run = [str(part) for part in (PROGRAMS.parent / "loophound", "run", "-o", log, "--")]
    with started([*run, *command], dict(os.environ)) as process:
        process.communicate(timeout=60)
    lines = (line for line in log.read_text().splitlines() if " stalled " in line)
    line = max(lines, key=lambda line: float(line.split(" stalled ")[1].split()[0]))
    assert "waiting for a processor, throttled " in line
    assert "ms by its cgroup (cpu.max)" in line


def test_wait_for_a_processor_without_a_limit_is_no_throttling(cgroup: Cgroup, hits: Path) -> None:
    compute = [PYTHON, "-c", "print(flush=True)\nwhile True: pass"]
    with ExitStack() as competitors:
        for _ in range(2 * (os.cpu_count() or 1)):
            process = competitors.enter_context(started(compute, dict(os.environ)))
            assert process.stdout
            process.stdout.readline()
        truth, stall = run_inside(cgroup, hits)
    assert truth.runqueue.least > 20, "the competitors took nothing away"
    assert stall["throttled_ms"] == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="hides the cgroups with a mount, which takes root")
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare(1)")
def test_what_cannot_be_read_is_null(hits: Path) -> None:
    hide = 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"'
    done, events = run_preloaded(
        ["unshare", "--mount", "/bin/sh", "-c", hide, "sh", STALLS, "compute"], hits
    )
    assert done.returncode == 0, done.stderr
    stall = the_stall(events)
    assert stall["throttled_ms"] is None, describe(events)
    assert stall["runqueue_ms"] is not None
