# SPDX-License-Identifier: Apache-2.0
"""What blocks a loop: functions that wait, each in one call, until the test gives it something.

Every server here is called as: <loop>.py PARK wrong|right DIRECTORY PORT SLEEP_MS
"""

import fcntl
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from time import sleep as pause

PARK = sys.argv[1]
RIGHT = sys.argv[2] == "right"
DIRECTORY = Path(sys.argv[3])
PORT = int(sys.argv[4])
SECONDS = int(sys.argv[5]) / 1000
CHILD = ["cat", DIRECTORY / "fifo_of_child"]

lock = threading.Lock()
held = threading.Event()
# Without the proxies of the environment.
browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def sleep():
    pause(SECONDS)  # waits


def receive():
    browser.open(f"http://127.0.0.1:{PORT}/").read()  # waits


def look_up():
    socket.getaddrinfo("localhost", 80)  # waits


def acquire():
    with lock:  # waits
        pass


def run():
    subprocess.run(CHILD, check=True)  # waits


def open_fifo():
    (DIRECTORY / "fifo").open().close()  # waits


def lock_file():
    with (DIRECTORY / "file").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # waits


def database():
    connection = sqlite3.connect(DIRECTORY / "database", timeout=60)
    connection.execute("create table t (x)")  # waits
    connection.close()


def hold():
    """Has the lock until the test says a word."""
    with lock:
        held.set()
        sys.stdin.readline()


def start_holding():
    threading.Thread(target=hold, daemon=True).start()
    held.wait()
