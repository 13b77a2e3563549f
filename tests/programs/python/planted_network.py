# SPDX-License-Identifier: Apache-2.0
"""Sockets, names, and waits for descriptors. See planted.py."""

import asyncio
import contextlib
import http.client
import http.server
import os
import select
import selectors
import socket
import ssl
import sys
import threading
import urllib.request

from planted_cases import fault

BRIEFLY_S = 0.01


def listener(at):
    return at.enter_context(socket.create_server(("127.0.0.1", 0)))


def visited_listener(at):
    server = listener(at)
    at.enter_context(socket.create_connection(server.getsockname()))
    return server


def pair(at):
    """Two ends, of which the first can be read at once."""
    near, far = map(at.enter_context, socket.socketpair())
    far.send(b"x")
    return near, far


def quiet_pair(at):
    return [at.enter_context(end) for end in socket.socketpair()]


@fault(listener)
def connect_socket(at):
    socket.create_connection(at.made.getsockname()).close()


@connect_socket.cleanly
async def _(at):
    _, writer = await asyncio.open_connection(*at.made.getsockname())
    writer.close()
    await writer.wait_closed()


@fault(visited_listener)
def accept_connection(at):
    at.made.accept()[0].close()


@accept_connection.cleanly
async def _(at):
    at.made.setblocking(False)
    connection, _ = await asyncio.get_running_loop().sock_accept(at.made)
    connection.close()


@fault(pair)
def receive_bytes(at):
    at.made[0].recv(1)


@receive_bytes.cleanly
async def _(at):
    at.made[0].setblocking(False)
    await asyncio.get_running_loop().sock_recv(at.made[0], 1)


@fault(pair)
def send_bytes(at):
    at.made[0].sendall(b"y")


@send_bytes.cleanly
async def _(at):
    at.made[0].setblocking(False)
    await asyncio.get_running_loop().sock_sendall(at.made[0], b"y")


@fault(pair)
def read_lines_of_socket(at):
    with at.made[0].makefile("rb") as file:
        file.read(1)


@read_lines_of_socket.cleanly
async def _(at):
    reader, writer = await asyncio.open_connection(sock=at.made[0])
    await reader.readexactly(1)
    writer.close()


def datagram(at):
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    near, far = map(at.enter_context, sockets)
    near.bind(("127.0.0.1", 0))
    far.sendto(b"x", near.getsockname())
    return near


@fault(datagram)
def receive_datagram(at):
    at.made.recvfrom(1)


@receive_datagram.cleanly
async def _(at):
    came = asyncio.get_running_loop().create_future()

    class Receiver(asyncio.DatagramProtocol):
        def datagram_received(self, data, address):
            came.set_result(data)

    at.made.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Receiver, sock=at.made)
    await came
    transport.close()


@fault(lambda at: (at.enter_context(at.file.open("rb")), *pair(at)))
def send_file(at):
    file, near, _ = at.made
    os.sendfile(near.fileno(), file.fileno(), 0, 4)


@send_file.cleanly
async def _(at):
    file, near, _ = at.made
    await asyncio.to_thread(os.sendfile, near.fileno(), file.fileno(), 0, 4)


def context(side):
    """Without certificates: both ends are ours."""
    made = ssl.SSLContext(side)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers("aNULL:@SECLEVEL=0")
    return made


def tls_server(at):
    server = listener(at)

    def serve():
        connection, _ = server.accept()
        with context(ssl.PROTOCOL_TLS_SERVER).wrap_socket(connection, server_side=True) as tls:
            tls.send(b"x")
            tls.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    at.callback(thread.join)
    at.client = socket.create_connection(server.getsockname())
    at.enter_context(at.client)
    return context(ssl.PROTOCOL_TLS_CLIENT)


@fault(tls_server)
def shake_hands(at):
    with at.made.wrap_socket(at.client) as tls:
        tls.recv(1)
        tls.send(b"y")


@shake_hands.cleanly
async def _(at):
    reader, writer = await asyncio.open_connection(
        sock=at.client, ssl=at.made, server_hostname="localhost"
    )
    await reader.readexactly(1)
    writer.write(b"y")
    await writer.drain()
    writer.close()
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        await writer.wait_closed()


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

    def log_message(self, *what):
        pass


def web_server(at):
    server = at.enter_context(http.server.HTTPServer(("127.0.0.1", 0), Page))
    thread = threading.Thread(target=server.serve_forever, args=(BRIEFLY_S,))
    thread.start()
    at.callback(thread.join)
    at.callback(server.shutdown)
    return server.server_address


async def get_page(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    await reader.read()
    writer.close()
    await writer.wait_closed()


@fault(web_server)
def ask_server(at):
    connection = http.client.HTTPConnection(*at.made)
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()


@ask_server.cleanly
async def _(at):
    await get_page(at.made)


def opener_of(at):
    """Has no proxies, whatever the environment says."""
    host, port = web_server(at)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener, f"http://{host}:{port}/", (host, port)


@fault(opener_of)
def open_url(at):
    opener, url, _ = at.made
    with opener.open(url) as answer:
        answer.read()


@open_url.cleanly
async def _(at):
    opener, url, _ = at.made
    with await asyncio.to_thread(opener.open, url) as answer:
        await asyncio.to_thread(answer.read)


@fault()
def look_name_up(at):
    socket.getaddrinfo("localhost", 80)


@look_name_up.cleanly
async def _(at):
    await asyncio.get_running_loop().getaddrinfo("localhost", 80)


@fault()
def look_host_up(at):
    socket.gethostbyname("localhost")


@look_host_up.cleanly
async def _(at):
    await asyncio.to_thread(socket.gethostbyname, "localhost")


async def readable(descriptor):
    came = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_reader(descriptor, came.set_result, None)
    await came
    asyncio.get_running_loop().remove_reader(descriptor)


@fault(quiet_pair)
def select_descriptors(at):
    select.select([at.made[0]], [], [], BRIEFLY_S)


@select_descriptors.cleanly
async def _(at):
    at.made[1].setblocking(False)
    asyncio.get_running_loop().call_later(BRIEFLY_S, at.made[1].send, b"x")
    await readable(at.made[0])


@fault(quiet_pair)
def poll_descriptors(at):
    poll = select.poll()
    poll.register(at.made[0], select.POLLIN)
    poll.poll(BRIEFLY_S * 1000)


@poll_descriptors.cleanly
async def _(at):
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(readable(at.made[0]), BRIEFLY_S)
    asyncio.get_running_loop().remove_reader(at.made[0])


def other_set(at):
    selector = at.enter_context(selectors.EpollSelector())
    near, far = quiet_pair(at)
    selector.register(near, selectors.EVENT_READ)
    return selector, far


@fault(other_set)
def wait_on_other_set(at):
    at.made[0].select(BRIEFLY_S)


@wait_on_other_set.cleanly
async def _(at):
    """A set can itself be waited for."""
    selector, far = at.made
    far.setblocking(False)
    asyncio.get_running_loop().call_later(BRIEFLY_S, far.send, b"x")
    await readable(selector.fileno())


@fault()
def read_input(at):
    sys.stdin.readline()


@read_input.cleanly
async def _(at):
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(0))
    )
    await reader.readline()
