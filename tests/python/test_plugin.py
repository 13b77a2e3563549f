# SPDX-License-Identifier: Apache-2.0
"""`pytest --loophound`: which tests fail, what is said, and whose fault it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from project import Project

APPLICATION = """
import asyncio, time

async def blocks():
    time.sleep(0.01)

async def is_fine():
    await asyncio.sleep(0.01)
"""
TESTS = """
import asyncio, time
import application

def test_blocks():
    asyncio.run(application.blocks())

def test_fine():
    asyncio.run(application.is_fine())

async def sleep():
    time.sleep(0.01)

def test_by_itself():
    asyncio.run(sleep())
"""


def test_test_fails_that_blocks_the_loop_and_says_what_to_do(project: Project) -> None:
    project.write(application=APPLICATION, test_it=TESTS)
    done = project.pytest("--loophound")
    assert done.status == 1
    assert done.outcomes == {
        "test_blocks": "failure",
        "test_fine": "passed",
        "test_by_itself": "passed",
    }
    shown = done.shown("test_blocks")
    assert len(shown) <= 15
    assert shown[0] == "the event loop was blocked: 1 call at 1 place"
    assert shown[1] == "application.py:5: blocks"
    assert shown[2] == ">   time.sleep(0.01)"
    assert "ms were asked for" in shown[3]
    assert any("await asyncio.sleep()" in line and "ASYNC251" in line for line in shown)
    assert any(line.strip().startswith("at:application.py:blocks call:") for line in shown)
    assert done.messages["test_blocks"].endswith("at application.py:5: blocks")
    assert "loophound: 0.1.0, strict, scope project, action fail" in done.output


def test_without_being_asked_nothing_is_done(project: Project) -> None:
    project.write(application=APPLICATION, test_it=TESTS)
    done = project.pytest()
    assert done.status == 0
    assert "loophound:" not in done.output


@pytest.mark.parametrize(
    ("scope", "failing"),
    [
        ("project", {"test_blocks"}),
        ("own", {"test_blocks", "test_by_itself"}),
        ("all", {"test_blocks", "test_by_itself"}),
    ],
)
def test_scope_says_whose_blocks_count(project: Project, scope: str, failing: set[str]) -> None:
    project.write(application=APPLICATION, test_it=TESTS)
    done = project.pytest("--loophound", f"--loophound-scope={scope}")
    assert {name for name, outcome in done.outcomes.items() if outcome == "failure"} == failing


MANY = """
import os

async def looks():
    {lines}
"""


def test_message_has_15_lines_and_all_of_it_with_vv(project: Project) -> None:
    lines = "\n    ".join(f"os.path.exists('/usr/{i}')" for i in range(30))
    project.write(application=MANY.format(lines=lines))
    project.write(
        test_it="import asyncio, application\ndef test_a():\n    asyncio.run(application.looks())\n"
    )
    shown = project.pytest("--loophound").shown("test_a")
    assert len(shown) == 15
    assert any("more places: pytest -vv shows all" in line for line in shown)
    whole = "\n".join(project.pytest("--loophound", "-vv").shown("test_a"))
    for line in range(5, 35):
        assert f"application.py:{line}: looks" in whole


PHASES = """
import asyncio
import pytest
import application

@pytest.fixture
def set_up():
    asyncio.run(application.blocks())

@pytest.fixture
def take_down():
    yield
    asyncio.run(application.blocks())

def test_set_up(set_up): pass
def test_take_down(take_down): pass
def test_call(): asyncio.run(application.blocks())
def test_other(): pass
"""


@pytest.mark.parametrize("arguments", [(), ("-n", "2")])
def test_report_belongs_to_the_phase_of_the_test_that_caused_it(
    project: Project, arguments: tuple[str, ...]
) -> None:
    project.write(application=APPLICATION, test_it=PHASES)
    done = project.pytest("--loophound", *arguments)
    assert done.outcomes == {
        "test_set_up": "error",
        "test_take_down": "error",
        "test_call": "failure",
        "test_other": "passed",
    }
    assert "at setup of test_set_up" in done.output
    assert "at teardown of test_take_down" in done.output


FAILS_TOO = """
import asyncio, application

def test_fails():
    asyncio.run(application.blocks())
    assert 1 == 2
"""


def test_failure_of_the_test_itself_stays_and_the_block_stands_beside_it(project: Project) -> None:
    project.write(application=APPLICATION, test_it=FAILS_TOO)
    done = project.pytest("--loophound")
    assert done.outcomes == {"test_fails": "failure"}
    assert "assert 1 == 2" in done.messages["test_fails"]
    assert "application.py:5: blocks" in done.output


MARKED = """
import asyncio
import pytest
import application

def block(): asyncio.run(application.blocks())

@pytest.mark.loophound(off=True)
def test_off(): block()

@pytest.mark.loophound_skip("it is known")
def test_skipped(): block()

@pytest.mark.loophound(allow=["at:application.py:blocks # as before"])
def test_allowed(): block()

@pytest.mark.loophound(threshold="10s")
def test_short(): block()

@pytest.mark.loophound(strict=False)
def test_not_strict(): block()

@pytest.mark.loophound(action="warn")
def test_warns(): block()

@pytest.mark.loophound(threshold="1ms")
def test_long_enough(): block()

@pytest.mark.xfail(strict=True)
def test_expected_to_fail(): block()
"""


def test_markers_say_what_holds_for_a_test(project: Project) -> None:
    project.write(application=APPLICATION, test_it=MARKED)
    done = project.pytest("--loophound", "-W", "default::loophound.BlockingWarning")
    failed = {name for name, outcome in done.outcomes.items() if outcome == "failure"}
    assert failed == {"test_long_enough"}
    assert done.outcomes["test_expected_to_fail"] == "skipped"
    assert "BlockingWarning: the event loop was blocked" in done.output


def test_warning_that_is_an_error_fails_its_test_alone(project: Project) -> None:
    project.write(application=APPLICATION, test_it=MARKED)
    options = ("-W", "error::loophound.BlockingWarning", "-k", "test_warns or test_long_enough")
    done = project.pytest("--loophound", *options)
    assert done.outcomes == {"test_warns": "failure", "test_long_enough": "failure"}, done.output
    assert "BlockingWarning: the event loop was blocked" in done.messages["test_warns"]


NOISY = """
import asyncio
import pytest
import application

def imports(name): asyncio.run(application.imports(name))

def test_usual(): imports("wave")

@pytest.mark.loophound(noise="-import")
def test_asked(): imports("mailbox")

def test_after(): imports("netrc")
"""


def test_marker_has_noise_told_in_its_test_alone(project: Project) -> None:
    project.write(application="async def imports(name): __import__(name)\n", test_it=NOISY)
    done = project.pytest("--loophound")
    assert done.outcomes == {
        "test_usual": "passed",
        "test_asked": "failure",
        "test_after": "passed",
    }, done.output


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("loophound(colour=1)", "marker loophound(colour): it takes"),
        ("loophound(threshold='soon')", "'soon' is no time: expected one as 100ms"),
        ("loophound(scope='mine')", "'mine': expected all or project or own"),
        ("loophound(noise='-all')", "marker loophound(noise): '-all': expected names"),
        ("loophound(allow='at app.py')", "'at' is no condition"),
        ("loophound_skip", "loophound_skip wants a reason"),
    ],
)
def test_bad_marker_is_said_in_one_line(project: Project, marker: str, said: str) -> None:
    project.write(test_it=f"import pytest\n@pytest.mark.{marker}\ndef test_a(): pass\n")
    done = project.pytest("--loophound")
    assert done.status != 0
    assert said in done.output


FIXTURE = """
import asyncio, time

async def sleep():
    time.sleep(0.01)

def test_fails(detect_blocking):
    asyncio.run(sleep())

def test_expects(detect_blocking):
    asyncio.run(sleep())
    (block,) = detect_blocking.blocks
    assert block.place.line == 5 and block.duration_ms >= 9
    assert detect_blocking.dropped == 0
    detect_blocking.clear()

def test_asserts(detect_blocking):
    detect_blocking.assert_none()

def test_not_looked_at():
    asyncio.run(sleep())
"""


def test_fixture_alone_is_enough(project: Project) -> None:
    project.write(test_it=FIXTURE)
    done = project.pytest()
    assert done.outcomes == {
        "test_fails": "failure",
        "test_expects": "passed",
        "test_asserts": "passed",
        "test_not_looked_at": "passed",
    }
    assert "loophound: started again, with the library" in done.output


def test_configuration_is_enough_and_allows_what_is_known(project: Project) -> None:
    project.write(application=APPLICATION, test_it=TESTS)
    project.ini("loophound = true", "loophound_scope = own", "loophound_allow =")
    with (project.directory / "pytest.ini").open("a") as ini:
        ini.write("    at:application.py:blocks # for now\n    call:nothing\n")
    done = project.pytest()
    assert {n for n, o in done.outcomes.items() if o == "failure"} == {"test_by_itself"}
    assert "rule was not used: loophound_allow:2: call:nothing" in done.output
    assert "loophound_allow:1" not in done.output


def test_unused_rules_fail_the_run_where_that_is_asked_for(project: Project) -> None:
    project.write(test_it="def test_a(): pass\n")
    (project.directory / "rules").write_text("# old\ncall:nothing\n")
    rules = ["--loophound-rules=rules", "--loophound"]
    assert project.pytest(*rules).status == 0
    assert project.pytest(*rules, "--loophound-strict-rules").status == 1


@pytest.mark.parametrize("arguments", [(), ("-n", "2")])
def test_baseline_is_written_and_then_quiets_what_it_has(
    project: Project, arguments: tuple[str, ...]
) -> None:
    project.write(application=APPLICATION, test_it=TESTS)
    known = ["--loophound", "--loophound-baseline=known", *arguments]
    first = project.pytest(*known, "--loophound-update-baseline")
    assert first.status == 0
    assert "at:application.py:blocks call:" in (project.directory / "known").read_text()
    assert project.pytest(*known).status == 0
    project.write(application=APPLICATION.replace("blocks", "blocks_anew"))
    project.write(test_it=TESTS.replace("application.blocks", "application.blocks_anew"))
    assert project.pytest(*known).outcomes["test_blocks"] == "failure"


def test_report_file_has_what_was_reported(project: Project) -> None:
    import json

    project.write(application=APPLICATION, test_it=TESTS)
    done = project.pytest("--loophound", "--loophound-report=hits.jsonl", "-n", "1")
    assert done.status == 1
    (event,) = map(json.loads, (project.directory / "hits.jsonl").read_text().splitlines())
    assert event["test"] == "test_it.py::test_blocks (call)"


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--loophound-action=explode", "invalid choice: 'explode'"),
        ("--loophound-rules=none", "No such file or directory"),
        ("--loophound-update-baseline", "--loophound-baseline names the file"),
    ],
)
def test_bad_option_is_said_and_nothing_runs(project: Project, option: str, said: str) -> None:
    project.write(test_it="def test_a(): pass\n")
    done = project.pytest("--loophound", option)
    assert (done.status, done.outcomes) == (4, {})
    assert said in done.output


RAISES = """
import asyncio
import pytest
import loophound
import application

def test_raises():
    async def catches():
        with pytest.raises(loophound.BlockingError, match="application.py:5"):
            await application.blocks()
        return "caught"
    assert asyncio.run(catches()) == "caught"

def test_stops():
    asyncio.run(application.blocks())
    raise AssertionError("not reached")
"""


def test_action_raise_raises_at_the_line_and_what_is_swallowed_still_fails(
    project: Project,
) -> None:
    project.write(application=APPLICATION, test_it=RAISES)
    done = project.pytest("--loophound", "--loophound-action=raise")
    assert done.outcomes == {"test_raises": "failure", "test_stops": "failure"}
    assert "the event loop was blocked" in "\n".join(done.shown("test_raises"))
    assert "time.sleep(0.01)" in "\n".join(done.shown("test_stops"))
    assert "not reached" not in done.messages["test_stops"]


def test_long_names_of_tests_are_told_apart(project: Project) -> None:
    test = """
import asyncio, pytest, application
@pytest.mark.parametrize("i", [0, 1], ids=["x" * 300 + "0", "x" * 300 + "1"])
def test_long(i):
    if i == 1:
        asyncio.run(application.blocks())
"""
    project.write(application=APPLICATION, test_it=test)
    outcomes = project.pytest("--loophound").outcomes
    assert sorted((name[-2], outcome) for name, outcome in outcomes.items()) == [
        ("0", "passed"),
        ("1", "failure"),
    ]


def test_directory_of_the_reports_is_gone_afterwards(project: Project, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    project.write(application=APPLICATION, test_it=TESTS)
    project.pytest("--loophound", "-n", "2", variables={"TMPDIR": str(temporary)})
    assert not list(temporary.glob("loophound-pytest-*"))
