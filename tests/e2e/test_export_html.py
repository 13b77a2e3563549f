# SPDX-License-Identifier: Apache-2.0
"""loophound export -f html: the page as a person uses it, in a real browser, by clicks and keys."""

from __future__ import annotations

import re

import made_report
import pytest
from browser import Page
from exported_page import ROWS, Open
from made_report import Report


def columns(page: Page, number: int) -> list[str]:
    return [text.split("\n")[0] for text in page.texts(f"{ROWS} td:nth-child({number})")]


def ms(text: str) -> float:
    return float(text.replace(",", ""))


def tab_to(page: Page, selector: str, most: int = 40) -> None:
    """With the Tab key alone."""
    for _ in range(most):
        if page.evaluate(f"document.activeElement.matches({selector!r})"):
            return
        page.key("Tab")
    raise AssertionError(f"Tab does not reach {selector}, but {page.focused()}")


def test_header_says_what_was_watched_and_what_it_comes_to(open_page: Open) -> None:
    report = made_report.shop()
    with open_page(report) as page:
        facts = page.text("#facts")
        for fact in (
            "python3 -m uvicorn shop:app",
            "CPython 3.11.2",
            "build-7",
            "2026-11-29 14:53:02",
            "50.0 ms",
            "10 blocks and 1 stall on 1 loop thread",
            f"{report.ms / 1000:.2f} s in all",
        ):
            assert fact in facts
        assert page.text("h1") == "What blocked the event loop"
        assert page.evaluate("document.title") == "python3.11: loophound report"


def test_places_and_flame_view_add_up_to_the_summary(open_page: Open) -> None:
    report = made_report.shop()
    with open_page(report) as page:
        assert sum(ms(total) for total in columns(page, 1)) == pytest.approx(report.ms, abs=0.3)
        assert page.texts("#places-table tfoot td")[0] == f"{report.ms:,.1f}"
        assert f"all: {report.ms / 1000:.2f} s, 100.0 %" in str(
            page.evaluate("document.querySelector('.box.root').getAttribute('aria-label')")
        )


def test_a_row_has_the_call_the_line_its_source_who_waited_and_the_advice(open_page: Open) -> None:
    with open_page() as page:
        (row,) = (text for text in page.texts(ROWS) if "save" in text)
        for part in (
            "615.0",
            "105.0",
            "6",
            "18, up to 90.0 ms",
            "clock_nanosleep",
            "app.py:12 save",
            "time.sleep(0.1)",
            "Advice: use await asyncio.sleep()",
            "ruff ASYNC251",
        ):
            assert part in row


def test_a_click_on_a_heading_sorts_and_another_turns_it_around(open_page: Open) -> None:
    with open_page() as page:
        assert [ms(total) for total in columns(page, 1)] == sorted(
            map(ms, columns(page, 1)), reverse=True
        )
        page.click("#sort-worst")
        worst = [ms(text) for text in columns(page, 2)]
        assert worst == sorted(worst, reverse=True) and worst[0] == 300
        page.click("#sort-worst")
        assert [ms(text) for text in columns(page, 2)] == sorted(worst)
        page.click("#sort-call")
        calls = columns(page, 5)
        assert calls == sorted(calls)
        assert page.texts("th[aria-sort=ascending]") == ["Call↑"]


def test_a_row_opens_its_worst_event_and_escape_goes_back_to_it(open_page: Open) -> None:
    with open_page() as page:
        page.click(ROWS, 0, at=0.3)
        details = page.text("#details")
        for part in (
            "Block, 105.0 ms",
            "1 of 6 here",
            "use await asyncio.sleep()",
            "MainThread",
            "Task-7 (Shop.save)",
            "tests/test_shop.py::test_save",
            "3 descriptors ready, up to 90.0 ms",
        ):
            assert part in details
        assert page.texts(".stack .place") == ["▶ /srv/shop/app.py:12 save\ntime.sleep(0.1)"]
        assert page.evaluate("document.querySelectorAll('tr[aria-selected=true]').length") == 1
        page.key("Escape")
        assert page.evaluate("document.getElementById('details').hidden")
        assert page.evaluate("document.activeElement.matches('tr')")


def test_frames_that_are_not_the_users_are_folded_and_open_by_a_click(open_page: Open) -> None:
    with open_page() as page:
        page.click(ROWS, 1, at=0.3)
        folded = page.texts("#details .folded summary")
        assert folded[0].startswith("3 frames of") and "requests 2.31" in folded[0]
        assert "starlette 0.37" in folded[1]
        assert "Session.send" not in page.text("#details")
        page.click("#details .folded summary")
        assert "Session.send" in page.text("#details")
        assert "socket 10.0.0.7:443" in page.text("#details")


def test_the_holder_of_a_lock_is_shown_with_its_stack(open_page: Open) -> None:
    with open_page() as page:
        (index,) = (at for at, text in enumerate(page.texts(ROWS)) if "count" in text)
        page.click(ROWS, index, at=0.3)
        details = page.text("#details")
        for part in (
            "worker-1 (4720)",
            "request=GET /count",
            "Where the holder is",
            "rows = fetch()",
        ):
            assert part in details


def test_a_stall_is_told_by_its_parts_and_the_stacks_that_it_was_in(open_page: Open) -> None:
    with open_page() as page:
        (index,) = (at for at, text in enumerate(page.texts(ROWS)) if "render" in text)
        page.click(ROWS, index, at=0.3)
        details = page.text("#details")
        for part in (
            "Stall, 250.0 ms",
            "computing 150.0 ms",
            "waiting for a processor 40.0 ms",
            "waiting for the GIL 20.0 ms",
            "many short calls 30.0 ms",
            "of unknown kind 10.0 ms",
            "60.0 %, 150.0 ms",
            "other()",
        ):
            assert part in details
        widths = page.evaluate(
            "[...document.querySelectorAll('.parts i')].map(e => e.getBoundingClientRect().width)"
        )
        assert widths[0] == pytest.approx(sum(widths) * 150 / 250, rel=0.02)


def test_brackets_go_through_the_events_of_a_place(open_page: Open) -> None:
    with open_page() as page:
        page.click(ROWS, 0, at=0.3)
        page.key("]")
        assert "Block, 104.0 ms" in page.text("#details") and "2 of 6" in page.text("#details")
        page.click("#event-worse")
        assert "Block, 105.0 ms" in page.text("#details")


def test_a_click_on_the_time_line_opens_what_is_there(open_page: Open) -> None:
    report = made_report.shop()
    with open_page(report) as page:
        page.click(".lane", at=0.05 / report.now)
        assert "Block, 100.0 ms" in page.text("#details")
        page.key("Escape")
        page.click(".lane", at=(report.now - 0.1) / report.now)
        assert "Stall, 250.0 ms" in page.text("#details")


def test_what_the_pointer_is_on_is_said_below_the_time_line(open_page: Open) -> None:
    report = made_report.shop()
    with open_page(report) as page:
        page.point(".lane", at=0.05 / report.now)
        assert page.text("#pointed").startswith(
            "block in clock_nanosleep, 100.0 ms, app.py:12 save"
        )
        page.point(".lane", at=0.3 / report.now)
        assert page.text("#pointed") == ""


def test_a_drag_chooses_a_part_of_the_time_and_all_views_follow(open_page: Open) -> None:
    report = made_report.shop()
    with open_page(report) as page:
        page.drag("#range", 0.9, 1.0)
        assert "Events that touch it count whole" in page.text("#range-text")
        assert {"save", "price"} & set(re.findall(r"\w+", " ".join(page.texts(ROWS)))) == set()
        assert "render" in " ".join(page.texts(ROWS))
        assert not any("save" in text for text in page.texts(".box"))
        page.click("#whole")
        assert page.text("#range-text").startswith("The whole time: 11 events")
        assert any("save" in text for text in page.texts(".box"))


def test_an_end_of_the_time_range_is_dragged(open_page: Open) -> None:
    with open_page() as page:
        page.drag("#range", 1.0, 0.5)
        assert re.match(r"0\.0 ms to 2\.[34]\d s: ", page.text("#range-text"))
        assert "render" not in " ".join(page.texts(ROWS))


def test_calls_that_were_met_again_count_at_their_place(open_page: Open) -> None:
    report = Report()
    report.start(strict=True)
    report.block("save", 12, 60, reason="strict", test="test_save")
    report.add(
        "repeated",
        id=report.number,
        call="clock_nanosleep",
        count=4,
        total_ms=40,
        test="test_save",
        labels=None,
    )
    report.blocks += 4
    report.summary()
    with open_page(report) as page:
        assert (columns(page, 1), columns(page, 3)) == (["100.0"], ["5"])
        assert "5 blocks" in page.text("#facts") and "100.0 ms in all" in page.text("#facts")
        assert "strict mode" in page.text("#facts")
        page.click(ROWS, 0, at=0.3)
        assert "5, 100.0 ms in all" in page.text("#details")


def test_what_had_not_ended_and_what_is_known_says_so(open_page: Open) -> None:
    report = Report()
    report.start()
    report.block("wait", 12, 5000, ended=False)
    report.block("save", 20, 100, known=True)
    report.summary()
    with open_page(report) as page:
        first, second = page.texts(ROWS)
        assert "(no end)" in first and "known" not in first and "known" in second
        page.click(ROWS, 0, at=0.3)
        assert "Block, 5.00 s and no end" in page.text("#details")


def test_a_click_zooms_the_flame_view_and_a_button_and_escape_come_back(open_page: Open) -> None:
    with open_page() as page:
        whole = page.texts(".box")
        price = next(at for at, text in enumerate(whole) if text.startswith("price"))
        narrow = page.box(".box", price)[2]
        page.click(".box", price)
        wide = next(at for at, text in enumerate(page.texts(".box")) if text.startswith("price"))
        assert page.box(".box", wide)[2] > 2 * narrow
        assert not any(text.startswith("save") for text in page.texts(".box"))
        assert "603.0 ms" in page.text("#flame-text")
        page.click("#flame-event")
        assert "Block, 202.0 ms" in page.text("#details")
        page.key("Escape")
        page.click("#zoom-out")
        assert page.texts(".box") == whole
        page.click(".box", price)
        for _ in range(4):
            page.key("Escape")
        assert page.texts(".box") == whole


def test_the_flame_view_begins_at_the_loop_and_shows_all_frames_when_asked(open_page: Open) -> None:
    with open_page() as page:
        assert page.texts(".box")[1].startswith("Handle._run")
        assert not any("_start" in text or "time_sleep" in text for text in page.texts(".box"))
        page.click("#every-frame")
        assert page.texts(".box")[1].startswith("_start")
        assert any("time_sleep" in text for text in page.texts(".box"))


def test_the_search_marks_what_it_finds_and_says_how_much_time_that_is(open_page: Open) -> None:
    with open_page() as page:
        page.click("#search")
        page.type("requests")
        assert "603.0 ms" in page.text("#flame-text") and "“requests”" in page.text("#flame-text")
        assert {text.split()[0] for text in page.texts(".box.found")} == {"get", "Session.send"}
        page.type("!")
        assert page.text("#flame-text").startswith("Nothing is in calls with")
        page.key("Escape")
        assert page.texts(".box.found") == [] and page.evaluate("search.value") == ""


def test_everything_can_be_done_by_keyboard(open_page: Open) -> None:
    with open_page() as page:
        tab_to(page, "#theme")
        page.key("Enter")
        assert page.evaluate("theme.getAttribute('aria-pressed')") == "true"
        tab_to(page, "#range-from")
        page.key("PageUp")
        assert page.evaluate("document.activeElement.getAttribute('aria-valuetext')").endswith(
            "after the begin"
        )
        assert not page.text("#range-text").startswith("The whole time")
        page.key("Escape")
        assert page.text("#range-text").startswith("The whole time")
        tab_to(page, ".lane")
        page.key("ArrowRight")
        page.key("ArrowRight")
        assert "Block, 101.0 ms" in page.text("#details")
        assert "101.0 ms" in page.evaluate("document.activeElement.getAttribute('aria-valuetext')")
        page.key("Escape")
        assert page.evaluate("document.activeElement.matches('.lane')")
        tab_to(page, "#sort-worst")
        page.key("Enter")
        assert page.texts("th[aria-sort=descending]") == ["Worst, ms↓"]
        tab_to(page, "tr")
        page.key("ArrowDown")
        page.key("Enter")
        assert "Stall, 250.0 ms" in page.text("#details")
        page.key("Escape")
        assert page.evaluate("document.activeElement.matches('tr')")
        page.key("/")
        page.type("save")
        assert len(page.texts(".box.found")) == 1
        page.key("Escape")
        tab_to(page, ".box")
        for _ in range(3):
            page.key("ArrowDown")
        page.key("ArrowRight")
        page.key("ArrowUp")
        page.key("Enter")
        assert not page.evaluate("document.getElementById('zoom-out').hidden")


def test_what_has_the_focus_can_be_seen(open_page: Open) -> None:
    with open_page() as page:
        for selector in ("#theme", "#range-to", ".lane", "#sort-call", "tr", "#search", ".box"):
            tab_to(page, selector)
            outline = "getComputedStyle(document.activeElement)"
            assert page.evaluate(f"{outline}.outlineStyle") == "solid", selector
            assert page.evaluate(f"parseFloat({outline}.outlineWidth)") >= 2, selector


def test_the_blocks_within_a_stalls_iteration_are_clicked_before_it(open_page: Open) -> None:
    report = Report()
    report.start()
    report.block("save", 3, 100)
    report.stall("render", 70, 300, (300, 0, 0, 0))
    report.lines[-1]["start"] = report.lines[-2]["start"]  # one iteration of 400 ms
    report.summary()
    with open_page(report) as page:
        page.click(".lane", at=0.1)
        assert "Block, 100.0 ms" in page.text("#details")
        page.key("Escape")
        page.click(".lane", at=0.9)
        assert "Stall, 300.0 ms" in page.text("#details")
