#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What loophound.asgi.Middleware adds to a request: the least of many turns, on each Python that
has an environment of tests/python/venvs.py, with the library and without.

A request of one step with five headers, two of them labels. Fails above 5 us.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from figures import ROWS, tell

ROOT = Path(__file__).resolve().parents[2]
MOST_US = ROWS["asgi_request"].target or 0.0
PROGRAM = """
import asyncio, json, time
from loophound.asgi import Middleware

HEADERS = [(b"host", b"shop"), (b"user-agent", b"x"), (b"accept", b"*/*"),
           (b"x-request-id", b"0123456789abcdef"),
           (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
SCOPE = {"type": "http", "method": "GET", "path": "/items/42", "headers": HEADERS}
REQUESTS, TURNS = 5000, 40

async def application(scope, receive, send): return None

async def least(app):
    best = float("inf")
    for _ in range(TURNS):
        start = time.thread_time()
        for _ in range(REQUESTS): await app(SCOPE, None, None)
        best = min(best, time.thread_time() - start)
    return best / REQUESTS * 1e6

async def main():
    bare = await least(application)
    print(json.dumps(await least(Middleware(application)) - bare))
asyncio.run(main())
"""


def added_us(python: Path, library: Path | None) -> float:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LOOPHOUND_")}
    environment["PYTHONPATH"] = str(ROOT / "src" / "python")
    if library is not None:
        environment["LD_PRELOAD"] = str(library)
    done = subprocess.run(
        [python, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    return float(json.loads(done.stdout))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    build = parser.parse_args().build.resolve()
    worst = 0.0
    for python in sorted(build.glob("python-venvs/*/bin/python")):
        watched = added_us(python, build / "libloophound.so")
        bare = added_us(python, None)
        worst = max(worst, watched)
        tell("asgi_request", watched, f"Python {python.parts[-3]}")
        tell("asgi_request", bare, f"Python {python.parts[-3]}, without the library")
    return 0 if worst <= MOST_US else 1


if __name__ == "__main__":
    sys.exit(main())
