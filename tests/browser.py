"""A headless Chromium that tests look at pages with, spoken to over a pipe.

Chrome DevTools Protocol, as JSON with a zero byte after each message, on the descriptors 3 (to the
browser) and 4 (from it): no port, and no package beside the standard library.
"""

from __future__ import annotations

import base64
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
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-sync", "--disable-background-networking", "--disable-component-update"),
)


class Page:
    """One tab; `errors` and `requested` grow with what it logs and asks for."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self.errors: list[str] = []
        self.requested: list[str] = []
        self._to, self._from = to_browser, from_browser
        self._pending = b""
        self._number = 0
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def size(self, width: int, height: int) -> None:
        """Make the window so many pixels large."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def open(self, url: str) -> None:
        """Go to a page; what it shows comes later."""
        self.call("Page.navigate", url=url)

    def value(self, expression: str) -> Any:
        """The value of JavaScript, of a promise what it brings."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def text(self) -> str:
        """What can be read on the page."""
        return str(self.value("document.body ? document.body.innerText : ''"))

    def wait_for(self, *words: str, timeout_s: float = 90.0) -> str:
        """Wait until all words can be read on the page; its text then."""
        deadline = time.monotonic() + timeout_s
        while True:
            text = self.text()
            lacking = [word for word in words if word not in text]
            if not lacking:
                return text
            assert time.monotonic() < deadline, f"{lacking} not on the page:\n{text[:4000]}"
            time.sleep(0.3)

    def wait_until(self, expression: str, timeout_s: float = 90.0) -> Any:
        """Wait until JavaScript gives something true; what it gives."""
        deadline = time.monotonic() + timeout_s
        while not (found := self.value(expression)):
            assert time.monotonic() < deadline, f"never true: {expression}\n{self.text()[:4000]}"
            time.sleep(0.3)
        return found

    def screenshot(self, file: Path) -> Path:
        """The window as a PNG file."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        file.write_bytes(base64.b64decode(data))
        return file

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + 120.0
        while True:
            answer = self._next(deadline)
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        method, params = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(params["exceptionDetails"])[:500])
        elif method == "Runtime.consoleAPICalled" and params["type"] == "error":
            self.errors.append(json.dumps(params["args"])[:500])

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._pending:
            ready, _, _ = select.select([self._from], [], [], max(deadline - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            read = os.read(self._from, 1 << 20)
            assert read, "the browser is gone"
            self._pending += read
        line, _, self._pending = self._pending.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message


@contextmanager
def browser_page(folder: Path, width: int = 1400, height: int = 1000) -> Iterator[Page]:
    """A page of a new browser whose profile lies in a folder; it ends with the context."""
    assert CHROMIUM is not None, "no Chromium here"
    child_reads, to_browser = os.pipe()
    from_browser, child_writes = os.pipe()

    def arrange() -> None:
        low, high = os.dup(child_reads), os.dup(child_writes)
        os.dup2(low, 3)
        os.dup2(high, 4)

    options = (*QUIET, f"--user-data-dir={folder / 'profile'}", "--remote-debugging-pipe")
    process = subprocess.Popen(
        [CHROMIUM, *options],
        preexec_fn=arrange,
        close_fds=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        os.close(child_reads)
        os.close(child_writes)
        page = Page(to_browser, from_browser)
        page.size(width, height)
        yield page
    finally:
        process.terminate()
        process.wait(timeout=30)
        os.close(to_browser)
        os.close(from_browser)
