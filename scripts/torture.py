#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Faults that are inflicted on watched programs and on what watches them, one after another.

Each program makes blocks that it counts, and has a result that it must keep. Printed is one table:

    fault      what was done
    survived   did the program end as it would have alone?
    blocks     how many it made
    told       how many of them are in the output
    counted    how many more were said to be lost
    silent     how many are in neither: a failure, unless the row says why none can be said
    said       the first line about it, of whoever said one

Bounded, a few minutes. As root also what only root can do. `make torture`.
"""

import argparse
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = shutil.which("python3", path="/usr/bin") or sys.executable
LIMIT_S = 300.0
STATUS = 7  # with which each program ends
FLAGS = ["-t", "20ms", "--no-stall", "--rate", "off", "--calls", "sleep"]
PROCESSES = 10_000
LOOPS = 500

# Blocks COUNT times for 120 ms (a starved watchdog tells shorter ones as stalls), a line for each;
# runs what BEFORE and AMID say.
PROGRAM = """
import asyncio, os, resource, signal, subprocess, sys, time
def block():
    time.sleep(0.12)
    print("made", flush=True)
async def main():
    {before}
    for i in range({count}):
        block()
        await asyncio.sleep(0)
        {amid}
asyncio.run(main())
{after}
sys.stdout.flush()
os._exit({status}) if {abrupt} else sys.exit({status})
"""

THREADS = """
import select, sys, threading, time
ready = threading.Barrier({loops})
def loop():
    epoll = select.epoll()
    epoll.poll(0)
    ready.wait()
    epoll.poll(0)
    time.sleep(0.3)
    epoll.poll(0)
threading.stack_size(256 << 10)
threads = [threading.Thread(target=loop) for _ in range({loops})]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("made\\n" * {loops}, end="")
sys.exit({status})
"""


def program(count: int, before: str = "pass", amid: str = "pass", **more: object) -> list[str]:
    values = {"after": "", "abrupt": False, "status": STATUS, **more}
    text = PROGRAM.format(count=count, before=before, amid=amid, **values)
    return [PYTHON, "-c", text]


@dataclass
class Told:
    """What is left of one run."""

    made: int = 0
    told: int = 0
    counted: int = 0
    survived: bool = False
    said: str = ""
    excuse: str = ""  # why what is silent could not be said

    @property
    def silent(self) -> int:
        return max(0, self.made - self.told - self.counted)


@dataclass
class Torture:
    build: Path
    directory: Path
    outputs: list[Path] = field(default_factory=list)

    def output(self, name: str = "hits.jsonl") -> Path:
        self.outputs.append(self.directory / name)
        return self.outputs[-1]

    def run(self, argv: list[str], *flags: str, **more: object) -> subprocess.Popen[str]:
        command = [str(self.build / "loophound"), "run", *FLAGS, *flags]
        return self.start([*command, "-o", str(self.output()), "--", *argv], **more)

    def preload(self, argv: list[str], **more: object) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "LD_PRELOAD": str(self.build / "libloophound.so"),
            "LOOPHOUND_THRESHOLD": "20ms",
            "LOOPHOUND_STALL": "off",
            "LOOPHOUND_RATE": "off",
            "LOOPHOUND_CALLS": "sleep",
            "LOOPHOUND_OUTPUT": str(self.output()),
        }
        return self.start(argv, env=environment, **more)

    @staticmethod
    def start(argv: list[str], **more: object) -> subprocess.Popen[str]:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
        )

    def end(self, process: subprocess.Popen[str], status: int = STATUS) -> Told:
        """Waits for the end, and counts."""
        try:
            out, errors = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            out, errors = process.communicate()
        told = Told(made=out.count("made"), survived=process.returncode == status)
        for event in self.events():
            told.told += event.get("type") == "block"
            told.counted += int(str(event.get("dropped") or 0)) if event["type"] == "summary" else 0
        last = re.search(r"(\d+) dropped$", errors.strip())
        told.counted = max(told.counted, int(last[1]) if last else 0)
        lines = [line for line in errors.splitlines() if line.startswith("loophound")]
        told.said = lines[0].removeprefix("loophound: ") if lines else ""
        return told

    def events(self) -> Iterator[dict[str, object]]:
        for path in dict.fromkeys(self.outputs):
            with suppress(OSError):
                for line in path.read_text(errors="replace").splitlines():
                    with suppress(ValueError):
                        yield json.loads(line)

    def until_told(self, count: int) -> None:
        """A fault in the middle: so many blocks have come out."""
        end = time.monotonic() + LIMIT_S
        while sum(event["type"] == "block" for event in self.events()) < count:
            if time.monotonic() > end:
                raise SystemExit("torture: nothing is told")
            time.sleep(0.01)


def collector_of(pid: int) -> int:
    """Whoever else has the program's map open. 0: nobody."""
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if str(link.readlink()) == f"/proc/{pid}/maps" and int(link.parts[2]) != pid:
                return int(link.parts[2])
    return 0


def quiet_end(torture: Torture) -> Told:
    return torture.end(torture.run(program(40)))


def run_is_killed(torture: Torture) -> Told:
    process = torture.run(program(80))
    torture.until_told(10)
    process.send_signal(signal.SIGKILL)
    told = torture.end(process, -signal.SIGKILL)
    told.excuse = "run is gone: its program goes on, and says the rest on stderr"
    return told


def run_is_stopped(torture: Torture) -> Told:
    process = torture.run(program(160))
    torture.until_told(10)
    process.send_signal(signal.SIGSTOP)
    time.sleep(2)
    process.send_signal(signal.SIGCONT)
    return torture.end(process)


def program_is_stopped(torture: Torture) -> Told:
    stop = "os.kill(os.getpid(), signal.SIGSTOP) if i == 10 else None"
    process = torture.run(program(40, amid=stop))
    torture.until_told(10)
    time.sleep(0.5)
    subprocess.run(["pkill", "-CONT", "-P", str(process.pid)], check=True)
    return torture.end(process)


def program_is_killed(torture: Torture) -> Told:
    kill = "os.kill(os.getpid(), signal.SIGKILL) if i == 20 else None"
    return torture.end(torture.run(program(40, amid=kill)), 128 + signal.SIGKILL)


def abrupt_end(torture: Torture) -> Told:
    return torture.end(torture.run(program(40, abrupt=True)))


def forks(torture: Torture) -> Told:
    child = "(os.fork() or (time.sleep(0.12), os._exit(0))) if i % 2 else None"
    wait = "\n".join(["while True:", "    try: os.wait()", "    except ChildProcessError: break"])
    return torture.end(torture.run(program(200, amid=child, after=wait)))


def executes(torture: Torture) -> Told:
    again = "os.execv(sys.executable, [sys.executable, '-c', sys.argv[1], sys.argv[1]])"
    text = (
        "import asyncio, os, sys, time\n"
        "os.environ['N'] = str(int(os.environ.get('N', '0')) + 1)\n"
        "async def main():\n    time.sleep(0.12)\n    print('made', flush=True)\n"
        f"asyncio.run(main())\nif os.environ['N'] == '100': sys.exit({STATUS})\n{again}\n"
    )
    return torture.end(torture.run([PYTHON, "-c", text, text]))


def no_descriptors(torture: Torture) -> Told:
    limit = "resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))"
    return torture.end(torture.run(program(40, before=limit)))


def all_closed(torture: Torture) -> Told:
    return torture.end(torture.run(program(40, amid="os.closerange(20, 4096)")))


def no_memory(torture: Torture) -> Told:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (80 << 20, 80 << 20))

    return torture.end(torture.preload(program(40), preexec_fn=limit))


def rotation(torture: Torture) -> Told:
    process = torture.run(program(200))
    path = torture.outputs[0]
    for i in range(20):
        torture.until_told(5 * (i + 1))
        path.rename(torture.output(f"{path.name}.{i}"))
    return torture.end(process)


def flood(torture: Torture) -> Told:
    """Rubbish for the collector's socket, 2,000 times, while the program goes on."""
    process = torture.run(program(200))
    torture.until_told(5)
    environment = Path(f"/proc/{children_of(process.pid)[0]}/environ").read_bytes().split(b"\0")
    path = next(v.partition(b"=")[2] for v in environment if v.startswith(b"LOOPHOUND_SOCKET="))
    for i in range(2000):
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(1)
            client.connect(path)
            client.send(os.urandom(i % 64))
    return torture.end(process)


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def many_processes(torture: Torture) -> Told:
    shell = f"i=0; while [ $i -lt {PROCESSES} ]; do /bin/true; i=$((i+1)); done; exit {STATUS}"
    process = torture.run(["/bin/sh", "-c", shell])
    told = torture.end(process)
    told.survived &= f"{PROCESSES + 1} processes" in told.said or "no loop thread" in told.said
    return told


def many_loops(torture: Torture) -> Told:
    text = THREADS.format(loops=LOOPS, status=STATUS)
    return torture.end(torture.run([PYTHON, "-c", text]))


def full_pipe(torture: Torture) -> Told:
    fifo = torture.directory / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    command = [str(torture.build / "loophound"), "run", *FLAGS, "-o", str(fifo), "--format", "json"]
    process = torture.start([*command, "--", *program(400)])
    told = torture.end(process)
    told.told = os.read(reader, 1 << 20).count(b'"type":"block"')
    os.close(reader)
    return told


@contextmanager
def small_disk(directory: Path) -> Iterator[Path]:
    place = directory / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "torture", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def full_disk(torture: Torture) -> Told:
    with small_disk(torture.directory) as place:
        name = str((place / "hits.jsonl").relative_to(torture.directory))
        flags = ["--stacks", "inline", "-o", str(torture.output(name))]
        command = [str(torture.build / "loophound"), "run", *FLAGS, *flags]
        return torture.end(torture.start([*command, "--", *program(200)]))


def drops_its_user(torture: Torture) -> Told:
    drop = "(os.setgid(65534), os.setuid(65534)) if i == 10 else None"
    return torture.end(torture.run(program(40, amid=drop)))


def collector_is_killed(torture: Torture) -> Told:
    """The program's own, three times; what comes after is raw lines."""
    process = torture.preload(program(120))
    for i in range(3):
        torture.until_told(5 * (i + 1))
        collector = collector_of(process.pid)
        if collector:
            with suppress(ProcessLookupError):
                os.kill(collector, signal.SIGKILL)
    return torture.end(process)


Fault = tuple[str, Callable[[Torture], Told], bool]
FAULTS: tuple[Fault, ...] = (
    ("none", quiet_end, False),
    ("the program is killed", program_is_killed, False),
    ("the program ends by _exit", abrupt_end, False),
    ("the program is stopped for a while", program_is_stopped, False),
    ("a fork in every second iteration", forks, False),
    ("exec, 100 times", executes, False),
    ("24 descriptors are all there are", no_descriptors, False),
    ("it closes all descriptors, 40 times", all_closed, False),
    ("80 MiB of addresses", no_memory, False),
    (f"{LOOPS} loops block at once", many_loops, False),
    (f"{PROCESSES:,} processes", many_processes, False),
    ("run is killed", run_is_killed, False),
    ("run is stopped for 2 s", run_is_stopped, False),
    ("its collector is killed, 3 times", collector_is_killed, False),
    ("2,000 rubbish connections", flood, False),
    ("the output is moved, 20 times", rotation, False),
    ("the output is a full pipe", full_pipe, False),
    ("the disk is full", full_disk, True),
    ("root becomes nobody", drops_its_user, True),
)


def print_row(columns: tuple[object, ...]) -> None:
    fault, survived, made, told, counted, silent, said = columns
    line = f"{fault:36} {survived:8} {made:>6} {told:>6} {counted:>7} {silent:>6}  {said}"
    print(line.rstrip(), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--only", default="", help="faults with this in their name")
    options = parser.parse_args()
    failed = 0
    print_row(("fault", "survived", "blocks", "told", "counted", "silent", "said"))
    for name, inflict, needs_root in FAULTS:
        if options.only not in name or (needs_root and os.geteuid() != 0):
            continue
        with tempfile.TemporaryDirectory() as directory:
            told = inflict(Torture(options.build.resolve(), Path(directory)))
        bad = not told.survived or (told.silent > 0 and not told.excuse)
        failed += bad
        survived = "yes" if told.survived else "NO"
        row = (name, survived, told.made, told.told, told.counted, told.silent)
        print_row((*row, (told.excuse or told.said)[:78]))
    print(f"torture: {failed} of the faults did harm, or lost what nobody said")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
