# SPDX-License-Identifier: Apache-2.0
"""stress-ng, with --verify; a unit is a stressor, and its only test."""

from __future__ import annotations

import re
from pathlib import Path

from suite import PASS, Results, Suite, run_logged, with_end

SHORT = ("poll", "epoll", "fork", "vfork", "clone", "sigsuspend", "futex", "sock")
FILES = (
    *("access", "chmod", "close", "copy-file", "dentry", "dir", "dup", "fallocate", "fcntl"),
    *("filename", "flock", "fstat", "getdent", "hdd", "io", "link", "lockf", "lockofd", "open"),
    *("rename", "seek", "sendfile", "splice", "sync-file", "symlink", "tee", "utime"),
)
OTHERS = (
    *(
        "sockpair",
        "sockfd",
        "sockabuse",
        "sockmany",
        "udp",
        "dccp",
        "sctp",
        "rawsock",
        "netlink-proc",
    ),
    *("pipe", "pipeherd", "fifo", "sem", "sem-sysv", "msg", "mq", "mutex", "eventfd", "inotify"),
    *("exec", "spawn", "zombie", "daemon", "wait", "kill", "pthread", "nanosleep"),
    *(
        "sigabrt",
        "sigchld",
        "sigfd",
        "sigfpe",
        "sigio",
        "signal",
        "signest",
        "sigpending",
        "sigpipe",
    ),
    *(
        "sigq",
        "sigrt",
        "sigsegv",
        "sigtrap",
        "switch",
        "timer",
        "timerfd",
        "itimer",
        "aio",
        "clock",
    ),
    *(
        "context",
        "stack",
        "stackmmap",
        "seccomp",
        "set",
        "ptrace",
        "session",
    ),
    *("schedpolicy", "tlb-shootdown", "userfaultfd", "vm-segv", "rseq", "pidfd", "env", "cap"),
)
TIMEOUT_S = 60


class StressNg(Suite):
    name = "stress-ng"
    at_once = False

    def __init__(self, short: bool) -> None:
        self.seconds = 1 if short else 2

    def units(self, short: bool) -> list[str]:
        return list(SHORT if short else (*SHORT, *FILES, *OTHERS))

    def run(self, unit: str, where: Path, environment: dict[str, str], only: str | None) -> Results:
        log = where / "log"
        command = ["stress-ng", f"--{unit}", "2", "--timeout", str(self.seconds), "--verify"]
        command += ["--oomable", "--temp-path", str(where)]
        status = run_logged(command, log, environment, where, TIMEOUT_S)
        if status == 0:
            return {unit: PASS}
        if "unrecognized option" in log.read_text(errors="replace"):
            return with_end({}, status)
        return {unit: f"status {status} {self.failures(log)}".rstrip()}

    @staticmethod
    def failures(log: Path) -> str:
        """Its distinct failure lines, without the numbers that differ from run to run."""
        lines = re.findall(r"fail: +\[\d+\] (.*)", log.read_text(errors="replace"))
        return "; ".join(sorted({re.sub(r"\d+", "N", line) for line in lines}))
