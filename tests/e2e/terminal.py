# SPDX-License-Identifier: Apache-2.0
"""What a command shows on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path

from harness import COMMAND, clean_environment


def read_all(terminal: int) -> bytes:
    """Until nobody has its other side open."""
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # EIO: the last one has closed it
            return shown
        if not part:
            return shown
        shown += part


def on_terminal(
    *arguments: str | Path, columns: int = 80, extra: dict[str, str] | None = None, **options: str
) -> str:
    """`loophound ARGUMENTS` with a terminal for its output and its errors."""
    ours, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**clean_environment(**options), **(extra or {})}
    process = subprocess.Popen(
        [COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
        env=environment,
    )
    os.close(terminal)
    try:
        return read_all(ours).decode(errors="replace").replace("\r\n", "\n")
    finally:
        os.close(ours)
        process.wait(timeout=60)
