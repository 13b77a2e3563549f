# SPDX-License-Identifier: Apache-2.0
"""Event loops of C programs: the call that blocks one is named, and the function it came from."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import describe, functions, of_type, read_events
from line_server import KINDS, assert_named, check_clean, run_wrong
from watched import BUILT, has_function

# The program, what its loop parks in, and the function of it that calls the program's.
LOOPS = [
    ("uv_loop", "epoll", "uv_run"),
    ("ev_loop", "epoll", "ev_run"),
    ("ev_loop", "poll", "ev_run"),
    ("ev_loop", "select", "ev_run"),
    ("event_loop", "epoll", "event_base_loop"),
    ("event_loop", "poll", "event_base_loop"),
    ("event_loop", "select", "event_base_loop"),
    ("glib_loop", "poll", "g_main_loop_run"),
    ("plain_loop", "poll", "handle_ready"),
    ("plain_loop", "select", "handle_ready"),
]
every_loop = pytest.mark.parametrize(
    ("program", "park", "turner"), LOOPS, ids=[f"{loop[0]}-{loop[1]}" for loop in LOOPS]
)
CALLS_OF = {
    "epoll": {"epoll_wait", "epoll_pwait"},
    "poll": {"poll", "ppoll"},
    "select": {"select"},
}
C_KINDS = [kind for kind in KINDS if kind != "database"]


def argv(program: str, park: str) -> list[str | Path]:
    return [BUILT / program, park]


def assert_parks_in(hits: Path, park: str) -> None:
    (loop,) = of_type(read_events(hits), "loop")
    assert loop["how"] in CALLS_OF[park]


@every_loop
@pytest.mark.parametrize("kind", C_KINDS)
def test_wait_in_a_callback_is_named(
    program: str, park: str, turner: str, kind: str, tmp_path: Path, hits: Path
) -> None:
    events, stage = run_wrong(argv(program, park), kind, tmp_path, hits)
    (block,) = assert_named(events, kind, stage)
    innermost = block["stack"][0]
    names = [name.split(".")[0] for name in functions(block)]  # gcc adds .constprop.0 and the like
    assert (innermost["lang"], innermost["function"]) == ("native", f"blocking_{kind}")
    assert Path(innermost["file"]).name == "waits.h" and innermost["line"]
    order = [names.index(name) for name in ("do_work", "handle_line", turner, "main")]
    assert order == sorted(order), names
    assert_parks_in(hits, park)


@pytest.mark.parametrize(
    ("program", "park"),
    [
        pytest.param(*loop[:2], id=f"{loop[0]}-{loop[1]}")
        for loop in LOOPS
        if loop[0] != "plain_loop"
    ],
)
def test_what_the_program_does_after_its_loop_is_silent(
    program: str, park: str, tmp_path: Path, hits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDY_UP", "1")
    events, stage = run_wrong(argv(program, park), "sleep", tmp_path, hits)
    (block,) = assert_named(events, "sleep", stage)
    told = [event for event in events if event["type"] in ("block", "inflight", "stall")]
    assert [event["id"] for event in told if event["id"] != block["id"]] == [], describe(told)
    assert has_function(block, "do_work")


@every_loop
def test_the_same_waits_by_threads_are_silent(
    program: str, park: str, turner: str, tmp_path: Path, hits: Path
) -> None:
    check_clean(argv(program, park), C_KINDS, tmp_path, hits)
    assert_parks_in(hits, park)


@every_loop
def test_names_looked_up_by_a_thread_are_silent_in_strict_mode_too(
    program: str, park: str, turner: str, tmp_path: Path, hits: Path
) -> None:
    check_clean(argv(program, park), ["look_up"], tmp_path, hits, KINDS["look_up"].flags())
    assert_parks_in(hits, park)
