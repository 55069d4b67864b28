"""Learning curves: the table by hand, the panels by what is drawn in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.curves import learning_curves, moving_average, smoothing_trials
from analysis.figures.curve import figure_learning_curves, write_figures_learning_curves
from analysis.store import RunRecords, open_run
from evoplastic.checks import UsageError
from evoplastic.records.events import Event
from tests.analysis import runs


@pytest.fixture
def records(tmp_path: Path) -> RunRecords:
    return open_run(runs.write_run(tmp_path / "run", runs.whole_run()))


def panels(figure: Figure) -> dict[str, Any]:
    return {axes.get_title(): axes for axes in figure.axes if axes.get_visible()}


def lines(axes: Any) -> dict[str, Any]:
    return {line.get_gid(): line for line in axes.get_lines()}


@pytest.mark.parametrize(("num_trials", "width"), [(400, 20), (200, 20), (40, 4), (5, 1)])
def test_short_lifetimes_are_smoothed_less(num_trials: int, width: int) -> None:
    assert smoothing_trials(num_trials) == width


def test_moving_average_by_hand() -> None:
    # an even window reaches one trial further forward
    assert moving_average([1.0, 2.0, 3.0, 4.0, 9.0], 4).tolist() == [2.0, 2.5, 4.5, 16 / 3, 6.5]


def test_curves_of_the_first_and_the_last_center(records: RunRecords) -> None:
    table = learning_curves(records)
    assert set(zip(table["center"], table["generation"], strict=True)) == {
        ("first", 0),
        ("last", 4),
    }
    curve = table[
        (table["task"] == "dms") & (table["condition"] == "plastic") & (table["center"] == "last")
    ]
    assert curve["trial"].tolist() == list(range(1, 41))
    assert curve["correct"].tolist() == list(runs.RAMP)
    # trial 11 averages trials 10 to 13 of a ramp of 1/40 per trial
    assert curve["moving_average"].iloc[10] == pytest.approx((9 + 10 + 11 + 12) / 160)
    assert "random_genome" not in set(table["condition"])


def test_a_run_with_one_evaluation_has_a_first_center_only(tmp_path: Path) -> None:
    run = runs.write_run(tmp_path / "run", [runs.start(), runs.first_evaluation()])
    assert set(learning_curves(open_run(run))["center"]) == {"first"}


def test_held_out_panels_come_first_and_are_marked(records: RunRecords) -> None:
    assert list(panels(figure_learning_curves(records))) == ["dms (held out)", "and"]


def test_panels_hold_both_centers_with_and_without_plasticity(records: RunRecords) -> None:
    drawn = panels(figure_learning_curves(records))
    of_dms = lines(drawn["dms (held out)"])
    assert set(of_dms) == {
        "plastic-first",
        "plastic-last",
        "plasticity_off-first",
        "plasticity_off-last",
        "chance",
        "fixed-policy",
    }
    assert set(of_dms["chance"].get_ydata()) == {0.5}
    assert set(of_dms["fixed-policy"].get_ydata()) == {runs.FIXED_POLICY}
    assert of_dms["plastic-last"].get_ydata()[10] == pytest.approx(0.2625)
    assert set(lines(drawn["and"])) == {"plastic-first", "plastic-last", "chance"}


def test_curves_stay_within_the_axes(records: RunRecords) -> None:
    axes = panels(figure_learning_curves(records))["dms (held out)"]
    low, high = axes.get_ylim()
    for line in axes.get_lines():
        assert low <= min(line.get_ydata())
        assert max(line.get_ydata()) <= high


def test_caption_says_what_was_measured(records: RunRecords) -> None:
    caption = " ".join(figure_learning_curves(records).texts[0].get_text().split())
    for phrase in (
        "n = 4 lifetimes of each held-out task and 2",
        "over 4 trials",
        "last 10 trials",
    ):
        assert phrase in caption


def test_numbers_lie_beside_the_figure(records: RunRecords, tmp_path: Path) -> None:
    png, svg, csv = write_figures_learning_curves(records, tmp_path / "figures")
    assert png.read_bytes().startswith(b"\x89PNG")
    text = svg.read_text()
    for phrase in ("dms (held out)", "generation 4, plasticity off", "seed 5", "commit 0123456"):
        assert phrase in text
    numbers = pd.read_csv(csv)
    assert len(numbers) == 40 * 6
    assert set(numbers["seed"]) == {5}


def test_a_run_without_curves_is_refused(tmp_path: Path) -> None:
    events: list[Event] = [runs.start(), runs.middle_evaluation()]
    records = open_run(runs.write_run(tmp_path / "run", events))
    with pytest.raises(UsageError, match="no learning curve of accuracy on record"):
        figure_learning_curves(records)
