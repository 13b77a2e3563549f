# SPDX-License-Identifier: Apache-2.0
"""Runs inside gdb: writes the stack of the process it is attached to, as JSON, to $GDB_STACK."""

import json
import os
from pathlib import Path

import gdb


def describe(frame: gdb.Frame) -> dict[str, object]:
    place = frame.find_sal()
    return {
        "function": frame.name(),
        "file": place.symtab.filename if place.symtab else None,
        "line": place.line if place.symtab else None,
        "inlined": frame.type() == gdb.INLINE_FRAME,
        "library": gdb.solib_name(frame.pc()),
    }


# Frames that gdb only concludes to have been there, before a tail call, are on no stack.
def write_stack(path: str) -> None:
    gdb.execute("set backtrace past-main on")
    frames = []
    frame = gdb.newest_frame()
    while frame is not None and frame.is_valid():
        if frame.type() != gdb.TAILCALL_FRAME:
            frames.append(describe(frame))
        frame = frame.older()
    Path(path).write_text(json.dumps(frames), encoding="utf-8")


write_stack(os.environ["GDB_STACK"])
