# SPDX-License-Identifier: Apache-2.0
"""`loophound` and `python -m loophound`: become the command of the package."""

import os
import sys
from typing import NoReturn

from loophound._files import command_path, why_missing


def main() -> NoReturn:
    """Replaces this process by the command (execv(3)): its signals and exit status are its own.

    Exits with 125, as the command does where it fails itself, if there is none.
    """
    path = command_path()
    if path is None:
        sys.exit(_failed(f"cannot run here: {why_missing()}"))
    try:
        os.execv(path, ["loophound", *sys.argv[1:]])
    except OSError as error:
        sys.exit(_failed(f"cannot start {path}: {error.strerror}"))


def _failed(text: str) -> int:
    print(f"loophound: {text}", file=sys.stderr)
    return 125


if __name__ == "__main__":
    main()
