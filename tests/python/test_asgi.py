# SPDX-License-Identifier: Apache-2.0
"""loophound.asgi.Middleware: reports say which request was running."""

from __future__ import annotations

import json

from project import Project

APPLICATION = """
import asyncio, json, sys, time
import httpx
from fastapi import FastAPI
import loophound
from loophound.asgi import Middleware

app = FastAPI()
app.add_middleware(Middleware)

def nap(): time.sleep(0.01)
def nap_outside(): time.sleep(0.01)

@app.get("/items/{item}")
async def item(item: str):
    for _ in range(3):
        await asyncio.sleep(0)
    if item == "7": nap()
    return {}

async def get(client, path, **headers):
    assert (await client.get(path, headers=headers)).status_code == 200

async def main():
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        await get(client, "/items/1")  # what is done once, as imports
        with loophound.detect(action="none", allow=["!in:program.py:nap*", "call:*"]) as report:
            one = get(client, "/items/7", **{"x-request-id": "abc", "traceparent": "00-1-2-03"})
            others = [get(client, f"/items/{n}", **{"x-request-id": str(n)}) for n in (1, 2, 3)]
            await asyncio.gather(others[0], one, *others[1:])
            nap_outside()
    for event in report.events: print(json.dumps(event.labels))
asyncio.run(main())
"""


def test_reports_have_the_request_that_ran_among_many(project: Project) -> None:
    in_request, outside = map(json.loads, project.preloaded(APPLICATION).splitlines())
    assert in_request == {
        "request": "GET /items/{item}",
        "x-request-id": "abc",
        "traceparent": "00-1-2-03",
    }
    assert outside == {}


BARE = """
import asyncio, json
from loophound.asgi import Middleware

seen = []
async def app(scope, receive, send):
    seen.append([type(scope).__name__, await receive()])
    await send("sent")
    if scope["path"] == "/error": raise KeyError("its own")

async def receive(): await asyncio.sleep(0); return "received"
async def send(message): seen.append(message)

async def main():
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    await Middleware(app)(scope, receive, send)
    try: await Middleware(app)({**scope, "path": "/error"}, receive, send)
    except KeyError: seen.append("KeyError")
    task = asyncio.ensure_future(Middleware(lambda *_: asyncio.sleep(10))(scope, receive, send))
    await asyncio.sleep(0)
    task.cancel()
    try: await task
    except asyncio.CancelledError: seen.append("cancelled")
asyncio.run(main())
print(json.dumps(seen))
"""


def test_application_is_called_as_ever_with_the_library_and_without(project: Project) -> None:
    (project.directory / "bare.py").write_text(BARE)
    bare = json.loads(project.run("bare.py").stdout)
    end = ["sent", "KeyError", "cancelled"]
    assert bare == [["dict", "received"], "sent", ["dict", "received"], *end]
    loaded = json.loads(project.preloaded(BARE))
    assert loaded == [["_Scope", "received"], "sent", ["_Scope", "received"], *end]
