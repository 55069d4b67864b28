"""Streams in `analyze`: what is drawn and tabulated is what the records say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from analysis.figures.streams import figure_streams, write_figures_streams
from analysis.store import RunRecords, open_run
from analysis.streams import matrix_table
from analysis.tables.streams import format_streams
from evoplastic.records.events import Event, StreamRecord
from tests.analysis.runs import entry, evaluation, start, whole_run, write_run

RECORD = StreamRecord(
    parts=("birth", "and", "or"),
    tasks=("and", "or"),
    matrices=(((0.5, 0.4), (0.9, 0.5), (0.6, 1.0)), ((0.3, None), (0.7, 0.5), (0.8, 0.8))),
    scores={"accuracy": (0.8, 0.8), "retention": (0.6, 0.8), "forgetting": (0.3, -0.1)},
)


def _run(folder: Path) -> RunRecords:
    entries = [
        replace(entry("ab", "train", (0.5, 0.5)), stream=RECORD),
        replace(entry("held", "held_out", (0.5, 0.5)), stream=RECORD),
        replace(entry("held", "held_out", (0.5, 0.5), "plasticity_off"), stream=RECORD),
    ]
    events: list[Event] = [start(), evaluation(0, *entries)]
    return open_run(write_run(folder, events))


def test_records_keep_the_matrices(tmp_path: Path) -> None:
    (session,) = _run(tmp_path).evaluations
    assert [each.stream for each in session.entries] == [RECORD] * 3
    assert session.metrics()["held_out/held/retention_mean"] == pytest.approx(0.7)
    assert session.metrics()["control/plasticity_off/held/forgetting_mean"] == pytest.approx(0.1)


def test_the_table_has_means_over_lifetimes(tmp_path: Path) -> None:
    table = matrix_table(_run(tmp_path))
    assert len(table) == 3 * 6
    cells = table[(table["stream"] == "held") & (table["condition"] == "plastic")]
    means = cells.set_index(["part", "probed"])["accuracy_mean"]
    assert means[1, "and"] == pytest.approx(0.8)
    assert means[2, "or"] == pytest.approx(0.9)
    assert pd.isna(means[0, "or"])
    console = Console(width=120)
    with console.capture() as capture:
        for shown in format_streams(_run(tmp_path / "again")):
            console.print(shown)
    lines = [line.split() for line in capture.get().splitlines()]
    row = ["held", "(held", "out)", "plastic", "80", "-", "70", "10", "-", "-", "-"]
    assert lines.count(row) == 1


def test_the_figure_has_a_panel_for_each_stream(tmp_path: Path) -> None:
    run = _run(tmp_path)
    figure = figure_streams(run)
    assert figure is not None
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == ["held", "ab"]
    assert [text.get_text() for text in panels[0].texts] == ["0.40", "0.80", "0.50", "0.70", "0.90"]
    assert len(panels[0].patches) == 2  # the task just taught, in each part
    names = {path.name for path in write_figures_streams(run, tmp_path / "out")}
    assert names == {"streams.png", "streams.svg", "streams.csv"}


def test_runs_without_streams_have_neither(tmp_path: Path) -> None:
    run = open_run(write_run(tmp_path, whole_run()))
    assert figure_streams(run) is None
    assert write_figures_streams(run, tmp_path) == []
    assert format_streams(run) == []
