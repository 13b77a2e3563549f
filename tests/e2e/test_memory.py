# SPDX-License-Identifier: Apache-2.0
"""The collector's memory: it gives up what it can read again, and names what it named before."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from harness import (
    COMMAND,
    PYTHON,
    blocks,
    clean_environment,
    functions,
    read_events,
    started,
    wait_until,
)

LIMIT_MIB = 256
FILES = 8
FILE_MIB = 60

# Its debug information is small, and large when it is unpacked.
NAP = f"""
#include <unistd.h>
__asm__(".pushsection .debug_ranges,\\"\\",@progbits\\n.zero {FILE_MIB << 20}\\n.popsection");
int nap_here(void) {{ return usleep(100) + 1; }}
"""

# Calls the one of a library for each line, and says that it is reported.
CALLS = """
import asyncio, ctypes, sys
async def main():
    await asyncio.sleep(0)
    for line in sys.stdin:
        ctypes.CDLL(line.strip()).nap_here()
        ctypes.CDLL(None).loophound_flush()
        print("told", flush=True)
        await asyncio.sleep(0)
asyncio.run(main())
"""


def own_mib(pid: int) -> int:
    found = re.search(r"^RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
    assert found
    return int(found[1]) // 1024


def make_libraries(directory: Path) -> list[Path]:
    libraries = [directory / f"nap{i}.so" for i in range(FILES)]
    command = ["gcc", "-g", "-gz=zlib", "-fPIC", "-shared", "-x", "c", "-", "-o"]
    subprocess.run([*command, str(libraries[0])], input=NAP, text=True, check=True)
    for library in libraries[1:]:
        shutil.copy(libraries[0], library)
    return libraries


def test_debug_information_is_given_up_over_the_limit_and_read_again(
    hits: Path, tmp_path: Path
) -> None:
    libraries = make_libraries(tmp_path)
    command = [
        str(COMMAND),
        "run",
        "--strict",
        "--places",
        "each",
        "-t",
        "3600s",
        "--rate",
        "off",
        "-o",
        str(hits),
    ]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    environment = clean_environment(CALLS="sleep")
    with started([*command, "--", PYTHON, "-c", CALLS], environment, **pipes) as process:
        assert process.stdin and process.stdout
        for library in [*libraries, libraries[0]]:
            process.stdin.write(f"{library}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "told\n"
        wait_until("less memory", lambda: own_mib(process.pid) < LIMIT_MIB)
        process.communicate(timeout=60)
    told = blocks(read_events(hits))
    assert len(told) == FILES + 1
    assert all("nap_here" in functions(block) for block in told)
    assert told[0]["stack"] == told[-1]["stack"]
