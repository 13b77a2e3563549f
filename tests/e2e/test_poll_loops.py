# SPDX-License-Identifier: Apache-2.0
"""Event loops that park in poll or select, found without being told; and what is none."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from harness import (
    PROGRAMS,
    PYTHON,
    ROOT,
    SLOWNESS,
    blocks,
    describe,
    first_frame_in,
    functions,
    of_type,
    read_events,
    run_command,
    run_preloaded,
)

SERVER = PROGRAMS / "poll_loops"
APP = ROOT / "tests" / "programs" / "python" / "poll_loop.py"
TEXT = APP.read_text().splitlines()

every_park = pytest.mark.parametrize("park", ["poll", "ppoll", "select", "pselect"])
every_selector = pytest.mark.parametrize("selector", ["PollSelector", "SelectSelector"])


def line_of(code: str) -> int:
    return next(number for number, line in enumerate(TEXT, 1) if line.strip().startswith(code))


def run(argv: list, hits: Path, **options: Any) -> tuple[list, list]:
    """The loop and the block events of a program that has a loop thread."""
    options.setdefault("THRESHOLD", f"{20 * SLOWNESS}ms")
    done, events = run_preloaded(argv, hits, **options)
    assert done.returncode == 0, done
    assert done.stderr == ""
    return of_type(events, "loop"), blocks(events)


@every_park
def test_plain_server_is_found_and_its_sleep_reported(park: str, hits: Path) -> None:
    (loop,), found = run([SERVER, park, "sleep"], hits)
    assert (loop["how"], loop["fd"]) == (park, None)
    (block,) = found
    assert block["call"] == "nanosleep"
    assert "sleep_in_handler" in functions(block)


@every_park
def test_plain_server_that_does_nothing_wrong_is_silent(park: str, hits: Path) -> None:
    loops, found = run([SERVER, park, "nothing"], hits)
    assert len(loops) == 1
    assert found == [], describe(found)


@every_park
def test_client_in_a_handler_that_polls_its_socket_is_a_block(park: str, hits: Path) -> None:
    _, (block,) = run([SERVER, park, "client"], hits)
    assert block["call"] == "poll"
    assert "ask_somebody" in functions(block)


@every_park
def test_loop_ends_when_its_listening_socket_is_closed(park: str, hits: Path) -> None:
    loops, found = run([SERVER, park, "after"], hits)
    assert len(loops) == 1
    after = [block for block in found if "sleep_after" in functions(block)]
    assert after == [], describe(found)  # its writes take long on a busy machine


@every_park
def test_loop_that_goes_on_with_epoll_parks_there_only(park: str, hits: Path) -> None:
    loops, found = run([SERVER, park, "epoll"], hits)
    assert len(loops) == 1, "it is the same loop thread"
    assert [block["call"] for block in found] == ["poll", "nanosleep"]


def test_loop_of_a_known_library_is_one_from_its_first_wait_on(hits: Path) -> None:
    """What its first handler does is told; the same library's own wait for a program, too."""
    loops, (sleep, *waits) = run([PROGRAMS / "glib_loop", "first"], hits)
    assert len(loops) == 1
    assert "sleep_in_handler" in functions(sleep), describe([sleep])
    assert waits and all("start_a_program" in functions(block) for block in waits)


def test_known_library_that_waits_for_a_program_is_no_loop(hits: Path) -> None:
    done = run_command("run", "-t", "20ms", "-o", hits, "--", PROGRAMS / "glib_loop", "none")
    assert done.returncode == 0, done
    assert "0 loop threads, 0 blocks" in done.stderr


def test_main_thread_as_loop_by_option_finds_its_park_by_the_same_rule(hits: Path) -> None:
    (loop,), found = run([SERVER, "poll", "sleep"], hits, LOOP="main")
    assert loop["how"] == "main"
    calls = [block["call"] for block in found]
    # Until it is known where the loop parks its polls are blocks; its last one, for 200 ms, is not.
    assert calls.count("nanosleep") == 1
    assert calls[-1] == "nanosleep"


def test_none_finds_no_loop_in_poll_either(hits: Path) -> None:
    done = run_command("run", "--loop", "none", "-o", hits, "--", SERVER, "poll", "sleep")
    assert done.returncode == 0
    assert of_type(read_events(hits), "loop") == []


@every_selector
def test_asyncio_without_epoll_is_found_and_its_sleep_reported(selector: str, hits: Path) -> None:
    (loop,), found = run([PYTHON, APP, selector, "sleep"], hits)
    assert loop["how"] == selector.removesuffix("Selector").lower()
    (block,) = found
    assert block["call"] == "clock_nanosleep"
    frame = first_frame_in(block, APP.name)
    assert frame and (frame["function"], frame["line"]) == ("sleep", line_of("time.sleep"))
    assert "main" in functions(block)


@every_selector
def test_asyncio_without_epoll_that_does_nothing_wrong_is_silent(selector: str, hits: Path) -> None:
    loops, found = run([PYTHON, APP, selector, "nothing"], hits)
    assert len(loops) == 1
    assert found == [], describe(found)


@every_selector
def test_polling_other_pipes_by_the_loops_own_line_of_c_is_a_block(
    selector: str, hits: Path
) -> None:
    """subprocess and PollSelector both call CPython's one poll(): the descriptors tell."""
    _, found = run([PYTHON, APP, selector, "communicate"], hits, THRESHOLD="2ms", STACK="full")
    polls = [block for block in found if block["call"] == "poll"]
    assert polls, describe(found)
    for block in polls:
        frame = first_frame_in(block, APP.name)
        assert frame and frame["function"] == "communicate"


@every_selector
def test_clients_and_servers_without_an_event_loop_are_none(selector: str, hits: Path) -> None:
    """http.client, serve_forever(), multiprocessing's pipes and subprocess all poll a lot."""
    done = run_command("run", "-t", "20ms", "-o", hits, "--", PYTHON, APP, selector, "synchronous")
    assert done.returncode == 0, done
    events = read_events(hits)
    assert of_type(events, "loop") == [], describe(events)
    assert "0 loop threads, 0 blocks" in done.stderr


class Pieces(BaseHTTPRequestHandler):
    """An answer in several pieces, so that a client has to wait for it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(4):
            self.wfile.write(b"x" * 1000)
            self.wfile.flush()
            time.sleep(0.002)

    def log_message(self, *_: object) -> None:
        pass


def test_transfers_by_libcurl_are_no_event_loop(hits: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pieces) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        done = run_command("run", "-o", hits, "--", PROGRAMS / "curl_client", url, "10")
        server.shutdown()
    assert done.returncode == 0, done
    assert "0 loop threads, 0 blocks" in done.stderr
