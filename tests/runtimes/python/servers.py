# SPDX-License-Identifier: Apache-2.0
"""One page, "pong", in the words of each of the frameworks that test_clean_servers.py starts.

What has a server of its own is started by name, `servers.py NAME SOCKET`; the others import `asgi`,
`wsgi` or what make_NAME() returns.

When the interpreter ends it tidies up for TIDY_UP_S of the environment: no loop runs any more.
"""

import asyncio
import atexit
import os
import sys
import time

atexit.register(time.sleep, float(os.environ["TIDY_UP_S"]))


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            asked = (await receive())["type"]
            await send({"type": f"{asked}.complete"})
            if asked == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"pong"})


def wsgi(_, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"pong"]


def make_django():
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.http import HttpResponse
    from django.urls import path

    def ping(_):
        return HttpResponse("pong")  # not async: run in a thread

    settings.configure(ROOT_URLCONF=(path("", ping),), ALLOWED_HOSTS=["*"], SECRET_KEY="none")
    return get_asgi_application()


def make_quart():
    from quart import Quart

    app = Quart(__name__)

    @app.get("/")
    async def ping():
        return "pong"

    return app


def make_sanic():
    from sanic import Sanic, text

    app = Sanic("pong", configure_logging=False)

    @app.get("/")
    async def ping(_):
        return text("pong")

    return app


def run_aiohttp(socket_path):
    from aiohttp import web

    async def ping(_):
        return web.Response(text="pong")

    app = web.Application()
    app.router.add_get("/", ping)
    web.run_app(app, path=socket_path)


def run_tornado(socket_path):
    from tornado import httpserver, netutil, web

    class Ping(web.RequestHandler):
        def get(self):
            self.write("pong")

    async def serve():
        server = httpserver.HTTPServer(web.Application([("/", Ping)]))
        server.add_socket(netutil.bind_unix_socket(socket_path))
        await asyncio.Event().wait()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        print("ended")


def run_twisted(socket_path):
    from twisted.internet import reactor
    from twisted.web import resource, server

    class Ping(resource.Resource):
        isLeaf = True

        def render_GET(self, _):
            return b"pong"

    reactor.listenUNIX(socket_path, server.Site(Ping()))
    reactor.run()


def run_gevent(socket_path):
    import signal

    import gevent
    from gevent import monkey, pywsgi, socket

    monkey.patch_all()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(socket_path)
    listener.listen()
    server = pywsgi.WSGIServer(listener, wsgi)
    gevent.signal_handler(signal.SIGTERM, server.stop)
    server.serve_forever()


if __name__ == "__main__":
    globals()[f"run_{sys.argv[1]}"](sys.argv[2])
