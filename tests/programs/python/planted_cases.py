# SPDX-License-Identifier: Apache-2.0
"""The table of planted.py, and what its cases are given."""

import contextlib
from pathlib import Path

CASES = {}


class Case:
    """A mistake: `blocks` is called in a coroutine; `clean` does the same, and is awaited."""

    def __init__(self, blocks, prepare):
        self.blocks = blocks
        self.prepare = prepare
        self.clean = None
        CASES[blocks.__name__] = self

    def cleanly(self, clean):
        self.clean = clean


def fault(prepare=lambda at: None):
    """`prepare` runs before the loop; what it returns is at.made."""
    return lambda blocks: Case(blocks, prepare)


class Scene(contextlib.ExitStack):
    """A directory with a file and a tree; ends with what `prepare` has entered."""

    def __init__(self, directory):
        super().__init__()
        self.made = None
        self.directory = Path(directory)
        self.file = self.directory / "data.json"
        self.file.write_text('{"price": 7}')
        self.free = self.directory / "free"
        self.tree = self.directory / "tree"
        (self.tree / "branch").mkdir(parents=True)
        (self.tree / "branch" / "leaf").write_text("green")
