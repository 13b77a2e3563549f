# SPDX-License-Identifier: Apache-2.0
"""Switches the library on and off in a program that runs with it: what src/preload/loop/rest.h has
for benchmarks. Off, the loop threads are none: their calls go straight on to libc, the watchdog
sleeps. Written through /proc/PID/mem, so by root or by whoever has started the program.
"""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import time
from pathlib import Path

LIMIT_S = 5.0


class SwitchError(Exception):
    """The library is not there, or does not do as it is told."""


def symbol_at(library: Path, name: str) -> int:
    """Its address in the file, as the linker has it."""
    listed = subprocess.run(["nm", library], capture_output=True, text=True, check=True).stdout
    found = re.search(rf"^([0-9a-f]+) \w {name}$", listed, re.MULTILINE)
    if found is None:
        raise SwitchError(f"{library} has no symbol {name}: is it stripped?")
    return int(found.group(1), 16)


def base_of(pid: int, library: Path) -> int:
    """Where the library begins in the program's memory."""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        if line.endswith(f" {library}"):
            return int(line.partition("-")[0], 16)
    raise SwitchError(f"process {pid} does not have {library}")


class Switch:
    """Of one process, which has a loop by now."""

    def __init__(self, pid: int, build: Path, words: Path | None = None):
        """`words`: the program switch_words, where it is not in the build."""
        library = build / "libloophound.so"
        words = words or build / "bench" / "switch_words"
        said = subprocess.run([words], capture_output=True, check=True)
        self.words: dict[str, int] = json.loads(said.stdout)
        pointer = base_of(pid, library) + symbol_at(library, "lh_process")
        self.memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
        (self.process,) = struct.unpack("Q", os.pread(self.memory, 8, pointer))
        self.slots = [slot for slot in self._all_slots() if self._word(slot + self.words["tid"])]
        if not self.slots:
            raise SwitchError(f"process {pid} has no loop thread")

    def _word(self, at: int) -> int:
        return int(struct.unpack("I", os.pread(self.memory, 4, at))[0])

    def _all_slots(self) -> list[int]:
        first = self.process + self.words["slots"]
        used = self._word(self.process + self.words["slots_used"]) if self.process else 0
        return [first + number * self.words["slot_size"] for number in range(used)]

    def turn(self, on: bool) -> None:
        """From the next park of each loop thread on."""
        os.pwrite(self.memory, struct.pack("I", not on), self.process + self.words["rests"])
        if not on:
            for slot in self.slots:
                os.pwrite(self.memory, struct.pack("i", -1), slot + self.words["epfd"])

    def is_on(self) -> bool:
        """Has a loop thread its epoll set?"""
        return any(self._word(slot + self.words["epfd"]) != 0xFFFFFFFF for slot in self.slots)

    def check(self) -> None:
        """Turns it off and on again while the program is under load: does its loop follow?"""
        for on in (False, True):
            self.turn(on)
            end = time.monotonic() + LIMIT_S
            while self.is_on() != on:
                if time.monotonic() > end:
                    raise SwitchError(f"the loop cannot be switched {'on' if on else 'off'}")
                time.sleep(0.001)

    def close(self) -> None:
        os.close(self.memory)
