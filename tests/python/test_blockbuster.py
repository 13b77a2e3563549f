# SPDX-License-Identifier: Apache-2.0
"""loophound.compat.blockbuster against blockbuster's own suite, unchanged but for the import."""

from __future__ import annotations

import shutil

from harness import BUILD
from project import Project
from venvs import suite_of_blockbuster

IMPORT = "from blockbuster import"


def test_suite_of_blockbuster_has_the_same_results(project: Project) -> None:
    outcomes = {}
    for name in ("blockbuster", "loophound.compat.blockbuster"):
        tests = project.directory / "tests"
        shutil.rmtree(tests, ignore_errors=True)
        shutil.copytree(suite_of_blockbuster(BUILD), tests)
        file = tests / "test_blockbuster.py"
        text = file.read_text()
        assert IMPORT in text
        file.write_text(text.replace(IMPORT, f"from {name} import"))
        project.ini("asyncio_mode = auto")
        outcomes[name] = project.pytest("-p", "no:anyio").outcomes
    theirs, ours = outcomes.values()
    assert ours == theirs
    # One wants google.com; without a network it fails with both.
    assert {name for name, outcome in ours.items() if outcome == "failure"} <= {"test_ssl_socket"}
    assert len(ours) > 60


LEFT = """
import io, os, socket, threading, time
from loophound.compat.blockbuster import BlockBuster, blockbuster_ctx

before = {name: f.original_func for name, f in BlockBuster().functions.items()}
connect = "connect" in vars(socket.socket)
with blockbuster_ctx() as blockbuster:
    active = sum(function.activated for function in blockbuster.functions.values())
    assert active == len(before), active
    assert time.sleep is not before["time.sleep"]
after = {name: f.original_func for name, f in BlockBuster().functions.items()}
assert after == before
assert ("connect" in vars(socket.socket)) == connect
assert threading.Lock().acquire() and os.listdir(".") is not None
with open(__file__, "rb") as file: assert file.read(3)
print("left as it was")
"""


def test_everything_is_left_as_it_was(project: Project) -> None:
    (project.directory / "program.py").write_text(LEFT)
    done = project.run("program.py")
    assert done.stdout == "left as it was\n", done.stderr
