# SPDX-License-Identifier: Apache-2.0
"""Other libraries preloaded beside ours, in both orders: allocators, and a faker of time."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from harness import (
    LIBRARY,
    PROGRAMS,
    PYTHON,
    Event,
    blocks,
    clean_environment,
    describe,
    preload_environment,
    read_events,
    started,
    wait_for_event,
)

LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
ALLOCATORS = ["libjemalloc.so.2", "libmimalloc.so.2", "libtcmalloc_minimal.so.4"]
FAKETIME = "faketime/libfaketimeMT.so.1"
ORDERS = ["ours first", "ours last"]


def preload_both(other: str, order: str) -> str:
    both = [str(LIBRARY), str(LIBRARIES / other)]
    return ":".join(both if order == "ours first" else reversed(both))


def run_beside(
    argv: list[str | Path], other: str, order: str, hits: Path, **more: str
) -> tuple[str, list[Event]]:
    """The same output as with the other library alone, and the events."""
    alone = dict(clean_environment(), LD_PRELOAD=str(LIBRARIES / other), **more)
    plain = subprocess.run(argv, env=alone, capture_output=True, text=True, timeout=60, check=False)
    assert (plain.returncode, plain.stderr) == (0, "")
    environment = preload_environment(OUTPUT=str(hits), STRICT="on", CALLS="sleep")
    environment.update(more, LD_PRELOAD=preload_both(other, order))
    with started(argv, environment, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    wait_for_event(hits, "summary", process.pid)
    return out, [event for event in read_events(hits) if event["pid"] == process.pid]


# Says whether the allocator is there: as one of the preloaded libraries it is then in effect.
THREADED = """
import asyncio, json, sys, threading, time
with open("/proc/self/maps") as maps:
    print(sys.argv[1] in maps.read())
def work():
    for length in range(300):
        assert json.loads(json.dumps([str(i) for i in range(length)]))[-1:] != ["x"]
threads = [threading.Thread(target=work) for _ in range(4)]
async def main():
    await asyncio.sleep(0)
    time.sleep(0.06)
    await asyncio.sleep(0.01)
for thread in threads:
    thread.start()
asyncio.run(main())
for thread in threads:
    thread.join()
print("done")
"""


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_python_beside_an_allocator(allocator: str, order: str, hits: Path) -> None:
    out, events = run_beside([PYTHON, "-c", THREADED, allocator], allocator, order, hits)
    assert out == "True\ndone\n"
    assert [block["call"] for block in blocks(events)] == ["clock_nanosleep"], describe(events)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_threads_that_allocate_and_fork_beside_an_allocator(
    allocator: str, order: str, hits: Path
) -> None:
    out, events = run_beside([PROGRAMS / "allocates"], allocator, order, hits)
    assert out.endswith(", 5 children\n")
    assert [block["call"] for block in blocks(events)] == ["nanosleep"], describe(events)


# Prints what its own clocks say, and on standard error what the kernel's did meanwhile.
FAKED = """
import asyncio, ctypes, os, sys, time
program = ctypes.CDLL(None)
class Time(ctypes.Structure):
    _fields_ = [("s", ctypes.c_long), ("ns", ctypes.c_long)]
def kernel_ms():
    now = Time()
    program.syscall(228, 1, ctypes.byref(now))
    return now.s * 1e3 + now.ns / 1e6
async def main():
    await asyncio.sleep(0)
    started, kernel = time.time(), kernel_ms()
    program.usleep(int(sys.argv[1]))
    took, passed = kernel_ms() - kernel, time.time() - started
    with open(sys.argv[2], "w") as file:
        file.write(str(took))
    print(round(passed, 1) if sys.argv[3] == "exact" else "", time.gmtime(started).tm_year)
asyncio.run(main())
"""

# The setting, how fast the program's clock runs, and whether what it shows depends on that alone.
CLOCKS = [
    ("-3000d", 1, "about"),
    ("+0 x10", 10, "about"),
    ("+0 x0.5", 0.5, "about"),
    ("2001-01-01 00:00:00", 1, "exact"),
    ("+0 i2.0", 1, "exact"),
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("clock", "speed", "shows"), CLOCKS)
def test_durations_are_true_time_whatever_the_programs_clock_does(
    clock: str, speed: float, shows: str, order: str, hits: Path, tmp_path: Path
) -> None:
    """Back, faster, slower, stopped, and a step at each look: a look of ours would be seen."""
    true_ms = 60
    took = tmp_path / "took"
    argv: list[str | Path] = [PYTHON, "-c", FAKED, str(int(true_ms * 1000 * speed)), took, shows]
    alone = dict(clean_environment(), LD_PRELOAD=str(LIBRARIES / FAKETIME), FAKETIME=clock)
    plain = subprocess.run(argv, env=alone, capture_output=True, text=True, timeout=60, check=True)
    out, events = run_beside(argv, FAKETIME, order, hits, FAKETIME=clock)
    assert out == plain.stdout
    (block,) = blocks(events)
    assert true_ms <= block["duration_ms"] <= float(took.read_text()) + 0.1, block
    assert block["time"][:4] != "2001"


@pytest.mark.parametrize("order", ORDERS)
def test_point_in_faked_time_is_no_length_of_a_sleep(order: str, hits: Path) -> None:
    program = (
        "import asyncio, time\n"
        "async def main():\n"
        "    await asyncio.sleep(0)\n"
        "    time.sleep(0.06)\n"
        "asyncio.run(main())\n"
    )
    _, events = run_beside([PYTHON, "-c", program], FAKETIME, order, hits, FAKETIME="+1d")
    (block,) = blocks(events)
    assert block["call"] == "clock_nanosleep" and block["duration_ms"] >= 50
    assert block["resource"] is None
