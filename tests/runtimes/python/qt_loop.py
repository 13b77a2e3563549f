# SPDX-License-Identifier: Apache-2.0
"""A server on Qt's loop. PARK: glib (GLib's loop below Qt's, its usual way) or unix (Qt's own)."""

import os
import sys
import threading

if sys.argv[1] == "unix":
    os.environ["QT_NO_GLIB"] = "1"

import socket

import waits
from PyQt6.QtCore import QCoreApplication, QSocketNotifier, QTimer

notifiers = {}


def work(kind, connection):
    getattr(waits, kind)()
    connection.sendall(b"done\n")


def work_properly(kind, connection):
    if kind == "sleep":
        QTimer.singleShot(int(waits.SECONDS * 1000), lambda: connection.sendall(b"done\n"))
    else:
        threading.Thread(target=work, args=(kind, connection), daemon=True).start()


def handle(connection):
    text = connection.recv(256).decode()
    if not text:
        notifiers.pop(connection).setEnabled(False)
    for line in text.splitlines():
        word, *rest = line.split()
        if word == "stop":
            application.quit()
        elif word == "work":
            (work_properly if waits.RIGHT else work)(rest[0], connection)
        else:
            connection.sendall(b"pong\n")


def watch(source, handler):
    notifiers[source] = QSocketNotifier(source.fileno(), QSocketNotifier.Type.Read)
    notifiers[source].activated.connect(lambda *_: handler(source))


def accept(listener):
    watch(listener.accept()[0], handle)


if __name__ == "__main__":
    waits.start_holding()
    application = QCoreApplication([])
    with socket.create_server(("127.0.0.1", 0)) as server:
        watch(server, accept)
        print(server.getsockname()[1], flush=True)
        application.exec()
        notifiers.clear()
