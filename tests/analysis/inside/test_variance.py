"""Task variance and clusters, on activity whose groups are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.inside.variance import (
    clustered,
    fractional_variance,
    like_and_unlike,
    task_variance,
)
from evoplastic.checks import UsageError
from tests.analysis.inside.data import recording


def test_variance_is_that_between_kinds() -> None:
    told = recording(lives=60)
    table = task_variance({"copy": told, "flat": told.assign(rate=0 * told.rate)})
    assert list(table.columns) == ["copy", "flat"]
    # neuron 3 is +-1 by stimulus 1 at one step of eight, neuron 8 by stimulus 2 at four of eight
    assert table.loc[3, "copy"] == pytest.approx(1 / 8, rel=0.1)
    assert table.loc[8, "copy"] == pytest.approx(1 / 2, rel=0.1)
    assert table["flat"].max() == 0


def test_groups_of_neurons_are_found() -> None:
    """Three groups: of task a alone, of b and c, of all."""
    rng = np.random.default_rng(3)
    rows = [[1, 0, 0]] * 10 + [[0, 1, 1]] * 6 + [[1, 1, 1]] * 8 + [[0, 0, 0]] * 2
    scale = rng.uniform(0.5, 2, (26, 1))
    values = np.abs(
        np.array(rows) * scale + rng.normal(0, 0.02, (26, 3)) * (np.arange(26) < 24)[:, None]
    )
    variance = pd.DataFrame(values, columns=["a", "b", "c"]).rename_axis("neuron")
    found = clustered(variance)
    assert found.number == 3
    assert found.silhouette.idxmax() == 3
    sizes = found.cluster.value_counts().sort_index()
    assert sizes.tolist() == [10, 8, 6]  # largest first; the two silent neurons are left out
    assert found.cluster.loc[:9].nunique() == found.cluster.loc[10:15].nunique() == 1
    assert like_and_unlike(variance)[0] == ("b", "c")
    fractions = fractional_variance(variance, "a", "b")
    assert fractions.loc[:9].min() > 0.85
    assert fractions.loc[10:15].max() < -0.85


def test_bad_input() -> None:
    told = recording()
    with pytest.raises(UsageError, match="of task copy a single kind of trial was recorded"):
        task_variance({"copy": told.isel(life=[0], trial=[0])})
    with pytest.raises(UsageError, match="compared between tasks, the suite has 1"):
        clustered(task_variance({"copy": told}))
    silent = pd.DataFrame(np.zeros((5, 2)), columns=["a", "b"])
    with pytest.raises(UsageError, match="0 neurons vary with the kind of trial"):
        clustered(silent)
