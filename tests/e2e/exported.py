# SPDX-License-Identifier: Apache-2.0
"""What `loophound export` has written, taken apart: the milliseconds of each format.

Nothing of what reads these formats elsewhere is needed here; tests/export asks that.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness import COMMAND, clean_environment

Json = dict[str, Any]


def export(name: str, *arguments: str | Path, said: str = "") -> bytes:
    """What a format has on standard output; `said`: what stands on standard error."""
    done = subprocess.run(
        [COMMAND, "export", "-f", name, *arguments],
        env=clean_environment(),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert (done.returncode, done.stderr.decode()) == (0, said)
    return done.stdout


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Protobuf's wire format: numbers, and bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            yield key >> 3, data[at : at + value]
            at += value
        else:
            assert key & 7 == 0
            yield key >> 3, value


def numbers(data: bytes) -> list[int]:
    found = []
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        found.append(value)
    return found


def pprof_samples(data: bytes) -> list[tuple[list[str], list[int], dict[str, str]]]:
    """The functions of each sample, innermost first, its values and its labels."""
    profile = list(fields(gzip.decompress(data)))
    strings = [value.decode() for number, value in profile if number == 6]
    functions = {dict(fields(v))[1]: strings[dict(fields(v))[2]] for n, v in profile if n == 5}
    locations = {}
    for number, value in profile:
        if number == 4:
            location = dict(fields(value))
            locations[location[1]] = functions[dict(fields(location[4]))[1]]
    samples = []
    for number, value in profile:
        if number != 2:
            continue
        parts = list(fields(value))
        labels = [dict(fields(v)) for n, v in parts if n == 3]
        samples.append(
            (
                [locations[i] for n, v in parts if n == 1 for i in numbers(v)],
                [i for n, v in parts if n == 2 for i in numbers(v)],
                {strings[label[1]]: strings[label[2]] for label in labels},
            )
        )
    return samples


def folded_lines(data: bytes) -> list[tuple[list[str], int]]:
    """Frames from the thread on, and microseconds."""
    lines = [line.rpartition(" ") for line in data.decode().splitlines()]
    return [(stack.split(";"), int(weight)) for stack, _, weight in lines]


def slices(data: bytes) -> list[Json]:
    return [event for event in json.loads(data)["traceEvents"] if event["ph"] == "X"]


def check_nesting(events: list[Json]) -> None:
    """Slices of a thread are inside or beside one another, in the order of the file."""
    for thread in {(event["pid"], event["tid"]) for event in events}:
        around: list[float] = []
        last = 0.0
        for event in (one for one in events if (one["pid"], one["tid"]) == thread):
            begin, end = event["ts"], event["ts"] + event["dur"]
            assert begin >= last
            while around and around[-1] <= begin + 1e-6:
                around.pop()
            assert not around or end <= around[-1] + 1e-6, event
            around.append(end)
            last = begin


def firefox_ms(data: bytes) -> float:
    profile = json.loads(data)
    total = 0.0
    for thread in profile["threads"]:
        samples = thread["samples"]
        assert samples["weightType"] == "tracing-ms"
        assert len(samples["stack"]) == len(samples["time"]) == samples["length"]
        assert all(stack < thread["stackTable"]["length"] for stack in samples["stack"])
        assert samples["time"] == sorted(samples["time"])
        total += sum(samples["weight"])
    return total


def speedscope_ms(data: bytes) -> float:
    profile = json.loads(data)
    count = len(profile["shared"]["frames"])
    for one in profile["profiles"]:
        assert all(0 <= frame < count for sample in one["samples"] for frame in sample)
        assert abs(one["endValue"] - sum(one["weights"])) < 1e-3
    return sum(one["endValue"] for one in profile["profiles"])


def perfetto_ms(data: bytes) -> float:
    events = slices(data)
    check_nesting(events)
    return sum(event["args"]["ms"] for event in events)


def sarif_ms(data: bytes) -> float:
    (run,) = json.loads(data)["runs"]
    results = [one for one in run["results"] if "suppressions" not in one]
    for one in results:
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
    return sum(one["properties"]["total_ms"] for one in results)


def junit_ms(data: bytes) -> float:
    cases = list(ElementTree.fromstring(data).iter("testcase"))
    return sum(float(case.attrib["time"]) for case in cases) * 1000


def github_ms(data: bytes) -> float:
    found = re.findall(r"([\d.]+) ms in all|for ([\d.]+) ms", data.decode())
    return sum(float(total or only) for total, only in found)


def markdown_ms(data: bytes) -> float:
    return sum(float(ms) for ms in re.findall(r"^\| ([\d.]+) ms ", data.decode(), re.MULTILINE))


# By format: what it comes to, and how many ms its roundings may make for each row.
TOTALS: dict[str, tuple[Callable[[bytes], float], float]] = {
    "firefox": (firefox_ms, 0),
    "speedscope": (speedscope_ms, 0),
    "perfetto": (perfetto_ms, 0),
    "pprof": (lambda data: sum(values[1] for _, values, _ in pprof_samples(data)) / 1e6, 0),
    "folded": (lambda data: sum(weight for _, weight in folded_lines(data)) / 1000, 0),
    "sarif": (sarif_ms, 0),
    "junit": (junit_ms, 0),
    "github": (github_ms, 0.06),
    "markdown": (markdown_ms, 0.06),
}


def total_ms(name: str, data: bytes, rows: int = 20) -> tuple[float, float]:
    """What the format comes to, and how near that is."""
    measure, rounding = TOTALS[name]
    return measure(data), rounding * rows + 0.002
