"""The built site in a browser; run by `make test-docs`, where Chromium is."""

from __future__ import annotations

import functools
import json
import os
import queue
import re
import shutil
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

ROOT = Path(__file__).parents[3]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-sync", "--disable-background-networking", "--disable-component-update"),
]
TIMEOUT_S = 240

# Opens every page in a frame of a width, and posts those that are wider than their frame. Frames
# run no scripts, which would make each page load the index of the search.
PROBE = """<body><script>
(async () => {
  const found = [];
  for (const page of %(pages)s) {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-same-origin";
    frame.style = "width: %(width)dpx; height: 800px; border: 0";
    const loaded = new Promise((done) => (frame.onload = done));
    frame.src = page;
    document.body.appendChild(frame);
    await loaded;
    const inside = frame.contentDocument, width = inside.documentElement.scrollWidth;
    if (!inside.querySelector("h1")) found.push(`${page}: no heading`);
    if (width > %(width)d) found.push(`${page}: ${width} of %(width)d pixels`);
    frame.remove();
  }
  await fetch("/found", { method: "POST", body: JSON.stringify(found) });
})();
</script></body>"""

pytestmark = [
    pytest.mark.skipif("EVOPLASTIC_SITE" not in os.environ, reason="run by `make test-docs`"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
]


@pytest.fixture
def site() -> Path:
    return (ROOT / os.environ["EVOPLASTIC_SITE"]).resolve()


def test_search_works_from_a_disk(site: Path, tmp_path: Path) -> None:
    options = [*QUIET, f"--user-data-dir={tmp_path}", "--virtual-time-budget=8000", "--dump-dom"]
    done = subprocess.run(
        [str(CHROMIUM), *options, f"{(site / 'index.html').as_uri()}?q=oja"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    found = re.search(r"(\d+) matching documents", done.stdout)
    assert found
    assert int(found[1]) > 1


class Handler(SimpleHTTPRequestHandler):
    """Serves the site and the probe beside it, and takes what the probe found."""

    probe: ClassVar[bytes]
    told: ClassVar[queue.Queue[bytes]]

    def do_GET(self) -> None:
        if self.path != "/probe.html":
            super().do_GET()
            return
        self._answer()
        self.wfile.write(self.probe)

    def do_POST(self) -> None:
        self.told.put(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer()

    def _answer(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is written."""


@pytest.mark.parametrize("width", [390, 1300])
def test_no_page_is_wider_than_a_phone_or_a_window(site: Path, tmp_path: Path, width: int) -> None:
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    assert len(pages) > 30
    probe = (PROBE % {"width": width, "pages": json.dumps(pages)}).encode()
    told: queue.Queue[bytes] = queue.Queue()
    handler = type("Probing", (Handler,), {"probe": probe, "told": told})
    serving = functools.partial(handler, directory=str(site))
    options = [*QUIET, f"--user-data-dir={tmp_path}", "--remote-debugging-port=0"]  # stays open
    with ThreadingHTTPServer(("127.0.0.1", 0), serving) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/probe.html"
        browser = subprocess.Popen([str(CHROMIUM), *options, address], stderr=subprocess.DEVNULL)
        try:
            found = json.loads(told.get(timeout=TIMEOUT_S))
        finally:
            browser.terminate()
            browser.wait(timeout=TIMEOUT_S)
            server.shutdown()
    assert found == []
