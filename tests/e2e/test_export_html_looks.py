# SPDX-License-Identifier: Apache-2.0
"""loophound export -f html: how the page looks on any screen and on paper, with any names, with
nothing to show and with very much."""

from __future__ import annotations

import json
import re
from pathlib import Path

import made_report
import pytest
from browser import Page
from exported_page import ROWS, Open, export
from made_report import Report

OURS_BYTES = 40 * 1024


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_what_is_ours_is_less_than_40_kb(tmp_path: Path) -> None:
    page = export(made_report.shop(), tmp_path)
    begin, _, rest = page.read_bytes().partition(b'id="data">')
    _, _, end = rest.partition(b"</script>")
    assert 10_000 < len(begin) + len(end) < OURS_BYTES


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


# The contrast of each text with what is behind it, as WCAG 2 counts it: [ratio, text] of the worst.
CONTRAST = """(() => {
  const light = (c) => {
    const v = c.map(x => (x /= 255) <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (e) => { for (; e; e = e.parentElement) {
    const c = parts(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  let worst = [99, ''];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.checkVisibility()) continue;
    if (e.closest('script,style,.skip,button:disabled')) continue;
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
        fits = (
            "document.documentElement.scrollWidth <= innerWidth && "
            "[...document.querySelectorAll('.scroll')]"
            ".every(e => e.scrollWidth <= e.clientWidth + 1)"
        )
        assert page.evaluate(fits)
        page.click(ROWS, 0, at=0.3)
        assert page.evaluate(fits)
        left, _, own, _ = page.box("#details")
        assert left >= 0 and left + own <= width + 1


def test_print_has_the_table_the_worst_stacks_and_light_colours(open_page: Open) -> None:
    with open_page() as page:
        page.click("#theme")
        page.evaluate("""addEventListener('beforeprint', () => {
            window.printed = [stacks.innerText, getComputedStyle(document.body).backgroundColor];
        })""")
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
        report.block(
            name,
            3,
            100,
            file=f"/srv/{name}",
            source=name,
            task={"name": name, "coroutine": name, "callback": None, "kind": None},
            test=name,
            labels={name: name},
            advice={"rule": name, "text": name},
            thread=name,
            resource={"kind": "file", "fd": 3, "path": name},
            holder={
                "tid": 1,
                "thread": name,
                "deadlock": True,
                "running": False,
                "stack": [made_report.python(name, name, 1, source=name)],
            },
        )
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
        page.evaluate("""(() => { const s = document.createElement('script');
            s.textContent = 'window.bad = 1';
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


def test_the_times_of_stacks_are_the_events_to_the_last_microsecond(tmp_path: Path) -> None:
    report = Report()
    report.start()
    for odd in range(7):
        report.stall("render", 70, 250.001 + odd * 0.001, (250, 0, 0, 0))
    report.summary()
    text = export(report, tmp_path).read_text(encoding="utf-8")
    found = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    events = json.loads(found[1])["events"]
    assert [event[1] for event in events] == [sum(event[5][::2]) for event in events]
    assert [event[1] for event in events] == [250_001 + odd for odd in range(7)]


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
    report.add(
        "summary",
        loops=0,
        blocks=0,
        stalls=0,
        suppressed=0,
        known=None,
        rules=[],
        dropped=0,
        blocked_ms=0,
        by_call=[],
        quiet={},
        why="the program is linked statically",
    )
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
