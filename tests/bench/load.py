# SPDX-License-Identifier: Apache-2.0
"""Loads a server by load.c, and reads while it runs what was answered and what that cost."""

from __future__ import annotations

import contextlib
import mmap
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from servers import Missing, Running

STEPS = 32  # as in load.c
BUCKETS = STEPS * 32
COUNTS_BYTES = 8 * (1 + BUCKETS)
WARM_S = 1.0
START_S = 10.0


class Reading(NamedTuple):
    answers: int
    cpu_ns: int  # of the server, all its threads
    buckets: tuple[int, ...]  # of latencies; () where nobody asks


def bucket_us(bucket: int) -> float:
    """The middle of the latencies in it: the way back of bucket_of() in load.c."""
    if bucket < STEPS:
        return bucket + 0.5
    shift = bucket // STEPS - 1
    return ((bucket % STEPS + STEPS) + 0.5) * (1 << shift)


def quantile_us(before: Reading, after: Reading, part: float) -> float:
    """Of what was answered between the two."""
    counts = [b - a for a, b in zip(before.buckets, after.buckets, strict=True)]
    wanted = part * sum(counts)
    seen = 0
    for bucket, count in enumerate(counts):
        seen += count
        if seen >= wanted and count:
            return bucket_us(bucket)
    raise Missing("nothing was answered")


class Load:
    """On one server; it counts on."""

    def __init__(self, server: Running, counts: mmap.mmap, process: subprocess.Popen[bytes]):
        self.server = server
        self.counts = counts
        self.process = process
        self.clock = (~server.pid << 3) | 2  # clock_getcpuclockid(3)

    def read(self, latencies: bool = False) -> Reading:
        (answers,) = struct.unpack_from("Q", self.counts, 0)
        cpu_ns = time.clock_gettime_ns(self.clock)
        buckets = struct.unpack_from(f"{BUCKETS}Q", self.counts, 8) if latencies else ()
        return Reading(answers, cpu_ns, buckets)

    def wait(self, before: Reading, seconds: float) -> Reading:
        """Until so many seconds have passed, and there was an answer: a busy machine is late."""
        end = time.monotonic() + START_S
        time.sleep(seconds)
        while True:
            after = self.read(latencies=bool(before.buckets))
            if self.process.poll() is not None:
                said = self.process.stderr.read().decode().strip() if self.process.stderr else ""
                raise Missing(f"{self.server.server.name}: {said or 'the load has ended'}")
            if after.answers != before.answers:
                return after
            if time.monotonic() > end:
                raise Missing(f"{self.server.server.name} answers nothing any more")
            time.sleep(seconds)


@contextlib.contextmanager
def loaded(
    server: Running, build: Path, directory: Path, rate: float = 0, warm_s: float = WARM_S
) -> Iterator[Load]:
    path = directory / "counts"
    path.unlink(missing_ok=True)
    arguments = [
        str(path),
        str(server.port),
        str(server.server.connections),
        str(server.server.depth),
        str(rate),
        str(server.answer_bytes),
    ]
    process = subprocess.Popen(
        [build / "bench" / "load", *arguments], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdin
        process.stdin.write(server.server.request)
        process.stdin.close()
        end = time.monotonic() + START_S
        while not path.exists() or path.stat().st_size < COUNTS_BYTES:
            if process.poll() is not None or time.monotonic() > end:
                raise Missing(f"{server.server.name}: the load does not start")
            time.sleep(0.01)
        with path.open("r+b") as file, mmap.mmap(file.fileno(), COUNTS_BYTES) as counts:
            load = Load(server, counts, process)
            load.wait(load.read(), warm_s)
            yield load
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()
