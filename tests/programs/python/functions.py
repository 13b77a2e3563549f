# SPDX-License-Identifier: Apache-2.0
"""The 58 functions that blockbuster looks at, each called in a coroutine: functions.py DIRECTORY.

One that strict mode tells is marked as the test of its name; one that cannot have waited as that
name and " silent". DIRECTORY is on a disk. A line of input is wanted. Prints the names of all.
"""

import asyncio
import ctypes
import os
import socket
import sqlite3
import ssl
import sys
import threading
import time
from pathlib import Path

from planted_network import context

DIRECTORY = Path(sys.argv[1])
MIB = b"x" * (1 << 20)
CALLS = {}
KEPT = []  # so that the other ends stay open


def told(name, call):
    CALLS[name] = call


def silent(name, call):
    CALLS[f"{name} silent"] = call


def made(name, data=b"x" * 100):
    (DIRECTORY / name).write_bytes(data)
    return str(DIRECTORY / name)


def at(name):
    return str(DIRECTORY / name)


def opened(name, mode):
    made(name)
    return open(at(name), mode)  # noqa: PTH123, SIM115


def sockets():
    near, far = socket.socketpair()
    far.sendall(b"x" * 64)
    return near, far


def tls():
    """The client's end; the server has written what it reads."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = server.accept()
        end = context(ssl.PROTOCOL_TLS_SERVER).wrap_socket(connection, server_side=True)
        end.sendall(b"hello")
        end.sendall(b"again")
        KEPT.append(end)

    thread = threading.Thread(target=serve)
    thread.start()
    client = socket.create_connection(server.getsockname())
    client = context(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(client)
    thread.join()
    return client


def names_of_files():
    file, directory, link = made("file"), at("directory"), at("link")
    Path(directory).mkdir()
    Path(link).symlink_to(file)
    for name in ("old", "gone", "unlinked", "replaced"):
        made(name)
    told("os.statvfs", lambda: os.statvfs(file))
    told("os.rename", lambda: os.rename(at("old"), at("new")))  # noqa: PTH104
    told("os.remove", lambda: os.remove(at("gone")))  # noqa: PTH107
    told("os.unlink", lambda: os.unlink(at("unlinked")))  # noqa: PTH108
    told("os.rmdir", lambda: os.rmdir(directory))  # noqa: PTH106
    told("os.mkdir", lambda: os.mkdir(at("made")))  # noqa: PTH102
    told("os.link", lambda: os.link(file, at("hard")))
    told("os.symlink", lambda: os.symlink(file, at("soft")))
    told("os.listdir", lambda: os.listdir(DIRECTORY))
    told("os.access", lambda: os.access(file, os.R_OK))
    told("os.stat", lambda: os.stat(file))  # noqa: PTH116
    told("os.replace", lambda: os.replace(at("replaced"), at("replacing")))  # noqa: PTH105
    told("os.readlink", lambda: os.readlink(link))  # noqa: PTH115
    told("os.path.ismount", lambda: os.path.ismount(DIRECTORY))
    told("os.path.islink", lambda: os.path.islink(link))  # noqa: PTH114
    told("os.scandir", lambda: next(os.scandir(DIRECTORY)))
    same = os.stat(file)  # noqa: PTH116
    silent("os.path.samestat", lambda: os.path.samestat(same, same))
    silent("os.path.abspath", lambda: os.path.abspath("relative"))  # noqa: PTH100
    silent("os.getcwd", os.getcwd)


def descriptors():
    read_end, write_end = os.pipe()
    os.write(write_end, b"abc")
    file = os.open(made("descriptor"), os.O_RDWR)
    near, far = sockets()
    told("os.read of a pipe", lambda: os.read(read_end, 1))
    told("os.write to a pipe", lambda: os.write(write_end, b"x"))
    told("os.read of a file", lambda: os.read(file, 4))
    told("os.write to a file", lambda: os.write(file, b"x"))
    told("os.sendfile", lambda: os.sendfile(near.fileno(), file, 0, 10))
    KEPT.append((near, far))
    silent("os.path.sameopenfile", lambda: os.path.sameopenfile(0, 1))


def streams():
    reader, peeked = opened("read", "rb"), opened("peeked", "rb")
    peeked.peek(1)
    told("io.BufferedReader.read", reader.read)
    silent("io.BufferedReader.read of its buffer", lambda: peeked.read(1))
    writer, small = opened("write", "wb"), opened("small", "wb")
    told("io.BufferedWriter.write of 1 MiB", lambda: writer.write(MIB))
    silent("io.BufferedWriter.write", lambda: small.write(b"x"))
    both, update = opened("both", "r+b"), opened("update", "r+b")
    told("io.BufferedRandom.read", both.read)
    silent("io.BufferedRandom.write", lambda: update.write(b"x"))
    text, long, short = opened("text", "r"), opened("long", "w"), opened("short", "w")
    told("io.TextIOWrapper.read", text.read)
    told("io.TextIOWrapper.write of 1 MiB", lambda: long.write(MIB.decode()))
    silent("io.TextIOWrapper.write", lambda: short.write("x"))
    silent("sys.stdout.write", lambda: print(".", flush=True))
    told("input", input)


def network():
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.socket()
    near, far = sockets()
    timed, answering = sockets()
    timed.settimeout(60)
    free, listening = sockets()
    free.setblocking(False)
    datagrams = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    datagrams[0].bind(("127.0.0.1", 0))
    address = datagrams[0].getsockname()
    for _ in range(2):
        datagrams[1].sendto(b"x", address)
    told("socket.connect", lambda: client.connect(server.getsockname()))
    told("socket.accept", server.accept)
    told("socket.send", lambda: near.send(b"x"))
    told("socket.sendall", lambda: near.sendall(b"x"))
    told("socket.sendto", lambda: datagrams[1].sendto(b"x", address))
    told("socket.recv", lambda: near.recv(1))
    told("socket.recv_into", lambda: near.recv_into(bytearray(1)))
    told("socket.recvfrom", lambda: datagrams[0].recvfrom(1))
    told("socket.recvfrom_into", lambda: datagrams[0].recvfrom_into(bytearray(1)))
    told("socket.recvmsg", lambda: near.recvmsg(1))
    told("socket.recv with a time-out", lambda: timed.recv(1))
    silent("socket.send without waiting", lambda: free.send(b"x"))
    KEPT.append((far, answering, listening))
    end = tls()
    told("ssl.SSLSocket.read", lambda: end.read(5))
    told("ssl.SSLSocket.recv", lambda: end.recv(5))
    told("ssl.SSLSocket.write", lambda: end.write(b"x"))
    told("ssl.SSLSocket.send", lambda: end.send(b"x"))


def database(where, expect):
    """What is read is in memory, or in SQLite's own cache, once it was read."""
    connection = sqlite3.connect(where)
    connection.execute("create table t(x)")
    connection.executemany("insert into t values(?)", [(number,) for number in range(100_000)])
    connection.commit()
    if where != ":memory:":
        connection.close()
        connection = sqlite3.connect(where)
    cursor = connection.cursor()
    rows = "select * from t"
    write = "insert into t values(?)"
    kind = "memory" if where == ":memory:" else "file"
    expect(f"sqlite3.Cursor.execute, {kind}", lambda: cursor.execute(rows))
    expect(f"sqlite3.Cursor.fetchmany, {kind}", lambda: cursor.fetchmany(50_000))
    expect(f"sqlite3.Cursor.fetchall, {kind}", cursor.fetchall)
    silent(f"sqlite3.Cursor.fetchone, {kind}", cursor.fetchone)
    expect(f"sqlite3.Cursor.executemany, {kind}", lambda: cursor.executemany(write, [(1,)]))
    expect(f"sqlite3.Connection.commit, {kind}", connection.commit)
    expect(f"sqlite3.Cursor.executescript, {kind}", lambda: cursor.executescript("drop table t"))
    expect(f"sqlite3.Connection.execute, {kind}", lambda: connection.execute("create table t(x)"))
    expect(
        f"sqlite3.Connection.executemany, {kind}",
        lambda: connection.executemany("insert into t values(?)", [(1,), (2,)]),
    )
    expect(f"sqlite3.Connection.rollback, {kind}", connection.rollback)
    expect(
        f"sqlite3.Connection.executescript, {kind}",
        lambda: connection.executescript("insert into t values(1)"),
    )
    KEPT.append(connection)


def locks():
    free, held = threading.Lock(), threading.Lock()
    held.acquire()
    told("time.sleep", lambda: time.sleep(0.001))
    silent("Lock.acquire", lambda: (free.acquire(), free.release()))
    told("Lock.acquire of one that is held", lambda: held.acquire(timeout=0.001))
    told("Lock.acquire_lock of one that is held", lambda: held.acquire_lock(timeout=0.001))
    silent("Lock.acquire without waiting", lambda: held.acquire(False))


async def main():
    library = ctypes.CDLL(None)
    for name, call in CALLS.items():
        library.loophound_mark(name.encode())
        call()
        library.loophound_mark(None)
        await asyncio.sleep(0)


if __name__ == "__main__":
    names_of_files()
    descriptors()
    streams()
    network()
    locks()
    database(":memory:", silent)
    database(at("database"), told)
    asyncio.run(main())
    print("\n".join(CALLS), file=sys.stderr)
