"""A network compared with recorded activity that is known to be like it, and with another."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.figures.inside.similarity import figure_similarity
from analysis.inside.similarity import compared, rdm_similarity
from evoplastic.checks import UsageError
from evoplastic.lifetime.imitation.activity import Activity
from tests.analysis.inside.data import recording


def like() -> Activity:
    """Stimulus 2 in many units, which the network of `recording` knows from step 4 on."""
    second = np.array([0, 1, 0, 1])
    rng = np.random.default_rng(4)
    pattern = np.outer(2 * second - 1, rng.normal(size=12)) + rng.normal(0, 0.01, (4, 12))
    return Activity(("0 0", "0 1", "1 0", "1 1"), pattern)


def test_likeness_begins_when_the_network_knows() -> None:
    found = compared(recording(lives=60), like())
    cka = found.along[(found.along.measure == "cka") & (found.along.part == "last")]
    by_time = cka.set_index("time_ms")["similarity"]
    assert by_time.loc[:60].max() < 0.2  # stimulus 1 alone: another axis
    assert by_time.loc[80:].min() > 0.6  # both stimuli, of one size: 1 / sqrt(2)
    assert by_time.loc[80:].max() < 0.8
    assert found.conditions == ["0 0", "0 1", "1 0", "1 1"]
    mixed = like()._replace(conditions=("1 1", "0 1", "1 0", "0 0"))
    order = [3, 1, 2, 0]
    same = compared(recording(lives=60), mixed._replace(pattern_CU=mixed.pattern_CU[order]))
    assert same.along.equals(found.along)  # lines in any order


def test_other_conditions_are_refused() -> None:
    odd = like()._replace(conditions=("0 0", "0 1", "1 0", "left"))
    with pytest.raises(UsageError, match=r"task 'copy' has 0 0, 0 1, 1 0, 1 1; missing: 1 1"):
        compared(recording(), odd)


def test_methods_of_rsatoolbox() -> None:
    pattern = np.random.default_rng(1).normal(size=(5, 8))
    assert rdm_similarity(pattern, 2 * pattern + 1) == pytest.approx(1.0)
    with pytest.raises(UsageError, match="unknown method 'kendal'; expected spearman, cosine"):
        rdm_similarity(pattern, pattern, "kendal")
    other = np.random.default_rng(2).normal(size=(5, 9))
    try:
        import rsatoolbox
    except ImportError:
        with pytest.raises(UsageError, match=r"is rsatoolbox's; pip install 'evoplastic\[rsa\]'"):
            rdm_similarity(pattern, other, "corr")
    else:
        assert rsatoolbox is not None
        rdms = [1 - np.corrcoef(each)[np.triu_indices(5, 1)] for each in (pattern, other)]
        assert rdm_similarity(pattern, other, "corr") == pytest.approx(
            np.corrcoef(rdms[0], rdms[1])[0, 1]
        )


@pytest.mark.exhaustive
def test_it_is_drawn() -> None:
    drawn = figure_similarity(recording(), like())
    assert drawn.figure.axes[0].get_title() == "recorded"
    assert drawn.more["whole"]["p"].between(0, 1).all()
