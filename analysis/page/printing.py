"""A page on paper: Chromium prints it to PDF, where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from evoplastic.checks import EnvironmentFault

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
            "microsoft-edge")  # fmt: skip
TIMEOUT_S = 120.0
QUIET = ("--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-pdf-header-footer")  # fmt: skip


def find_browser() -> str:
    """The program that prints.

    Raises:
        EnvironmentFault: there is none; says what to install.
    """
    for name in BROWSERS:
        found = shutil.which(name)
        if found is not None:
            return found
    raise EnvironmentFault(
        "--pdf prints with Chromium or Chrome, and none is on the PATH (looked for "
        f"{', '.join(BROWSERS)}); install it (`apt install chromium`), or leave --pdf out and "
        "print the page from any browser"
    )


def printed(page: str, browser: str) -> bytes:
    """The PDF of a page.

    Raises:
        EnvironmentFault: the browser does not print.
    """
    with tempfile.TemporaryDirectory(prefix="evoplastic-") as folder:
        source, made = Path(folder) / "report.html", Path(folder) / "report.pdf"
        source.write_text(page, encoding="utf-8", errors="replace")
        root = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's has none for root
        words = [browser, *QUIET, *root, f"--user-data-dir={folder}/profile"]
        words += [f"--print-to-pdf={made}", source.as_uri()]
        try:
            done = subprocess.run(words, capture_output=True, timeout=TIMEOUT_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _silent(browser, str(error)) from error
        if done.returncode != 0 or not made.is_file():
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no reason"]
            raise _silent(browser, last[0])
        return made.read_bytes()


def _silent(browser: str, reason: str) -> EnvironmentFault:
    return EnvironmentFault(
        f"{browser} does not print ({reason}); leave --pdf out and print the page from a browser"
    )
