# SPDX-License-Identifier: Apache-2.0
"""Other processes. See planted.py."""

import asyncio
import multiprocessing
import os
import subprocess

from planted_cases import fault

BRIEFLY_S = 0.01
processes = multiprocessing.get_context("fork")


@fault()
def run_program(at):
    subprocess.run(["true"], check=True)


@run_program.cleanly
async def _(at):
    await (await asyncio.create_subprocess_exec("true")).wait()


@fault()
def read_program(at):
    subprocess.check_output(["echo", "hello"])


@read_program.cleanly
async def _(at):
    program = await asyncio.create_subprocess_exec("echo", "hello", stdout=subprocess.PIPE)
    await program.communicate()


def child(at):
    program = subprocess.Popen(["true"])
    at.callback(program.wait)
    return program


@fault(child)
def wait_for_program(at):
    at.made.wait()


@wait_for_program.cleanly
async def _(at):
    await asyncio.to_thread(at.made.wait)


@fault()
def run_shell(at):
    os.system("true")


@run_shell.cleanly
async def _(at):
    await (await asyncio.create_subprocess_shell("true")).wait()


@fault()
def read_shell(at):
    with os.popen("echo hello") as output:
        output.read()


@read_shell.cleanly
async def _(at):
    program = await asyncio.create_subprocess_shell("echo hello", stdout=subprocess.PIPE)
    await program.stdout.read()
    await program.wait()


@fault(lambda at: os.spawnlp(os.P_NOWAIT, "true", "true"))
def wait_for_pid(at):
    os.waitpid(at.made, 0)


@wait_for_pid.cleanly
async def _(at):
    await asyncio.to_thread(os.waitpid, at.made, 0)


def worker(at):
    process = processes.Process(target=int)
    process.start()
    at.callback(process.join)
    return process


@fault(worker)
def join_process(at):
    at.made.join()


@join_process.cleanly
async def _(at):
    await asyncio.to_thread(at.made.join)


def pipe(at):
    near, far = processes.Pipe()
    at.callback(near.close)
    at.callback(far.close)
    far.send("hello")
    return near


@fault(pipe)
def receive_of_pipe(at):
    at.made.recv()


@receive_of_pipe.cleanly
async def _(at):
    await asyncio.to_thread(at.made.recv)


def shared_queue(at):
    made = processes.SimpleQueue()
    at.callback(made.close)
    made.put("hello")
    return made


@fault(shared_queue)
def take_of_shared_queue(at):
    at.made.get()


@take_of_shared_queue.cleanly
async def _(at):
    await asyncio.to_thread(at.made.get)


@fault(lambda at: processes.Semaphore(0))
def acquire_shared_semaphore(at):
    at.made.acquire(timeout=BRIEFLY_S)


@acquire_shared_semaphore.cleanly
async def _(at):
    await asyncio.to_thread(at.made.acquire, timeout=BRIEFLY_S)
