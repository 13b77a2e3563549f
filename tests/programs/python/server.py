# SPDX-License-Identifier: Apache-2.0
"""A small ASGI application, for uvicorn."""

import asyncio


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await asyncio.sleep(0.01)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello\n" * 1000})
