# SPDX-License-Identifier: Apache-2.0
"""Files and directories on a disk, and what reads and writes them. See planted.py."""

import asyncio
import contextlib
import fcntl
import glob
import json
import logging
import logging.handlers
import mmap
import os
import queue
import shutil
import sqlite3
import tempfile

from planted_cases import fault


def opened(at):
    return at.enter_context(at.file.open("r+b", buffering=0))


@fault()
def open_file(at):
    with open(at.file):  # noqa: PTH123
        pass


@open_file.cleanly
async def _(at):
    file = await asyncio.to_thread(open, at.file)
    await asyncio.to_thread(file.close)


@fault(opened)
def read_file(at):
    at.made.read()


@read_file.cleanly
async def _(at):
    await asyncio.to_thread(at.made.read)


@fault(opened)
def read_descriptor(at):
    os.read(at.made.fileno(), 8)


@read_descriptor.cleanly
async def _(at):
    await asyncio.to_thread(os.read, at.made.fileno(), 8)


@fault(opened)
def write_file(at):
    at.made.write(b"{}")


@write_file.cleanly
async def _(at):
    await asyncio.to_thread(at.made.write, b"{}")


@fault(lambda at: at.enter_context(at.free.open("w")))
def flush_buffer(at):
    at.made.write("hello")
    at.made.flush()


@flush_buffer.cleanly
async def _(at):
    at.made.write("hello")
    await asyncio.to_thread(at.made.flush)


@fault(opened)
def sync_file(at):
    os.fsync(at.made.fileno())


@sync_file.cleanly
async def _(at):
    await asyncio.to_thread(os.fsync, at.made.fileno())


@fault(opened)
def lock_file(at):
    fcntl.flock(at.made, fcntl.LOCK_EX)


@lock_file.cleanly
async def _(at):
    await asyncio.to_thread(fcntl.flock, at.made, fcntl.LOCK_EX)


@fault(lambda at: at.enter_context(mmap.mmap(opened(at).fileno(), 0)))
def flush_map(at):
    at.made.flush()


@flush_map.cleanly
async def _(at):
    await asyncio.to_thread(at.made.flush)


@fault()
def list_directory(at):
    os.listdir(at.tree)


@list_directory.cleanly
async def _(at):
    await asyncio.to_thread(os.listdir, at.tree)


@fault()
def walk_tree(at):
    for _ in os.walk(at.tree):
        pass


@walk_tree.cleanly
async def _(at):
    await asyncio.to_thread(lambda: list(os.walk(at.tree)))


@fault()
def glob_tree(at):
    glob.glob(f"{at.tree}/*/leaf")  # noqa: PTH207


@glob_tree.cleanly
async def _(at):
    await asyncio.to_thread(glob.glob, f"{at.tree}/*/leaf")


@fault()
def look_at_file(at):
    os.stat(at.file)  # noqa: PTH116


@look_at_file.cleanly
async def _(at):
    await asyncio.to_thread(os.stat, at.file)


@fault()
def replace_file(at):
    os.replace(at.file, at.free)  # noqa: PTH105


@replace_file.cleanly
async def _(at):
    await asyncio.to_thread(os.replace, at.file, at.free)


@fault()
def copy_file(at):
    shutil.copyfile(at.file, at.free)


@copy_file.cleanly
async def _(at):
    await asyncio.to_thread(shutil.copyfile, at.file, at.free)


@fault()
def remove_tree(at):
    shutil.rmtree(at.tree)


@remove_tree.cleanly
async def _(at):
    await asyncio.to_thread(shutil.rmtree, at.tree)


@fault()
def read_path(at):
    at.file.read_text()


@read_path.cleanly
async def _(at):
    await asyncio.to_thread(at.file.read_text)


@fault()
def load_json(at):
    with at.file.open() as file:
        json.load(file)


@load_json.cleanly
async def _(at):
    json.loads(await asyncio.to_thread(at.file.read_text))


@fault()
def make_temporary_file(at):
    with tempfile.TemporaryFile(dir=at.directory):
        pass


@make_temporary_file.cleanly
async def _(at):
    file = await asyncio.to_thread(tempfile.TemporaryFile, dir=at.directory)
    await asyncio.to_thread(file.close)


def database(at):
    connection = sqlite3.connect(at.free, check_same_thread=False)
    connection.execute("create table prices (price integer)")
    connection.commit()
    return at.enter_context(contextlib.closing(connection))


@fault(database)
def insert_row(at):
    at.made.execute("insert into prices values (7)")
    at.made.commit()


@insert_row.cleanly
async def _(at):
    await asyncio.to_thread(at.made.execute, "insert into prices values (7)")
    await asyncio.to_thread(at.made.commit)


def logger_to_file(at):
    logger = logging.Logger("planted")
    handler = logging.FileHandler(at.free)
    logger.addHandler(handler)
    at.callback(handler.close)
    return logger


@fault(logger_to_file)
def log_to_file(at):
    at.made.warning("sold out")


@log_to_file.cleanly
async def _(at):
    """The same handler, in the thread of a listener."""
    records = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(records, *at.made.handlers)
    await asyncio.to_thread(listener.start)
    logger = logging.Logger("queued")
    logger.addHandler(logging.handlers.QueueHandler(records))
    logger.warning("sold out")
    await asyncio.to_thread(listener.stop)
