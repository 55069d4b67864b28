"""What is shown of a run."""

from __future__ import annotations

import io
import json

import pytest

from cluster.progress import (
    BarProgress,
    JsonProgress,
    LineProgress,
    Progress,
    SilentProgress,
    Tick,
    make_progress,
)

TICK = Tick(
    generation=3,
    generations=120,
    loss=0.25,
    train_accuracy=0.75,
    held_out_accuracy=None,
    seconds=2.0,
    seconds_left=234.0,
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def show(progress: Progress, tick: Tick) -> None:
    progress.start("demo", 2, 120)
    progress.event("evaluation", generation=2, held_out=0.5)
    progress.tick(tick)
    progress.stop()
    progress.stop()


def test_lines_hold_every_figure() -> None:
    stream = io.StringIO()
    show(LineProgress(stream), TICK)
    start, evaluation, line = stream.getvalue().splitlines()
    assert start == "demo: generation 2 of 120"
    assert evaluation == "evaluation  generation 2  held_out 0.500"
    assert line.startswith("generation 3/120  loss 0.2500  train 0.750  held-out")
    assert line.endswith("2.0 s/gen  3:54 left")


def test_json_lines_are_json_even_when_a_loss_is_not_a_number() -> None:
    stream = io.StringIO()
    failed = Tick(**{**TICK.__dict__, "loss": float("nan"), "failed_individuals": 8})
    show(JsonProgress(stream), failed)
    start, evaluation, tick = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (start["event"], evaluation["event"], tick["event"]) == (
        "start",
        "evaluation",
        "generation",
    )
    assert tick["loss"] is None
    assert tick["failed_individuals"] == 8


@pytest.mark.parametrize("no_color", [False, True])
def test_the_bar_follows_no_color(monkeypatch: pytest.MonkeyPatch, no_color: bool) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    show(BarProgress(stream), TICK)
    shown = stream.getvalue()
    assert "3/120" in shown
    assert "train 0.750" in shown
    assert ("\x1b[38;" in shown or "\x1b[32m" in shown) is not no_color


def test_the_stream_decides_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Terminal())
    assert isinstance(make_progress(), BarProgress)
    assert isinstance(make_progress(as_json=True), JsonProgress)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert isinstance(make_progress(), LineProgress)


def test_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    show(SilentProgress(), TICK)
    assert capsys.readouterr() == ("", "")
