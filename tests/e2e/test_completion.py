# SPDX-License-Identifier: Apache-2.0
"""Completion of the command line: what bash, zsh and fish offer behind some words."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import BUILD, COMMAND, PATIENCE_S, ROOT, clean_environment, run_command

sys.path.insert(0, str(ROOT / "scripts"))
import completion
import tables

SHELLS = ("bash", "zsh", "fish")
FILES = {"bash": "loophound.bash", "zsh": "_loophound", "fish": "loophound.fish"}

# What has been typed, and a word that every shell makes of it.
COMPLETED = [
    ("loophound rep", "report"),
    ("loophound help cal", "calls"),
    ("loophound run --thr", "--threshold"),
    ("loophound run -t 5ms --fol", "--follow"),
    ("loophound run --format js", "json"),
    ("loophound run --loop mai", "main"),
    ("loophound run --calls all,-fsyn", "all,-fsync"),
    ("loophound run --calls netw", "network"),
    ("loophound run -o /etc/ld.so.conf", "/etc/ld.so.conf"),
    ("loophound run -- printen", "printenv"),
    ("loophound run -t 5ms printen", "printenv"),
    ("loophound report --sym", "--symbols"),
    ("loophound doc", "doctor"),
    ("loophound doctor --tri", "--trial"),
    ("loophound doctor -- printen", "printenv"),
    ("loophound report --format mark", "markdown"),
    ("loophound diff --format mark", "markdown"),
    ("loophound diff /etc/ld.so.conf", "/etc/ld.so.conf"),
    ("loophound run --github of", "off"),
    ("loophound exp", "export"),
    ("loophound export -f speed", "speedscope"),
    ("loophound export --form", "--format"),
    ("loophound export -f folded /etc/ld.so.conf", "/etc/ld.so.conf"),
    ("loophound rul", "rules"),
    ("loophound rules --expl", "--explain"),
    ("loophound rules --check /etc/ld.so.conf", "/etc/ld.so.conf"),
    ("loophound run --suppress /etc/ld.so.conf", "/etc/ld.so.conf"),
    ("loophound report /etc/ld.so.conf", "/etc/ld.so.conf"),
]


@pytest.fixture(scope="session")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The completion scripts, as `make completion` writes them."""
    directory = tmp_path_factory.mktemp("completion")
    for shell, name in FILES.items():
        script = ROOT / "scripts" / "completion.py"
        command = [sys.executable, str(script), shell, "--command", str(COMMAND)]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        (directory / name).write_text(text)
    return directory


def bash_offers(scripts: Path, line: str) -> list[str]:
    script = r"""
    source "$1"; shift
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    "$(complete -p loophound | sed 's/.*-F \([^ ]*\).*/\1/')"
    printf '%s\n' "${COMPREPLY[@]}"
    """
    words = re.findall(r"=|[^ =]+", line)  # as COMP_WORDBREAKS has it
    words += [""] if line.endswith(" ") else []
    command = ["bash", "-c", script, "bash", scripts / FILES["bash"], *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def fish_offers(scripts: Path, line: str) -> list[str]:
    script = f"source {scripts / FILES['fish']}; complete -C '{line}'"
    command = ["fish", "--no-config", "-c", script]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [offer.split("\t")[0] for offer in done.stdout.splitlines()]


class Zsh:
    """An interactive zsh: completion runs in its line editor only."""

    # A tab completes and then prints the line.
    SETUP = (
        "fpath=({scripts} $fpath); autoload -U compinit; compinit -u -D; unsetopt auto_menu",
        'show() {{ zle complete-word; print -r -- "LINE<$BUFFER>" }}; zle -N show',
        "bindkey '^I' show",
    )

    def __init__(self, scripts: Path, home: Path) -> None:
        pid, self._terminal = pty.fork()
        if pid == 0:
            environment = clean_environment()
            environment.update(HOME=str(home), TERM="dumb", PS1="$ ")
            os.execvpe("zsh", ["zsh", "-f", "-i"], environment)
        self._pid = pid
        self._seen = ""
        for number, line in enumerate(self.SETUP):
            self._send(f"{line.format(scripts=scripts)}; print READY-$(({number}+10))\n")
            self._read_past(f"READY-{number + 10}")

    def _send(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def _read_past(self, text: str) -> str:
        """What stands before it."""
        end = time.monotonic() + PATIENCE_S
        while text not in self._seen:
            left = end - time.monotonic()
            assert left > 0, f"zsh did not write {text!r}: {self._seen!r}"
            if select.select([self._terminal], [], [], left)[0]:
                self._seen += os.read(self._terminal, 4096).decode()
        before, _, self._seen = self._seen.partition(text)
        return before

    def complete(self, line: str) -> str:
        """The line as it is after a tab."""
        self._send(f"{line}\t")
        self._read_past("LINE<")
        completed = self._read_past(">")
        self._send("\x15")  # Ctrl-U: the line goes
        return completed

    def end(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)


@pytest.fixture(scope="module")
def zsh(scripts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zsh]:
    shell = Zsh(scripts, tmp_path_factory.mktemp("home"))
    yield shell
    shell.end()


@pytest.mark.parametrize(("line", "word"), COMPLETED)
def test_bash_offers(line: str, word: str, scripts: Path) -> None:
    assert word in bash_offers(scripts, line)


@pytest.mark.parametrize(("line", "word"), COMPLETED)
def test_fish_offers(line: str, word: str, scripts: Path) -> None:
    assert word in fish_offers(scripts, line)


@pytest.mark.parametrize(("line", "word"), COMPLETED)
def test_zsh_completes(line: str, word: str, zsh: Zsh) -> None:
    assert zsh.complete(line).rstrip("= ").split()[-1] == word


def test_every_flag_of_the_tables_is_offered_by_bash_and_fish(scripts: Path) -> None:
    for subcommand in ("run", "doctor", "report", "export", "rules"):
        names = {f"--{flag.name}" for flag in tables.flags(subcommand)}
        assert len(names) >= 3
        line = f"loophound {subcommand} --"
        assert names <= set(bash_offers(scripts, line))
        assert names <= set(fish_offers(scripts, line))


def test_bash_completes_a_value_behind_an_equals_sign(scripts: Path) -> None:
    assert bash_offers(scripts, "loophound run --format=js") == ["json"]
    assert "--strict" in bash_offers(scripts, "loophound run --format=json --st")


def test_flags_of_the_watched_command_are_not_ours(scripts: Path) -> None:
    for line in ("loophound run -- true --thr", "loophound run -t 5ms true --thr"):
        assert "--threshold" not in bash_offers(scripts, line)
        assert "--threshold" not in fish_offers(scripts, line)


VALUES = [
    (flag, word)
    for subcommand in ("run", "report")
    for flag in tables.flags(subcommand)
    for word in completion.words_of(flag).split()
]


@pytest.mark.parametrize(
    ("flag", "word"), VALUES, ids=[f"{flag.subcommand}-{flag.name}-{word}" for flag, word in VALUES]
)
def test_every_value_that_is_offered_is_taken(flag: tables.Flag, word: str) -> None:
    command = ["--", "true"] if flag.subcommand == "run" else []
    event = '{"v": 1, "type": "summary"}\n'
    done = run_command(flag.subcommand, f"--{flag.name}", word, *command, stdin=event)
    assert done.returncode == 0, done.stderr


def test_make_completion_writes_the_three_files() -> None:
    subprocess.run(
        ["make", "-C", ROOT, f"B={BUILD}", "completion"], check=True, capture_output=True
    )
    assert all((BUILD / "completion" / name).stat().st_size > 0 for name in FILES.values())
