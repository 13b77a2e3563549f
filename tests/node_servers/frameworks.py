# SPDX-License-Identifier: Apache-2.0
"""The servers that build.py has built: how each is started and loaded, for tests and benchmarks."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from harness import BUILD, clean_environment, wait_until
from node_versions import versions

ANSWER_S = 120  # of a machine that does other things meanwhile
OLDEST = 20  # that these frameworks run on
OPTIONS = ["-p", "{port}", "-H", "127.0.0.1"]


@dataclass(frozen=True)
class Server:
    """A server in TypeScript, and where in its project the lines are that it is about."""

    name: str
    command: tuple[str, ...]
    slow: str
    handler: str

    @property
    def project(self) -> Path:
        return BUILD / "node-servers" / self.name


SERVERS = (
    Server("express", ("dist/server.js",), "src/slow.ts", "src/server.ts"),
    Server("fastify", ("dist/server.js",), "src/slow.ts", "src/server.ts"),
    Server("nest", ("dist/server.js",), "src/slow.ts", "src/app.ts"),
    Server(
        "next",
        ("node_modules/next/dist/bin/next", "start", *OPTIONS),
        "app/slow.ts",
        "app/slow/[way]/route.ts",
    ),
)


def nodes() -> list[Path]:
    """The versions that the servers are run on; `make test-node-servers` has got them."""
    supported = [version for version in versions() if int(version.split(".")[0]) >= OLDEST]
    return [BUILD / "nodes" / version / "node" for version in supported]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(port: int, path: str) -> str:
    url = f"http://127.0.0.1:{port}/{path}"
    with urllib.request.urlopen(url, timeout=ANSWER_S) as answer:
        return str(answer.read().decode())


@dataclass(frozen=True)
class Load:
    """What wrk has measured."""

    requests: int
    requests_per_s: float
    p99_ms: float


def wrk(port: int, path: str, connections: int, seconds: float) -> list[str]:
    url = f"http://127.0.0.1:{port}/{path}"
    options = [f"-c{connections}", f"-d{seconds:.0f}s", f"--timeout={ANSWER_S}s", "--latency"]
    return ["wrk", "-t1", *options, url]


def load(port: int, path: str, connections: int, seconds: float) -> Load:
    """Fails where a request does."""
    command = wrk(port, path, connections, seconds)
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert "Socket errors" not in said and "Non-2xx" not in said, said
    requests = re.search(r"(\d+) requests in", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert requests and rate and p99, said
    unit_ms = {"us": 1e-3, "ms": 1.0, "s": 1e3}[p99[2]]
    return Load(int(requests[1]), float(rate[1]), float(p99[1]) * unit_ms)


@contextmanager
def serving(
    server: Server,
    node: Path,
    port: int,
    before: Sequence[str | Path] = (),
    quiet: bool = False,
    **variables: str,
) -> Iterator[subprocess.Popen[bytes]]:
    """The server, with a command before its own, from its first answer on until it has ended."""
    command = [argument.format(port=port) for argument in server.command]
    process = subprocess.Popen(
        [*map(str, before), str(node), *command],
        cwd=server.project,
        env=dict(clean_environment(), PORT=str(port), **variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if quiet else None,
        start_new_session=True,
    )
    try:
        wait_until(f"{server.name} to answer", lambda: answers(process, port), ANSWER_S)
        yield process
        process.terminate()
        process.wait(ANSWER_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.wait()


def answers(process: subprocess.Popen[bytes], port: int) -> bool:
    assert process.poll() is None, f"ended with status {process.returncode}"
    try:
        return get(port, "clean") != ""
    except OSError:
        return False
