"""What is seen of all runs of a sweep."""

from __future__ import annotations

import io
import json

import pytest

from cluster.sweep.children import RunResult
from cluster.sweep.progress import (
    BarSweep,
    JsonSweep,
    LineSweep,
    SweepProgress,
    make_sweep_progress,
)
from tests.cluster.test_progress import Terminal

FAILED = RunResult(name="seed2", status="failed", code=3, reason="the disk is full")


def show(progress: SweepProgress) -> None:
    progress.begin("demo", 3, 2)
    progress.ended(RunResult(name="seed0", status="done", code=0), was_done=True)
    progress.started("seed1", 1)
    progress.started("seed2", 2)
    progress.told("seed1", {"event": "start", "generation": 0, "generations": 9})
    progress.told("seed1", {"event": "evaluation", "generation": 0, "held_out": 0.5})
    progress.told("seed1", {"event": "generation", "generation": 3, "generations": 9, "loss": None})
    progress.ended(FAILED)
    progress.ended(RunResult(name="seed1", status="done", code=0))
    progress.stop()
    progress.stop()


def test_lines_tell_where_runs_start_are_measured_and_end() -> None:
    stream = io.StringIO()
    show(LineSweep(stream))
    assert stream.getvalue().splitlines() == [
        "demo: 3 runs, 2 at once",
        "[1/3] seed0: was done already",
        "seed1: started, 1 thread",
        "seed2: started, 2 threads",
        "seed1: generation 0, held-out 0.500",
        "[2/3] seed2: failed: the disk is full",
        "[3/3] seed1: done",
    ]


def test_a_line_a_minute_tells_of_a_run_that_measures_seldom(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LineSweep, "PERIOD_S", -1.0)
    stream = io.StringIO()
    show(LineSweep(stream))
    assert "seed1: generation 3/9, loss -" in stream.getvalue()


def test_json_lines_are_those_of_the_runs_with_their_names() -> None:
    stream = io.StringIO()
    show(JsonSweep(stream))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == [
        *("sweep", "run_ended", "run_started", "run_started"),
        *("start", "evaluation", "generation", "run_ended", "run_ended"),
    ]
    assert lines[1]["already_finished"] is True
    assert lines[5] == {"event": "evaluation", "generation": 0, "held_out": 0.5, "run": "seed1"}
    assert (lines[7]["run"], lines[7]["code"], lines[7]["reason"]) == ("seed2", 3, FAILED.reason)


def test_bars_show_runs_at_work_and_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    show(BarSweep(stream))
    shown = stream.getvalue()
    assert "seed2: failed: the disk is full" in shown
    assert "demo, all runs" in shown
    assert "3/3" in shown


def test_the_stream_decides_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Terminal())
    assert isinstance(make_sweep_progress(), BarSweep)
    assert isinstance(make_sweep_progress(as_json=True), JsonSweep)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert isinstance(make_sweep_progress(), LineSweep)
