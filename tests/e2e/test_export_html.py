# SPDX-License-Identifier: Apache-2.0
"""loophound export -f html: the page as a person uses it, in a real browser, by clicks and keys."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import made_report
import pytest
from browser import CHROMIUM, Browser, Page
from harness import run_command
from made_report import Report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

OURS_BYTES = 40 * 1024
ROWS = "#places-table tbody tr"
Open = Callable[..., AbstractContextManager[Page]]


def export(report: Report, directory: Path) -> Path:
    page = directory / "hits.html"
    done = run_command("export", "-f", "html", "-o", page, report.write(directory / "hits.jsonl"))
    assert done.returncode == 0 and "left out" not in done.stderr
    return page


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.end()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Open:
    @contextmanager
    def opened(report: Report | None = None) -> Iterator[Page]:
        with browser.page(export(report or made_report.shop(), tmp_path)) as page:
            yield page

    return opened


def data_of(page: Path) -> dict[str, object]:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    assert isinstance(data, dict)
    return data


def columns(page: Page, number: int) -> list[str]:
    return [text.split("\n")[0] for text in page.texts(f"{ROWS} td:nth-child({number})")]


def ms(text: str) -> float:
    return float(text.replace(",", ""))


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def tab_to(page: Page, selector: str, most: int = 40) -> None:
    """With the Tab key alone."""
    for _ in range(most):
        if page.evaluate(f"document.activeElement.matches({selector!r})"):
            return
        page.key("Tab")
    raise AssertionError(f"Tab does not reach {selector}, but {page.focused()}")


def test_what_is_ours_is_less_than_40_kb(tmp_path: Path) -> None:
    page = export(made_report.shop(), tmp_path)
    begin, _, rest = page.read_bytes().partition(b'id="data">')
    _, _, end = rest.partition(b"</script>")
    assert 10_000 < len(begin) + len(end) < OURS_BYTES


def test_header_says_what_was_watched_and_what_it_comes_to(open_page: Open) -> None:
    report = made_report.shop()
    with open_page(report) as page:
        facts = page.text("#facts")
        for fact in ("python3 -m uvicorn shop:app", "CPython 3.11.2", "build-7", "2026-11-29 14:53:02", "50.0 ms",
                     "10 blocks and 1 stall on 1 loop thread", f"{report.ms / 1000:.2f} s in all"):  # fmt: skip
            assert fact in facts
        assert page.text("h1") == "What blocked the event loop"
        assert page.evaluate("document.title") == "python3.11: loophound report"


def test_places_and_flame_view_add_up_to_the_summary(open_page: Open) -> None:
    report = made_report.shop()
    with open_page(report) as page:
        assert sum(ms(total) for total in columns(page, 1)) == pytest.approx(report.ms, abs=0.3)
        assert page.texts("#places-table tfoot td")[0] == f"{report.ms:,.1f}"
        assert f"all: {report.ms / 1000:.2f} s, 100.0 %" in str(page.evaluate(
            "document.querySelector('.box.root').getAttribute('aria-label')"))  # fmt: skip


def test_a_row_has_the_call_the_line_its_source_who_waited_and_the_advice(open_page: Open) -> None:
    with open_page() as page:
        (row,) = (text for text in page.texts(ROWS) if "save" in text)
        for part in ("615.0", "105.0", "6", "18, up to 90.0 ms", "clock_nanosleep", "app.py:12 save",
                     "time.sleep(0.1)", "Advice: use await asyncio.sleep()", "ruff ASYNC251"):  # fmt: skip
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
        for part in ("Block, 105.0 ms", "1 of 6 here", "use await asyncio.sleep()", "MainThread",
                     "Task-7 (Shop.save)", "tests/test_shop.py::test_save", "3 descriptors ready, up to 90.0 ms"):  # fmt: skip
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
        for part in ("Stall, 250.0 ms", "computing 150.0 ms", "waiting for a processor 40.0 ms",
                     "waiting for the GIL 20.0 ms", "many short calls 30.0 ms", "of unknown kind 10.0 ms", "60.0 %, 150.0 ms", "other()"):  # fmt: skip
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


def test_the_switch_turns_dark_and_back_and_the_system_says_at_first(open_page: Open) -> None:
    with open_page() as page:
        light = background(page)
        page.click("#theme")
        dark = background(page)
        assert dark != light and page.evaluate("theme.getAttribute('aria-pressed')") == "true"
        page.click("#theme")
        assert background(page) == light
    with open_page() as page:
        page.look(dark=True)
        assert background(page) == dark


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


# The contrast of each text with what is behind it, as WCAG 2 counts it: [ratio, text] of the worst.
CONTRAST = """(() => {
  const light = (c) => { const v = c.map(x => (x /= 255) <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  let worst = [99, ''];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.checkVisibility() || e.closest('script,style,.skip,button:disabled')) continue;
    const a = light(parts(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < worst[0]) worst = [ratio, e.outerHTML.slice(0, 200)];
  }
  return worst; })()"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_all_text_has_the_contrast_that_wcag_asks_for(open_page: Open, dark: bool) -> None:
    with open_page() as page:
        page.look(dark=dark)
        page.click(ROWS, 3, at=0.3)
        ratio, text = page.evaluate(CONTRAST)
        assert ratio >= 4.5, text
        page.click("#search")
        page.type("save")
        ratio, text = page.evaluate(CONTRAST)
        assert ratio >= 4.5, text


@pytest.mark.parametrize("width", [320, 400, 800, 1280, 1920])
def test_nothing_is_wider_than_the_window(open_page: Open, width: int) -> None:
    with open_page() as page:
        page.look(width=width)
        fits = "document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll('.scroll')].every(e => e.scrollWidth <= e.clientWidth + 1)"
        assert page.evaluate(fits)
        page.click(ROWS, 0, at=0.3)
        assert page.evaluate(fits)
        left, _, own, _ = page.box("#details")
        assert left >= 0 and left + own <= width + 1


def test_print_has_the_table_the_worst_stacks_and_light_colours(open_page: Open) -> None:
    with open_page() as page:
        page.click("#theme")
        page.evaluate("""addEventListener('beforeprint', () => {
            window.printed = [stacks.innerText, getComputedStyle(document.body).backgroundColor]; })""")
        assert page.pdf().startswith(b"%PDF-")
        stacks, paper = page.evaluate("window.printed")
        assert paper == "rgb(255, 255, 255)"
        page.look(media="print")
        assert page.evaluate(
            "[theme, search, keys].every(e => !e.checkVisibility()) && facts.checkVisibility()"
        )
        for part in (
            "The worst places",
            "615.0 ms in 6 events, worst 105.0 ms",
            "time.sleep(0.1)",
            "use httpx.AsyncClient",
        ):
            assert part in stacks
        page.look()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_names_that_look_like_markup_do_no_harm(open_page: Open) -> None:
    report = Report()
    names = list(made_report.hostile())
    report.start(
        exe="/bin/" + names[0], argv=names, service=names[1], host=names[2], warnings=names
    )
    for name in names:
        report.block(name, 3, 100, file=f"/srv/{name}", source=name, task={"name": name, "coroutine": name, "callback": None},
                     test=name, labels={name: name}, advice={"rule": name, "text": name}, thread=name,
                     resource={"kind": "file", "fd": 3, "path": name},
                     holder={"tid": 1, "thread": name, "deadlock": True, "running": False,
                             "stack": [made_report.python(name, name, 1, source=name)]})  # fmt: skip
        report.now += 0.1
    report.summary()
    with open_page(report) as page:
        page.evaluate("window.alert = () => console.error('an alert')")
        assert len(page.texts(ROWS)) == len(names)
        for index in range(len(names)):
            page.click(ROWS, index, at=0.2)
            assert "Deadlock" in page.text("#details")
            page.key("Escape")
        page.pdf()
        assert page.evaluate("document.querySelectorAll('img, script:not([type])').length") == 1
        assert "<img src=x onerror=alert(2)>" in page.text("#facts")
        text = page.evaluate("document.body.innerText")
        assert "\\u202egnp.exe\\u202c" in text and "\u202e" not in text and "\\u2028" in text
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_script_that_got_in_would_not_run_and_could_fetch_nothing(
    open_page: Open, tmp_path: Path
) -> None:
    page_file = export(made_report.shop(), tmp_path)
    policy = re.search(
        r'Content-Security-Policy" content="([^"]*)"', page_file.read_text(encoding="utf-8")
    )
    assert policy is not None and policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    with open_page() as page:
        page.evaluate("""(() => { const s = document.createElement('script'); s.textContent = 'window.bad = 1';
            document.body.append(s); })()""")
        assert page.evaluate("window.bad") is None
        assert (
            page.evaluate(
                "fetch('https://example.invalid/').then(() => 'fetched', () => 'refused')"
            )
            == "refused"
        )
        assert len(page.problems) >= 2
        page.problems.clear()


def test_nothing_found_is_said_with_what_was_watched(open_page: Open) -> None:
    report = Report()
    report.start()
    report.summary(suppressed=3)
    with open_page(report) as page:
        assert page.text("#empty") == (
            "Nothing blocked\n\n"
            "1 loop thread was watched, and no call or iteration there took 50.0 ms or longer.\n\n"
            "Rules keep 3 events quiet."
        )
        assert page.evaluate("main.hidden")


def test_nothing_watched_is_said_with_the_reason(open_page: Open) -> None:
    report = Report()
    report.add("summary", loops=0, blocks=0, stalls=0, suppressed=0, known=None, rules=[], dropped=0,
               blocked_ms=0, by_call=[], quiet={}, why="the program is linked statically")  # fmt: skip
    with open_page(report) as page:
        assert page.text("#empty") == "Nothing was watched\n\nthe program is linked statically"


def test_what_is_lost_or_not_written_is_said(open_page: Open) -> None:
    report = Report()
    report.start(warnings=["io_uring by inline system calls is not seen"])
    report.block("save", 3, 100)
    report.summary(blocks=5, dropped=2, suppressed=4)
    with open_page(report) as page:
        notes = page.text("#notes")
        assert "4 events more, counted by the programs, were not written in full." in notes
        assert "2 reports were lost" in notes and "What could not be seen" in notes
        assert "2 reports lost" in page.text("#facts")
        page.click("#notes summary")
        assert "io_uring by inline system calls is not seen" in page.text("#notes")


def test_more_than_10000_events_are_all_there_but_the_shorter_ones_details(open_page: Open) -> None:
    report = made_report.many(10_300, 90)
    with open_page(report) as page:
        assert (
            "Of 300 shorter events the resource, the holder and the like are left out."
            in page.text("#notes")
        )
        assert "10,300 events" in page.text("#range-text")
        assert page.texts("#places-table tfoot td")[0] == f"{report.ms:,.1f}"
        assert len(page.texts(ROWS)) == 20
        page.click("#more-places")
        assert len(page.texts(ROWS)) == 70
        page.drag("#range", 0.2, 0.3)
        assert page.evaluate("document.querySelectorAll('.box').length") > 20


def test_loop_threads_beyond_a_dozen_are_shown_on_demand(open_page: Open) -> None:
    report = Report()
    report.start()
    for number in range(15):
        report.block("save", 3, 100 + number, tid=5000 + number, thread=f"loop-{number}")
    report.summary(loops=15)
    with open_page(report) as page:
        assert len(page.texts(".lane")) == 12
        page.click("#more-lanes")
        assert len(page.texts(".lane")) == 16  # the main thread had nothing
        page.click(".lane", 14, at=0.5 / 15)
        assert "Block, 100.0 ms" in page.text("#details")


def test_the_blocks_within_a_stalls_iteration_are_clicked_before_it(
    open_page: Open, tmp_path: Path
) -> None:
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
        page.click(".lane", at=0.7)
        assert "Stall, 300.0 ms" in page.text("#details")
