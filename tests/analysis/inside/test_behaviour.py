"""What is answered, on an evaluation whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.figures.inside.behaviour import (
    figure_choices,
    figure_curves_by_kind,
    figure_psychometric,
)
from analysis.figures.inside.sheet import write_drawn
from analysis.inside.behaviour import choice_matrix, curves_by_kind, kind_labels, psychometric
from evoplastic.checks import UsageError
from tests.analysis.inside.data import evaluation


def test_each_kind_of_trial_has_its_curve() -> None:
    told = evaluation()
    assert kind_labels(told) == {0: "0 0", 1: "0 1", 2: "1 0", 3: "1 1"}
    table = curves_by_kind(told)
    plastic = table[table.condition == "plastic"].pivot(
        index="trial", columns="label", values="moving_average"
    )
    assert plastic[["1 0", "1 1"]].min().min() == 1
    late = plastic[["0 0", "0 1"]]  # NaN where no trial of the kind is within a window of 5
    assert late.loc[:36].max().max() == 0
    assert late.loc[43:].min().min() == 1
    assert table["trials"].sum() == 2 * 6 * 80


def test_choices_are_counted_against_targets() -> None:
    table = choice_matrix(evaluation())
    own = table[table.condition == "plastic"].set_index(["part", "target", "choice"])["share"]
    for part, wrong in (("first", 1.0), ("last", 0.0)):
        assert own[part].to_dict() == {
            (0, 0): 1 - wrong, (0, 1): wrong, (1, 0): 0.0, (1, 1): 1.0,
        }  # fmt: skip


def test_actions_follow_a_property_that_is_assigned() -> None:
    told = evaluation()
    evidence = told["stimulus1"] * 2.0 - 1.0
    table = psychometric(told.assign(evidence=evidence), "evidence")
    last = table[(table.condition == "plastic") & (table.part == "last") & (table.choice == 1)]
    assert last.set_index("evidence")["share"].to_dict() == {-1.0: 0.0, 1.0: 1.0}
    assert last["lifetimes"].tolist() == [6, 6]
    halves = told.copy(deep=True)
    halves["choice"][0, 1, ::2] = 0
    half = psychometric(halves, "stimulus2")
    last = (half.condition == "plasticity_off") & (half.part == "last")
    row = half[last & (half.choice == 0)].iloc[0]
    assert row["share"] == pytest.approx(0.5)
    # three lives of 0 and three of 1: sd 0.5477, t = 2.5706 with five degrees of freedom
    assert row["low"] == pytest.approx(max(0.0, 0.5 - 2.5706 * 0.5477 / np.sqrt(6)), abs=1e-3)


def test_they_are_drawn_with_their_numbers(tmp_path: Path) -> None:
    drawn = figure_choices(evaluation())
    files = write_drawn(drawn, tmp_path / "choices")
    assert [file.suffix for file in files] == [".png", ".svg", ".pdf", ".csv"]
    assert files[2].read_bytes().startswith(b"%PDF")
    assert len(pd.read_csv(files[3])) == len(drawn.numbers)
    text = files[1].read_text()
    assert "copy, last trials" in text
    assert "action asked for" in text
    again = write_drawn(figure_choices(evaluation()), tmp_path / "again")
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in again]
    for figure in (figure_curves_by_kind(evaluation()), figure_psychometric(evaluation())):
        assert len(figure.numbers) > 0
        assert figure.figure.axes[0].get_title() == "copy"


def test_bad_input() -> None:
    with pytest.raises(UsageError, match="has no choice of its trials; evaluate with choices=True"):
        choice_matrix(evaluation().drop_vars("choice"))
    with pytest.raises(UsageError, match="trials have no property 'coherence'"):
        psychometric(evaluation(), "coherence")
