"""The report in a real browser, as a file and as MLflow shows it; pictures stay in a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import evoplastic as ep
from cluster.tracking.sync import sync
from tests.browser import CHROMIUM, Page, browser_page
from tests.cluster import written_runs
from tests.cluster.tracking.page import long_runs

PATIENCE_S = 240.0
PHONE_PX = 390

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of one run, and one of two settings with two seeds each, in a store too."""
    folder = tmp_path_factory.mktemp("reports")
    uri = f"sqlite:///{written_runs.new_database(folder / 'mlflow.db')}"
    for number, sigma in enumerate((0.03, 0.03, 0.05, 0.05)):
        run = folder / "runs" / f"run{number}"
        changes = () if sigma == 0.03 else (f"search.sigma={sigma}",)
        sync(long_runs.write(run, number % 2 + 1, 40, changes, reached=30 * sigma), uri)
    ep.report(folder / "runs" / "run0", out=folder / "one.html", pdf=True, store=uri)
    ep.report(folder / "runs", out=folder / "all.html", to_mlflow=False)
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[Page]:
    with browser_page(folder, 1100, 900) as page:
        yield page


@pytest.mark.parametrize("name", ["one", "all"])
def test_it_opens_offline_and_fits_a_phone(folder: Path, page: Page, name: str) -> None:
    page.errors.clear()
    page.requested.clear()
    address = (folder / f"{name}.html").as_uri()
    for width in (1100, PHONE_PX):
        page.size(width, 900)
        page.open(address)
        page.wait_for("Run it again")
        assert page.value("document.documentElement.scrollWidth") <= width
        page.screenshot(folder / f"{name}-{width}.png")
    assert page.errors == []
    assert set(page.requested) == {address}
    assert page.value("[...document.querySelectorAll('figure svg')].every(s => s.ariaLabel)")
    assert not page.value("document.querySelectorAll('img:not([alt])').length")


def test_pointing_choosing_and_sliding_show_numbers(folder: Path, page: Page) -> None:
    page.size(1100, 900)
    page.open((folder / "one.html").as_uri())
    page.wait_for("Run it again")
    box = page.value(
        "(() => { const s = document.querySelector('#generations svg');"
        " s.scrollIntoView({block: 'center'}); const b = s.getBoundingClientRect();"
        " return [b.left + b.width * 505 / 520, b.top + b.height / 2]; })()"
    )
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
    page.wait_for("generation 40: held-out tasks 8")
    page.value("document.querySelector('#generations svg').focus()")
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key="ArrowLeft", code="ArrowLeft")
    page.wait_for("generation 30: held-out tasks 7")
    page.value(
        "(() => { const s = document.querySelector('#generations select'); s.value = 3;"
        " s.dispatchEvent(new Event('change')); })()"
    )
    shown = "[...document.querySelectorAll('#generations .one')].filter(e => !e.hidden)"
    assert page.value(f"{shown}.map(e => e.dataset.place).join()") == "3"
    page.value(
        "(() => { const s = document.querySelector('#tasks input'); s.value = 0;"
        " s.dispatchEvent(new Event('input')); })()"
    )
    assert page.value("document.querySelector('#tasks output').textContent") == "generation 0"
    middle = "document.querySelector('#tasks circle').getAttribute('cx')"
    assert abs(float(page.value(middle)) - 347) < 5  # 50 %


def test_it_is_printed(folder: Path) -> None:
    printed = (folder / "one.pdf").read_bytes()
    assert printed.startswith(b"%PDF-")
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") >= 2


def test_mlflow_shows_it_in_place(folder: Path, page: Page) -> None:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(written_runs.EXPERIMENT).experiment_id
    runs = client.search_runs([experiment], "attributes.run_name = 'miconi2023-seed1'")
    port = written_runs.free_port()
    words = [sys.executable, "-m", "evoplastic", "ui", "--port", str(port), "--no-browser"]
    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        words,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root), "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("runs of "):
                break
        page.size(1400, 1000)
        at = f"/#/experiments/{experiment}/runs/{runs[0].info.run_id}/artifacts/figures/report.html"
        page.open(f"http://127.0.0.1:{port}{at}")
        page.wait_until("document.querySelector('iframe') !== null", timeout_s=PATIENCE_S)
        shown = "(async f => f.srcdoc || await (await fetch(f.src)).text())"
        found = f"{shown}(document.querySelector('iframe')).then(t => t.includes('Run it again'))"
        page.wait_until(found, timeout_s=PATIENCE_S)
        page.screenshot(folder / "mlflow.png")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)
