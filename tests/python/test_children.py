# SPDX-License-Identifier: Apache-2.0
"""Processes that a test starts: what blocks in them is that test's."""

from __future__ import annotations

import pytest
from project import Project

# They wait until they have told: a process that ends at once may be read by the next test.
APPLICATION = """
import asyncio, time
import loophound

async def blocks():
    time.sleep(0.01)

async def allowed():
    with loophound.allow("known"):
        time.sleep(0.01)

def main(what):
    asyncio.run(what())
    loophound.flush()

if __name__ == "__main__":
    main(blocks)
"""

TESTS = """
import multiprocessing, subprocess, sys
import application

def fork(what):
    process = multiprocessing.get_context("fork").Process(target=application.main, args=(what,))
    process.start()
    process.join()
    assert process.exitcode == 0

def test_starts():
    subprocess.run([sys.executable, "application.py"], check=True)

def test_forks(): fork(application.blocks)
def test_fork_allowed(): fork(application.allowed)
def test_fine(): pass
"""
OUTCOMES = {
    "test_starts": "failure",
    "test_forks": "failure",
    "test_fork_allowed": "passed",
    "test_fine": "passed",
}


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_block_in_a_process_fails_the_test_that_started_it(
    project: Project, workers: tuple[str, ...]
) -> None:
    project.write(application=APPLICATION, test_it=TESTS)
    done = project.pytest("--loophound", *workers)
    assert done.outcomes == OUTCOMES, done.output
    assert "at application.py:6: blocks" in done.messages["test_starts"]
    assert "which the test has started" in done.output
    assert "outside of tests" not in done.output
