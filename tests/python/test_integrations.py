# SPDX-License-Identifier: Apache-2.0
"""The plugin beside those that run loops: a block in the application fails the test, and nothing
that they do themselves does."""

from __future__ import annotations

import pytest
from harness import of_type, read_events, run_command
from project import Project

APPLICATION = """
import time

async def blocks():
    time.sleep(0.01)

def waits():
    time.sleep(0.01)
"""

CASES = {
    "pytest-asyncio": """
import pytest, pytest_asyncio, application, asyncio

@pytest_asyncio.fixture
async def resource():
    await asyncio.sleep(0)
    yield 1
    await asyncio.sleep(0)

@pytest.mark.asyncio
async def test_blocks(resource): await application.blocks()

@pytest.mark.asyncio
async def test_fine(resource): await asyncio.sleep(0.001)
""",
    "anyio-asyncio": """
import pytest, application, anyio

@pytest.fixture
def anyio_backend(): return "asyncio"

@pytest.mark.anyio
async def test_blocks(): await application.blocks()

@pytest.mark.anyio
async def test_fine():
    application.time.sleep(0.001)  # the test itself, called by anyio
    await anyio.sleep(0.001)
""",
    "anyio-trio": """
import pytest, application, anyio

@pytest.fixture
def anyio_backend(): return "trio"

@pytest.mark.anyio
async def test_blocks(): await application.blocks()

@pytest.mark.anyio
async def test_fine():
    application.time.sleep(0.001)  # the test itself, called by anyio
    await anyio.sleep(0.001)
""",
    "trio": """
import trio, application

def test_blocks(): trio.run(application.blocks)

def test_fine(): trio.run(trio.sleep, 0.001)
""",
    "pytest-aiohttp": """
import pytest, pytest_asyncio, application
from aiohttp import web

async def handler(request):
    if request.query: await application.blocks()
    return web.Response(text="x")

@pytest_asyncio.fixture
async def client(aiohttp_client):
    app = web.Application()
    app.router.add_get("/", handler)
    return await aiohttp_client(app)

@pytest.mark.asyncio
async def test_blocks(client): assert (await client.get("/?x=1")).status == 200

@pytest.mark.asyncio
async def test_fine(client): assert (await client.get("/")).status == 200
""",
    "uvloop": """
import asyncio, uvloop, application

def run(coroutine):
    loop = uvloop.new_event_loop()
    try: loop.run_until_complete(coroutine)
    finally: loop.close()

async def later():  # without asyncio.run() it is known when it has waited: docs/pytest.md
    await asyncio.sleep(0.001)
    await application.blocks()

def test_blocks(): run(later())

def test_fine(): run(asyncio.sleep(0.001))
""",
    "uvloop-first": """
import asyncio, uvloop, application

# libuv runs what is ready before it waits for the first time.
def test_blocks(): uvloop.run(application.blocks())

def test_fine():
    loop = uvloop.new_event_loop()
    application.waits()  # in no loop
    loop.run_until_complete(asyncio.sleep(0.001))
    loop.close()
""",
    "fastapi": """
from fastapi import FastAPI
from fastapi.testclient import TestClient
import application

app = FastAPI()

@app.get("/blocks")
async def blocks():
    await application.blocks()
    return {}

@app.get("/fine")
async def fine(): return {}

@app.get("/thread")
def in_thread():
    import time
    time.sleep(0.01)
    return {}

def test_blocks(): assert TestClient(app).get("/blocks").status_code == 200

def test_fine():
    assert TestClient(app).get("/fine").status_code == 200
    assert TestClient(app).get("/thread").status_code == 200
""",
    "starlette-with-lifespan": """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
import application

async def blocks(request):
    await application.blocks()
    return PlainTextResponse("x")

async def fine(request): return PlainTextResponse("x")

app = Starlette(routes=[Route("/blocks", blocks), Route("/fine", fine)])

def test_blocks():
    with TestClient(app) as client: assert client.get("/blocks").status_code == 200

def test_fine():
    with TestClient(app) as client: assert client.get("/fine").status_code == 200
""",
    "httpx": """
import asyncio, httpx, application
from fastapi import FastAPI

app = FastAPI()

@app.get("/")
async def root(block: bool = False):
    if block: await application.blocks()
    return {}

async def get(path):
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get(path)).status_code == 200

def test_blocks(): asyncio.run(get("/?block=1"))

def test_fine(): asyncio.run(get("/"))
""",
    "unittest": """
import asyncio, unittest, application

class TestIt(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self): await asyncio.sleep(0)
    async def test_blocks(self): await application.blocks()
    async def test_fine(self): await asyncio.sleep(0.001)
""",
}


@pytest.mark.parametrize("case", list(CASES))
def test_block_in_the_application_fails_its_test_and_no_other(project: Project, case: str) -> None:
    project.write(application=APPLICATION, test_it=CASES[case])
    done = project.pytest("--loophound")
    outcomes = {name.partition("[")[0]: outcome for name, outcome in done.outcomes.items()}
    assert outcomes == {"test_blocks": "failure", "test_fine": "passed"}, done.output
    assert "application.py:5: blocks" in done.output


# The process ends when somebody waits for it: one that has ended before is not waited for.
TRIO_PROCESS = """
import subprocess
import trio, trio.testing
async def main():
    process = await trio.lowlevel.open_process(["cat"], stdin=subprocess.PIPE)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(process.wait)
        await trio.testing.wait_all_tasks_blocked()
        await process.stdin.aclose()
trio.run(main)
"""


def test_process_that_trio_reaps_is_its_loops_own(project: Project) -> None:
    project.write(program=TRIO_PROCESS)
    hits = project.directory / "hits.jsonl"
    environment = project.environment(LOOPHOUND_FOLLOW="*python*")
    program = (project.python.program, project.directory / "program.py")
    done = run_command("run", "--strict", "-o", hits, "--", *program, extra=environment)
    assert done.returncode == 0, done.stderr
    (summary,) = of_type(read_events(hits), "summary")
    assert summary["quiet"].get("loop-own", 0) == 1, summary["quiet"]


def test_endpoint_in_the_tests_own_file_is_an_application(project: Project) -> None:
    test = CASES["fastapi"].replace("await application.blocks()", "import time; time.sleep(0.01)")
    project.write(application=APPLICATION, test_it=test)
    done = project.pytest("--loophound")
    assert done.outcomes == {"test_blocks": "failure", "test_fine": "passed"}, done.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("-n", "2"),
        ("-n", "2", "--dist=loadfile"),
        ("--cov=application", "--cov-report=term"),
        ("-n", "2", "--cov=application", "--cov-report=term"),
        ("randomly",),
        ("-s",),
        ("--capture=sys",),
    ],
    ids=" ".join,
)
def test_with_other_plugins_and_options_the_same_tests_fail(
    project: Project, arguments: tuple[str, ...]
) -> None:
    project.write(application=APPLICATION, test_it=CASES["pytest-asyncio"])
    project.write(test_other=CASES["fastapi"].replace("def test_", "def test_api_"))
    done = project.pytest("--loophound", *arguments)
    assert done.outcomes == {
        "test_blocks": "failure",
        "test_fine": "passed",
        "test_api_blocks": "failure",
        "test_api_fine": "passed",
    }, done.output
    if "--cov=application" in arguments:
        assert "application.py" in done.output and "100%" in done.output
