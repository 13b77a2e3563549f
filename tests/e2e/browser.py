# SPDX-License-Identifier: Apache-2.0
"""Chromium without a window, driven through its debugging pipe: real clicks, real keys.

What goes wrong in a page (an exception, an error on its console, a request to anywhere but its own
file) is kept, and fails the test when the page is left.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_S = 120.0  # on a busy machine
FIRST_FREE_FD = 10  # Chromium's ends of the pipe are 3 and 4

# Name of a key: its code, and the number that Windows has for it.
KEYS = {
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
    "Enter": 13,
    "Escape": 27,
    "Tab": 9,
    "Home": 36,
    "End": 35,
    "PageUp": 33,
    "PageDown": 34,
    " ": 32,
}


class Page:
    """A tab. All positions are CSS pixels."""

    def __init__(self, browser: Browser, session: str, url: str) -> None:
        self.browser = browser
        self.session = session
        self.url = url
        self.problems: list[str] = []

    def send(self, method: str, **parameters: Any) -> Any:
        return self.browser.send(method, parameters, self.session)

    def evaluate(self, expression: str) -> Any:
        """What the expression comes to in the page; an exception there fails the test."""
        done = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait(self, expression: str) -> Any:
        """Until the expression is true in the page."""
        end = time.monotonic() + PATIENCE_S
        while not (result := self.evaluate(expression)):
            assert time.monotonic() < end, f"waited {PATIENCE_S} s in vain for {expression}"
        return result

    def settle(self) -> None:
        """Until what was asked for before the next picture is drawn."""
        self.evaluate(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def texts(self, selector: str) -> list[str]:
        found = self.evaluate(f"[...document.querySelectorAll({selector!r})].map(e => e.innerText)")
        return [str(text) for text in found]

    def text(self, selector: str) -> str:
        (text,) = self.texts(selector)
        return text

    def box(self, selector: str, index: int = 0) -> tuple[float, float, float, float]:
        """Left, top, width, height of an element, which is scrolled to. Asked for when all is
        drawn: what the page still lays out would move it away from under the pointer."""
        element = f"document.querySelectorAll({selector!r})[{index}]"
        self.evaluate(f"{element}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
        self.settle()
        script = f"(r => [r.x, r.y, r.width, r.height])({element}.getBoundingClientRect())"
        left, top, width, height = self.evaluate(script)
        return left, top, width, height

    def mouse(self, kind: str, x: float, y: float, held: bool) -> None:
        self.send(
            "Input.dispatchMouseEvent",
            type=kind,
            x=x,
            y=y,
            button="left" if held else "none",
            buttons=1 if held else 0,
            clickCount=1 if held else 0,
        )

    def point(self, selector: str, index: int = 0, at: float = 0.5) -> tuple[float, float]:
        """Where the pointer goes: the middle of the height, `at` of the width."""
        left, top, width, height = self.box(selector, index)
        x, y = left + width * at, top + height / 2
        self.mouse("mouseMoved", x, y, False)
        return x, y

    def click(self, selector: str, index: int = 0, at: float = 0.5) -> None:
        x, y = self.point(selector, index, at)
        self.mouse("mousePressed", x, y, True)
        self.mouse("mouseReleased", x, y, True)
        self.settle()

    def drag(self, selector: str, begin: float, end: float) -> None:
        """Along an element, from and to these parts of its width."""
        left, top, width, height = self.box(selector)
        y = top + height / 2
        self.mouse("mouseMoved", left + width * begin, y, False)
        self.mouse("mousePressed", left + width * begin, y, True)
        for step in range(1, 5):
            self.mouse("mouseMoved", left + width * (begin + (end - begin) * step / 4), y, True)
        self.mouse("mouseReleased", left + width * end, y, True)
        self.settle()

    def key(self, name: str, shift: bool = False) -> None:
        """One of KEYS, or a sign."""
        text = {"Enter": "\r"}.get(name, name if len(name) == 1 else "")
        code = KEYS.get(name, ord(name[0].upper()) if name.isalnum() else 0)
        named = {"key": name, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.send(
            "Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **named
        )
        self.send("Input.dispatchKeyEvent", type="keyUp", **named)
        self.settle()

    def type(self, text: str) -> None:
        for sign in text:
            self.key(sign)

    def focused(self) -> str:
        """Tag, id and label of what has the focus."""
        return str(
            self.evaluate(
                "(e => `${e.tagName.toLowerCase()}#${e.id} ${e.getAttribute('aria-label') || ''}`)"
                "(document.activeElement)"
            )
        )

    def look(
        self, dark: bool = False, width: int = 1280, height: int = 900, media: str = ""
    ) -> None:
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", media=media, features=features)
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.settle()

    def screenshot(self, path: Path, whole: bool = True) -> None:
        taken = self.send(
            "Page.captureScreenshot",
            captureBeyondViewport=whole,
            **(
                {
                    "clip": {
                        "x": 0,
                        "y": 0,
                        "scale": 1,
                        **self.evaluate(
                            "({width: innerWidth, "
                            "height: Math.min(8000, document.documentElement.scrollHeight)})"
                        ),
                    }
                }
                if whole
                else {}
            ),
        )
        path.write_bytes(base64.b64decode(taken["data"]))

    def pdf(self) -> bytes:
        return base64.b64decode(self.send("Page.printToPDF", printBackground=True)["data"])

    def heard(self, method: str, told: Any) -> None:
        if method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.problems.append(
                str(details.get("exception", {}).get("description", details["text"]))
            )
        elif method == "Runtime.consoleAPICalled" and told["type"] in (
            "error",
            "warning",
            "assert",
        ):
            self.problems.append(f"console: {told['args']}")
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.problems.append(f"log: {told['entry']['text']}")
        elif method == "Network.requestWillBeSent" and told["request"]["url"] != self.url:
            self.problems.append(f"asks for {told['request']['url'][:200]}")
        elif method == "Page.javascriptDialogOpening":
            self.problems.append(f"dialog: {told['message']}")


class Browser:
    def __init__(self, directory: Path) -> None:
        assert CHROMIUM is not None
        self.number = 0
        self.rest = b""
        self.pages: dict[str, Page] = {}
        theirs_in, self.out = os.pipe()
        self.into, theirs_out = os.pipe()
        theirs = [
            fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE_FD) for fd in (theirs_in, theirs_out)
        ]

        def place_pipe() -> None:
            os.dup2(theirs[0], 3)
            os.dup2(theirs[1], 4)

        flags = [
            "--headless=new",
            "--remote-debugging-pipe",
            "--no-first-run",
            "--disable-gpu",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--hide-scrollbars",
            f"--user-data-dir={directory}",
        ]
        with (directory / "chromium.log").open("wb") as log:
            self.process = subprocess.Popen(
                [CHROMIUM, *flags, "about:blank"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                close_fds=False,
                preexec_fn=place_pipe,
                start_new_session=True,
            )
        for fd in (theirs_in, theirs_out, *theirs):
            os.close(fd)

    def read(self, until: float) -> Any:
        """The next message."""
        while b"\0" not in self.rest:
            left = until - time.monotonic()
            assert (
                left > 0 and select.select([self.into], [], [], left)[0]
            ), "Chromium does not answer"
            got = os.read(self.into, 1 << 20)
            assert got, "Chromium has ended"
            self.rest += got
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def send(self, method: str, parameters: dict[str, Any], session: str | None = None) -> Any:
        """Asks, and gives what is told in the meantime to its page."""
        self.number += 1
        asked = {"id": self.number, "method": method, "params": parameters}
        if session is not None:
            asked["sessionId"] = session
        os.write(self.out, json.dumps(asked).encode() + b"\0")
        until = time.monotonic() + PATIENCE_S
        while True:
            message = self.read(until)
            if message.get("id") == self.number:
                assert "error" not in message, (method, message["error"])
                return message["result"]
            page = self.pages.get(message.get("sessionId", ""))
            if page is not None and "method" in message:
                page.heard(message["method"], message["params"])

    @contextmanager
    def page(self, path: Path) -> Iterator[Page]:
        """The file opened in a tab, and what is wrong there looked at in the end."""
        target = self.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.send("Target.attachToTarget", {"targetId": target, "flatten": True})[
            "sessionId"
        ]
        page = Page(self, session, path.resolve().as_uri())
        self.pages[session] = page
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.send(f"{domain}.enable")
        page.look()
        page.send("Page.navigate", url=page.url)
        page.wait(f"location.href === {page.url!r} && document.readyState === 'complete'")
        yield page
        page.settle()
        assert page.problems == []
        self.send("Target.closeTarget", {"targetId": target})

    def end(self) -> None:
        self.send("Browser.close", {})
        self.process.wait(PATIENCE_S)
        os.close(self.into)
        os.close(self.out)
