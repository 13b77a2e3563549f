# SPDX-License-Identifier: Apache-2.0
"""Bad values: one line with the variable, the value, what is wrong, and what is used instead."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from calls import TABLE
from harness import COMMAND, PROGRAMS, ROOT, preload_environment, run_command

# Every option of the table, and values that no user can mean.
BAD = {
    "THRESHOLD": ["soon", "-5ms", "10 parsecs", "", "2h", "1e3"],
    "STRICT": ["maybe", "2", ""],
    "STALL": ["maybe", ""],
    "SIGNAL": ["KILL", "SEGV", "9", "33", "65", "URGENT", ""],
    "ACTION": ["kill", "signal", "signal:", "signal:KILL", "signal:9", "signal:33", "abort:", ""],
    "LOOP": ["", "x" * 300],
    "CALLS": ["nonsense", "all,-nosuchcall", ""],
    "NOISE": ["", "imports", "import,auto", "+", "-gil", "none,-nosuch"],
    "PLACES": ["twice", ""],
    "OUTPUT": ["fd:", "fd:x", "unix:", ""],
    "OUTPUT_LIMIT": ["10MiB", "fast", "0/s", "1000/s", "2TiB/s", "1.5MiB/s", "-1K/s", ""],
    "FORMAT": ["xml", ""],
    "STACK": ["-1", "many", "257", ""],
    "STACK_BYTES": ["2K", "257K", "32M", "-1", "4097", ""],
    "STACKS": ["twice", ""],
    "RATE": ["60", "60/week", "0/s", "-1/min", ""],
    "COLLECTOR": ["", "/" + "x" * 2000],
    "FOLLOW": ["", "x" * 300],
    "PROJECT": ["", "x" * 300],
    "SERVICE": ["", "x" * 128],
    "SUPPRESS": ["", "x" * 1024],
    "ALLOW": ["", "call:open;" * 103],
    "BASELINE": ["", "x" * 1024],
}
CASES = [(name, value) for name, values in BAD.items() for value in values]


def options_table() -> dict[str, dict[str, str]]:
    text = (ROOT / "src" / "options.def").read_text()
    row = re.compile(
        r'^OPTION\((\w+), \w+, [^,]+, (?:"([\w-]+)"|NULL), (\S+), "([^"]*)"', re.MULTILINE
    )
    return {
        name: {"flag": flag, "argument": argument, "default": default}
        for name, flag, argument, default in row.findall(text)
    }


OPTIONS = options_table()


def test_every_option_has_bad_values_here() -> None:
    assert len(OPTIONS) >= 10
    assert set(BAD) == set(OPTIONS)


def check_line(line: str, what: str, value: str) -> None:
    assert line.startswith(f"loophound: {what}={value[:100]}")
    assert ": expected " in line


@pytest.mark.parametrize(("name", "value"), CASES)
def test_bad_value_in_the_environment_is_said_once_and_the_program_runs_on(
    name: str, value: str
) -> None:
    environment = preload_environment(**{name: value})
    done = subprocess.run(["/bin/echo", "hello"], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "hello\n")
    (line,) = done.stderr.splitlines()
    check_line(line, f"LOOPHOUND_{name}", value)
    assert line.endswith(f"; using {OPTIONS[name]['default']}")


@pytest.mark.parametrize(("name", "value"), CASES)
def test_bad_value_in_the_environment_is_said_once_under_run(name: str, value: str) -> None:
    script = "/bin/echo hello; /bin/echo again"
    variables: dict[str, Any] = {name: value}
    done = run_command("run", "--", "sh", "-c", script, **variables)
    assert (done.returncode, done.stdout) == (0, "hello\nagain\n")
    lines = [line for line in done.stderr.splitlines() if f"LOOPHOUND_{name}" in line]
    assert len(lines) == 1, done.stderr
    check_line(lines[0], f"LOOPHOUND_{name}", value)


@pytest.mark.parametrize(
    ("name", "value"),
    [case for case in CASES if OPTIONS[case[0]]["flag"] and OPTIONS[case[0]]["argument"] != "NULL"],
)
def test_bad_flag_value_starts_nothing_and_exits_2(name: str, value: str, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    flag = f"--{OPTIONS[name]['flag']}"
    done = run_command("run", flag, value, "--", "touch", touched)
    assert done.returncode == 2
    assert not touched.exists()
    (line,) = done.stderr.splitlines()
    check_line(line, flag, value)


@pytest.mark.parametrize("arguments", [["--no-such-flag"], ["-Z"], ["--threshold"]])
def test_bad_flag_starts_nothing_and_exits_2(arguments: list[str], tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    tail = [] if arguments == ["--threshold"] else ["--", "touch", str(touched)]
    done = run_command("run", *arguments, *tail)
    assert done.returncode == 2
    assert not touched.exists()
    assert done.stderr.count("\n") == 1 and arguments[0] in done.stderr


def test_run_without_a_command_exits_2() -> None:
    assert run_command("run").returncode == 2
    assert run_command("run", "--").returncode == 2


def test_unknown_subcommand_exits_2() -> None:
    done = run_command("nonsense")
    assert done.returncode == 2 and "nonsense" in done.stderr


def test_output_that_cannot_be_opened_is_said_and_the_program_runs_on(tmp_path: Path) -> None:
    output = tmp_path / "missing" / "hits.jsonl"
    environment = preload_environment(OUTPUT=str(output), THRESHOLD="20ms")
    program = [str(PROGRAMS / "loops"), "epoll"]
    done = subprocess.run(program, env=environment, capture_output=True, text=True)
    assert done.returncode == 0
    assert str(output) in done.stderr and "No such file" in done.stderr


def test_every_flag_and_default_is_in_the_help() -> None:
    text = run_command("run", "--help").stdout
    for name, option in OPTIONS.items():
        assert f"LOOPHOUND_{name}" in text
        assert option["default"] in text
        if option["flag"]:
            assert f"--{option['flag']}" in text


def table_of(page: str) -> dict[str, tuple[str, str]]:
    """Rows of a page's tables: first cell to the second and third, without their marks."""
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in (ROOT / page).read_text().splitlines()
        if line.startswith("| `")
    ]
    return {first: (second, third) for first, second, third, *_ in rows if second}


def test_page_of_options_has_every_one_with_its_default() -> None:
    table = table_of("docs/options.md")
    for name, option in OPTIONS.items():
        if option["flag"]:
            flags, default = table[f"LOOPHOUND_{name}"]
            assert default == option["default"]
            assert f"--{option['flag']}" in flags


def test_defaults_in_the_readme_are_those_of_the_table() -> None:
    table = table_of("README.md")
    defaults = {f"--{option['flag']}": option["default"] for option in OPTIONS.values()}
    shown = {cells.split("`")[-1]: found for cells, found in table.items() if "--" in cells}
    assert len(shown) >= 5
    for flag, (default, _) in shown.items():
        assert default == defaults[flag]


def test_calls_lists_every_symbol_of_the_table() -> None:
    listing = subprocess.run([COMMAND, "calls"], capture_output=True, text=True, check=True).stdout
    listed = {line.split()[0].split("@")[0] for line in listing.splitlines()[1:]}
    assert listed == {row.symbol for row in TABLE.rows}
