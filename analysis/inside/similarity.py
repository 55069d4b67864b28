"""How alike a network is to recorded activity, along a trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.inside.behaviour import kind_labels
from analysis.inside.recorded import first_and_last, neurons_of, steps_with_all
from evoplastic.checks import require
from evoplastic.lifetime.imitation.activity import Activity, order_of
from evoplastic.lifetime.imitation.similarity import MEASURES, compare, matrix_of, similarity

OF_RSATOOLBOX = ("cosine", "corr", "tau-a", "rho-a", "corr_cov", "cosine_cov")


class Compared(NamedTuple):
    """A network and recorded activity."""

    along: pd.DataFrame  # part, measure, time_ms, similarity
    whole: pd.DataFrame  # part, measure, similarity, p: of rates averaged over the trial
    matrices: dict[str, np.ndarray]  # RDMs of "recorded", and of the network in "first", "last"
    conditions: list[str]


def compared(recording: Any, activity: Activity, groups: Sequence[str] = ("hidden",)) -> Compared:
    """Compare the mean rates of each kind of trial with recorded activity, first trials and last.

    At each step, and for rates averaged over the trial, by both measures of
    `evoplastic.lifetime.imitation.similarity`.

    Args:
        recording: of rates.
        activity: of conditions that are the kinds of trial of the task.
        groups: groups of neurons that stand for the recorded units.

    Raises:
        UsageError: other conditions than the recording has; a kind of trial that was not met.
    """
    own = neurons_of(recording, groups)
    labels = kind_labels(recording)
    order = order_of(activity.conditions, list(labels.values()), str(recording.attrs["task"]))
    pattern_CU = activity.pattern_CU[order]
    steps = steps_with_all(own["rate"].values)
    along, whole, matrices = [], [], {"recorded": matrix_of(pattern_CU, "rdm")}
    for part, data in first_and_last(own).items():
        mean_CTN = _means(data, list(labels), steps, part)
        matrices[part] = matrix_of(mean_CTN.mean(1), "rdm")
        for measure in MEASURES:
            target_CC = matrix_of(pattern_CU, measure)
            found = similarity(target_CC, matrix_of(mean_CTN.mean(1), measure), measure)
            whole.append(
                {"part": part, "measure": measure, "similarity": found.value, "p": found.p}
            )
            along += [
                {
                    "part": part,
                    "measure": measure,
                    "time_ms": float(recording["time_ms"].values[step]),
                    "similarity": compare(
                        target_CC, matrix_of(mean_CTN[:, step], measure), measure
                    ),
                }
                for step in range(steps)
            ]
    return Compared(pd.DataFrame(along), pd.DataFrame(whole), matrices, list(labels.values()))


def rdm_similarity(first_CU: np.ndarray, second_CU: np.ndarray, method: str = "spearman") -> float:
    """The similarity of the RDMs of two sets of patterns, by rank or by a method of rsatoolbox.

    Args:
        first_CU: activity of units in conditions.
        second_CU: of other units in the same conditions.
        method: `spearman`, computed here, or one of rsatoolbox's: cosine, corr, tau-a, rho-a, and
            corr_cov, cosine_cov, which take account of how dissimilarities hang together.

    Raises:
        UsageError: an unknown method, or one of rsatoolbox where that is not installed.
    """
    if method == "spearman":
        return compare(matrix_of(first_CU, "rdm"), matrix_of(second_CU, "rdm"), "rdm")
    require(
        method in OF_RSATOOLBOX,
        f"unknown method {method!r}; expected spearman, {', '.join(OF_RSATOOLBOX)}",
    )
    try:
        import rsatoolbox
    except ImportError:
        require(False, f"method {method!r} is rsatoolbox's; pip install 'evoplastic[rsa]'")
        raise
    made = [
        rsatoolbox.rdm.calc_rdm(rsatoolbox.data.Dataset(each), method="correlation")
        for each in (first_CU, second_CU)
    ]
    return float(rsatoolbox.rdm.compare(*made, method=method).item())


def _means(data: Any, kinds: Sequence[int], steps: int, part: str) -> np.ndarray:
    """Mean rates [C, T, N] of each kind of trial."""
    rate_LKTN, kind_LK = data["rate"].values[:, :, :steps], data["kind"].values
    absent = [kind for kind in kinds if not (kind_LK == kind).any()]
    require(
        not absent,
        f"the {part} trials of the recording have none of kind {absent[:4]}; record more lifetimes "
        "or trials",
    )
    means: np.ndarray = np.stack([rate_LKTN[kind_LK == kind].mean(0) for kind in kinds])
    return means.astype(np.float64)
