"""What a user sees of runs in MLflow's own pages, in a real browser; pictures stay in a folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from analysis.report import analyze
from cluster.tracking.sync import sync
from tests.browser import CHROMIUM, Page, browser_page
from tests.cluster import written_runs as runs
from tests.cluster.tracking.page import long_runs

PATIENCE_S = 240.0

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with ten runs, the first of them drawn."""
    folder = tmp_path_factory.mktemp("pages")
    uri = f"sqlite:///{runs.new_database(folder / 'mlflow.db')}"
    for number in range(10):
        changes = ("search.sigma=0.05",) if number >= 5 else ()
        sync(long_runs.write(folder / f"run{number}", number % 5 + 1, 40, changes), uri)
    analyze(folder / "run0", tracking_uri=uri)
    return folder


@pytest.fixture(scope="module")
def links(folder: Path) -> Iterator[list[str]]:
    """The links that `evoplastic ui` prints once its server answers."""
    root = Path(__file__).parents[4]
    process = subprocess.Popen(
        [sys.executable, "-m", "evoplastic", "ui", "--port", str(runs.free_port())],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root), "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        found: list[str] = []
        for line in process.stdout:
            if line.startswith("runs of "):
                found.append(line.rpartition(" ")[2].strip())
            if f"runs of {runs.EXPERIMENT}:" in line:
                break
        yield found
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[Page]:
    with browser_page(folder, 1600, 1000) as page:
        yield page


def test_run_list_run_page_charts_and_artifacts(folder: Path, links: list[str], page: Page) -> None:
    page.open(links[-1])
    names = [f"miconi2023-seed{seed}" for seed in range(1, 6)]
    shown = [f"{name}{end}" for name in names for end in ("\n", " sigma=0.05")]
    page.wait_for("10 matching runs", *shown, timeout_s=PATIENCE_S)
    page.screenshot(folder / "list.png")

    client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(runs.EXPERIMENT).experiment_id
    (run,) = client.search_runs([experiment], "attributes.run_name = 'miconi2023-seed1'")
    at = f"{links[-1].partition('#')[0]}#/experiments/{experiment}/runs/{run.info.run_id}"
    page.open(at)
    text = page.wait_for("held out", "_summary/held_out_accuracy", timeout_s=PATIENCE_S)
    assert "dms (held out)" in text
    assert f"evoplastic evaluate {run.info.run_id} --lifetimes 256" in text
    assert int(re.findall(r"Metrics \((\d+)\)", text)[0]) <= 100
    assert page.value(
        "[...document.querySelectorAll('a')].some(a => a.href.includes('artifacts/figures/'))"
    )
    page.screenshot(folder / "run.png")

    charts = links[-1] + "&compareRunsMode=CHART"
    page.open(charts)
    told = page.wait_for("_summary", "control/plasticity_off", timeout_s=PATIENCE_S)
    assert told.index("_summary") < told.index("control/plasticity_off"), told
    drawn = "document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length >= 10"
    page.wait_until(drawn, timeout_s=PATIENCE_S)
    page.screenshot(folder / "charts.png")

    page.open(f"{at}/artifacts/figures/accuracy_by_task.png")
    page.wait_until(
        "[...document.images].some(i => i.src.startsWith('blob:') && i.naturalWidth > 300) || "
        "[...document.querySelectorAll('div, img')].some("
        "e => getComputedStyle(e).backgroundImage.includes('blob:'))",
        timeout_s=PATIENCE_S,
    )
    page.screenshot(folder / "artifacts.png")
