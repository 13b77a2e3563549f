#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the library's objects may need of libc, by room: no malloc, no stdio, no locks.

Reads the undefined symbols of each object below BUILD/pic (nm -u). Functions that only look at the
memory they are given are free to all. All else stands below, with the room or the file that may use
it and the reason why that does no harm inside somebody else's process.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# No state, no locks, no errno, no locale (strcasecmp is asked for ASCII alone), nothing
# thread-local.
PURE = re.compile(
    r"^(mem(chr|cmp|cpy|move|set|rchr)"
    r"|str(len|nlen|chr|chrnul|rchr|cmp|ncmp|casecmp|str|spn|cspn|pbrk)"
    r"|__(mem(cpy|move|set)|str(cpy|ncpy))_chk|__u?(div|mod)ti3|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$"
)
OURS = re.compile(r"^(lh_|loophound_)")

LINKER = "the dynamic linker's lock: in our set-up, and where a library has come since"
SET_UP = "in our set-up alone, before anything is watched"

# Room, or file without its ending, below src/: what it may need beside the above, and why.
ALLOWED: dict[str, tuple[str, set[str]]] = {
    "common/output_name": ("of raw lines; sets no errno with a good buffer", {"uname"}),
    "preload/sys/libc": (
        "errno of a function that is missing",
        {"gnu_get_libc_version", "__errno_location"},
    ),
    "preload/sys/symbols": (
        f"{LINKER}; what the kernel said at the start",
        {"dl_iterate_phdr", "getauxval"},
    ),
    "preload/python/library": (LINKER, {"dlopen"}),
    "preload/sys/threads": ("a thread's own number, from a register", {"pthread_self"}),
    "preload/python/threads": ("a thread's own number, from a register", {"pthread_self"}),
    "preload/strict/rules": (
        "looks at its arguments only, as the call itself will",
        {"inet_aton", "inet_pton"},
    ),
    "preload/iteration": ("the program's errno is kept", {"__errno_location"}),
    "preload/loop": ("the program's errno is kept", {"__errno_location"}),
    "preload/loop/origin": (LINKER, {"dl_iterate_phdr"}),
    "preload/state/pollers": (LINKER, {"dl_iterate_phdr"}),
    "preload/process/image": (
        SET_UP,
        {"access", "getcwd", "__getcwd_chk", "getenv", "getpid", "madvise", "mmap", "readlink"}
        | {"__readlink_chk", "setenv"},
    ),
    "preload/wrap": ("the program's errno is kept", {"__errno_location"}),
    "preload/wrap/dlopen": (LINKER, {"dl_iterate_phdr"}),
    "preload/wrap/wrap_exec": (
        "the forms without a list, which are wrapped too",
        {"execv", "execve", "execvp"},
    ),
    "preload/wrap/wrappers": (
        "the program's own lock or stream, tried for the call it has made",
        {"ftrylockfile", "pthread_self", "stdin", "stdout"},
    ),
}


def rows_of(source: str) -> list[str]:
    """The rows that hold for a file: its own and those of the rooms it lies in."""
    parts = source.split("/")
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def needed_by(obj: Path) -> list[str]:
    out = subprocess.run(["nm", "-u", obj], check=True, capture_output=True, text=True).stdout
    return [line.split()[-1].partition("@")[0] for line in out.splitlines() if line.strip()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    build = parser.parse_args().build
    objects = sorted((build / "pic" / "src").rglob("*.o"))
    if not objects:
        print(f"{build}/pic/src: no objects; build the library first")
        return 1
    unused = {(at, one) for at, (_, symbols) in ALLOWED.items() for one in symbols if one[0] != "_"}
    problems = 0
    for obj in objects:
        source = str(obj.relative_to(build / "pic" / "src").with_suffix(""))
        if not (ROOT / "src" / f"{source}.c").is_file():
            continue  # of a file that has gone
        for symbol in needed_by(obj):
            rows = [at for at in rows_of(source) if at in ALLOWED and symbol in ALLOWED[at][1]]
            unused -= {(at, symbol) for at in rows}
            if not (rows or PURE.match(symbol) or OURS.match(symbol)):
                print(f"src/{source}.c needs {symbol}, which is not allowed inside the program")
                problems += 1
    for at, symbol in sorted(unused):
        print(f"scripts/check_symbols.py: {at} no longer needs {symbol}: take it out")
        problems += 1
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
