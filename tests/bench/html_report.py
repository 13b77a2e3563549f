#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a page of `loophound export -f html` costs: its making, size, and time to its first view.

    tests/bench/html_report.py [--build DIR] [EVENTS ...]

`first view` is performance.now() of the page when all of it is drawn, `processor` what its thread
has computed until then (the rest is waiting for a processor), `range` the time from a key on the
time range to the next picture.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

import made_report  # noqa: E402
from browser import CHROMIUM, Browser, Page  # noqa: E402
from figures import tell  # noqa: E402

PLACES = 400
MIB = 1 << 20
# Shown again, so that the clock of its thread can be asked for.
FIRST_VIEW = "(performance.getEntriesByName('first-view')[0] || {}).startTime || 0"


def exported(command: Path, lines: Path, page: Path) -> tuple[float, float]:
    """Seconds, and MiB at most."""
    begin = time.monotonic()
    pid = os.spawnv(
        os.P_NOWAIT, command, [str(command), "export", "-f", "html", "-o", str(page), str(lines)]
    )
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        raise SystemExit(f"export failed: {status}")
    return time.monotonic() - begin, usage.ru_maxrss / 1024


def computed_s(page: Page) -> float:
    metrics = page.send("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")


def viewed(browser: Browser, file: Path) -> tuple[float, float, float]:
    """Milliseconds: to the first view, on a processor until then, to the picture after a key."""
    with browser.page(file) as page:
        page.send("Performance.enable", timeDomain="threadTicks")
        page.evaluate("window.old = true")
        page.send("Page.reload")
        page.wait(f"!window.old && document.readyState === 'complete' && {FIRST_VIEW}")
        first, processor = float(page.evaluate(FIRST_VIEW)), computed_s(page) * 1000
        page.evaluate("document.getElementById('range-from').focus()")
        begin = time.monotonic()
        page.key("PageUp")
        return first, processor, (time.monotonic() - begin) * 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("events", type=int, nargs="*", default=[1000, 10_000])
    arguments = parser.parse_args()
    if CHROMIUM is None:
        print("no Chromium here: not measured")
        return 0
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        browser = Browser(directory)
        for events in arguments.events:
            lines, page = directory / "hits.jsonl", directory / "hits.html"
            made_report.many(events, PLACES, lines)
            seconds, memory = exported(arguments.build.resolve() / "loophound", lines, page)
            first, processor, change = viewed(browser, page)
            thing = f"{events} events"
            tell("html_export", seconds, thing)
            tell("html_memory", memory, thing)
            tell("html_page", page.stat().st_size / MIB, thing)
            tell("html_first_view", first, thing)
            tell("html_processor", processor, thing)
            tell("html_range", change, thing)
        browser.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
