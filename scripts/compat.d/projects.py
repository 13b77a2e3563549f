# SPDX-License-Identifier: Apache-2.0
"""asyncio projects of PyPI whose own tests are run under strict mode: where they come from, how
they are run. Their versions stand in strict-requirements.txt."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from suite import Results, run_logged, with_end, worst
from suite_cpython import result_of

REQUIREMENTS = Path(__file__).with_name("strict-requirements.txt")
TIMEOUT_S = 900
PATIENCE_S = 30
# Of a source package, beside its tests: what pytest reads, and what tests look at.
BESIDE = ("pyproject.toml", "pytest.ini", "README.md", "README.rst", "examples")


@dataclass(frozen=True)
class Project:
    name: str  # on PyPI, and as a package
    tests: tuple[str, ...] = ("tests",)
    plugins: tuple[str, ...] = ()  # no others are loaded: they differ between the projects
    more: tuple[str, ...] = ()
    where: str = "tests"  # its tests, in the source package
    needs_redis: bool = False
    is_long: bool = False  # minutes: it begins first


PROJECTS = (
    Project("starlette", plugins=("anyio.pytest_plugin",)),
    Project("httpx", plugins=("anyio.pytest_plugin",)),
    Project("aiosqlite", more=("-o", "python_files=*.py"), where="aiosqlite/tests"),
    Project("aiofiles", plugins=("pytest_asyncio.plugin",)),
    Project(
        "anyio",
        tests=tuple(
            f"tests/{name}"
            for name in (
                *("test_contextmanagers.py", "test_debugging.py", "test_eventloop.py"),
                *("test_fileio.py", "test_from_thread.py", "test_lowlevel.py", "test_signals.py"),
                *("test_subprocesses.py", "test_synchronization.py", "test_tempfile.py"),
                *("test_to_thread.py", "streams"),
            )
        ),
        plugins=("anyio.pytest_plugin", "pytest_mock", "pytest_timeout"),
    ),
    Project(
        "aiohttp",
        tests=(
            "tests/test_client_functional.py",
            "tests/test_connector.py",
            "tests/test_web_functional.py",
            "tests/test_web_sendfile_functional.py",
        ),
        plugins=("pytest_mock", "pytest_timeout"),
        is_long=True,
    ),
    Project(
        "uvicorn",
        plugins=("anyio.pytest_plugin", "pytest_mock"),
        more=("--ignore", "tests/benchmarks"),
        is_long=True,
    ),
    Project(
        "redis",
        tests=tuple(
            f"tests/test_asyncio/test_{name}.py"
            for name in (
                *("client", "connection", "connection_pool", "encoding", "lock", "monitor"),
                *("pipeline", "pubsub", "retry", "scripting"),
            )
        ),
        plugins=("pytest_asyncio.plugin", "pytest_timeout"),
        more=("-m", "not onlycluster and not redismod and not ssl"),
        needs_redis=True,
        is_long=True,
    ),
)


class Sdists:
    """The environment with all that is tested, and the unpacked source packages."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.python = work / "venv" / "bin" / "python"
        self.version = dict(re.findall(r"^([\w.-]+)==(\S+)", REQUIREMENTS.read_text(), re.M))

    def prepare(self) -> None:
        done = self.work / "venv" / "done"
        if done.exists() and done.read_bytes() == REQUIREMENTS.read_bytes():
            return
        shutil.rmtree(self.work / "venv", ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", self.work / "venv"], check=True)
        self._pip("install", "-r", str(REQUIREMENTS))
        shutil.copy(REQUIREMENTS, done)

    def source(self, project: Project) -> Path:
        release = f"{project.name}-{self.version[project.name]}"
        place = self.work / "sdists" / release
        if not place.exists():
            wanted = f"{project.name}=={self.version[project.name]}"
            packed = place.with_name(f"{release}.tar.gz")
            self._pip(
                "download", "--no-deps", "--no-binary", project.name, "-d", packed.parent, wanted
            )
            subprocess.run(["tar", "-xzf", packed, "-C", packed.parent], check=True)
        return place

    def _pip(self, *arguments: str | Path) -> None:
        quiet = ("-q", "--disable-pip-version-check")
        subprocess.run([self.python, "-m", "pip", *quiet, *arguments], check=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def redis_server(where: Path) -> Iterator[str]:
    """Debian's, on loopback, without a file of its own: its address."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with (where / "redis.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=where, stdout=log, stderr=log)
    try:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if time.monotonic() > end or server.poll() is not None:
                    raise SystemExit(f"compat: no Redis: see {log.name}") from None
                time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


def node_of(case: ElementTree.Element) -> str:
    """A test as pytest takes it: path::Class::name."""
    file = case.get("file", "")
    module = file.removesuffix(".py").replace("/", ".")
    parts = case.get("classname", "").removeprefix(module).strip(".")
    return "::".join(part for part in (file, *parts.split("."), case.get("name", "?")) if part)


def read_report(report: Path) -> Results:
    """Nothing where there is no report, or half of one."""
    results: Results = {}
    try:
        root = ElementTree.parse(report).getroot()
    except (OSError, ElementTree.ParseError):
        return results
    for case in root.iter("testcase"):
        worst(results, node_of(case), result_of(case))
    return results


def run_tests(
    project: Project,
    sdists: Sdists,
    where: Path,
    prefix: Sequence[str] = (),
    only: str | None = None,
    more: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Results:
    """Its tests, or one of them, in a tree of their own in `where`. The package is the installed
    one. `prefix`: the command that runs them, or nothing; `more`: options of pytest."""
    tree = where / "tree"
    source = sdists.source(project)
    tree.mkdir(parents=True)
    shutil.copytree(source / project.where, tree / "tests")
    for name in BESIDE:
        if (source / name).is_dir():
            shutil.copytree(source / name, tree / name)
        elif (source / name).exists():
            shutil.copy(source / name, tree / name)

    report = where / "junit.xml"
    command = [*prefix, str(sdists.python), "-m", "pytest", "-q", "-o", "addopts=", *project.more]
    command += more
    command += ["-o", "junit_family=xunit1", f"--junit-xml={report}"]
    for plugin in project.plugins:
        command += ["-p", plugin]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LOOPHOUND_", "LD_PRELOAD"))}
    kept.update(environment or {}, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    tests = [only] if only is not None else project.tests
    if project.needs_redis:
        with redis_server(where) as url:
            command += ["--redis-url", url, *tests]
            status = run_logged(command, where / "log", kept, tree, TIMEOUT_S)
    else:
        status = run_logged([*command, *tests], where / "log", kept, tree, TIMEOUT_S)
    return with_end(read_report(report), status)
