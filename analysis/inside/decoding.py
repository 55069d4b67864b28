"""Cross-temporal decoding: what activity says at one time, read by what was learnt at another.

A linear classifier is fitted to the rates at a training time and asked at every test time. A high
diagonal alone is a code that changes with time, a square one that stays.

Miconi (2023), figure 4, decodes stimulus 1, stimulus 2 and target from 500 copies of a genome. Its
published script differs from what is done here, and from its own caption, in these ways:

    - it drops the last 6 neurons as outputs where the network has 4, so two hidden ones are lost;
    - the captions of its axes are swapped: rows are training times, columns test times;
    - training and test trials are each standardised by their own mean and spread, so that the test
      set tells about itself; here the training set standardises both;
    - three overlapping training sets stand in for cross-validation, and there is no floor: nothing
      says from which number on a decoder knows anything.

Here lives are split into folds, no life is in training and test set at once, classes are equally
frequent, and a floor comes from the same analysis with labels in random order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.inside.behaviour import stimuli_of
from analysis.inside.recorded import neurons_of, require_fields, steps_with_all
from evoplastic.checks import require

FOLDS = 5
FEWEST_OF_CLASS = 2 * FOLDS
LEVEL = 0.95


class Decoded(NamedTuple):
    """Accuracy at each training and test time."""

    variable: str
    accuracy_TT: np.ndarray  # [training time, test time], mean over folds
    time_ms: np.ndarray
    floor: float  # that 5 % of decoders of shuffled labels exceed anywhere
    pointwise_floor: float  # that 5 % of theirs exceed at a training and test time
    chance: float
    samples: int

    def table(self, **labels: Any) -> pd.DataFrame:
        """A row for each training and test time."""
        train, test = np.meshgrid(self.time_ms, self.time_ms, indexing="ij")
        return pd.DataFrame(
            {
                **labels,
                "variable": self.variable,
                "train_ms": train.ravel(),
                "test_ms": test.ravel(),
                "accuracy": self.accuracy_TT.ravel(),
                "floor": self.floor,
                "pointwise_floor": self.pointwise_floor,
                "chance": self.chance,
                "samples": self.samples,
            }
        )


def decodable(recording: Any) -> list[str]:
    """What can be decoded of a recording: its stimuli, and the target action."""
    return [*stimuli_of(recording), "target_action"]


def cross_temporal(
    recording: Any,
    variable: str,
    *,
    groups: Sequence[str] = ("hidden",),
    every: int = 2,
    permutations: int = 100,
    seed: int = 0,
) -> Decoded:
    """Decode a variable of trials from rates, for each training and each test time.

    Ridge regression onto the classes (scikit-learn's `Ridge`, whose weight of the penalty is the
    number of training trials), of rates standardised at the training time; accuracy is the mean
    over classes of the share that is decoded right, over five folds of lives.

    Args:
        recording: of `ep.run(..., record="rate")`; all its trials are samples.
        variable: `stimulus1`, `target_action`, or any other coordinate of life and trial.
        groups: groups of neurons to read.
        every: steps from one time to the next.
        permutations: decoders of shuffled labels, trained at every fifth time, that make the floor.
        seed: of folds and shuffles.

    Raises:
        UsageError: no rates, no such variable, one that has a single value, too few trials of one
            of its values, or fewer lives than folds.
    """
    from sklearn import config_context
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    rate_STN, label_S, life_S, time_ms = _samples(recording, variable, groups, every)
    rng = np.random.default_rng(seed)
    kept = _balanced(label_S, variable, recording, rng)
    rate_STN, label_S, life_S = rate_STN[kept], label_S[kept], life_S[kept]
    require(
        len(np.unique(life_S)) >= FOLDS,
        f"{variable} is decoded in {FOLDS} folds of lives, the recording has "
        f"{len(np.unique(life_S))}; record more lifetimes",
    )
    classes = int(label_S.max()) + 1
    shuffled_RS = np.stack([label_S, *(rng.permutation(label_S) for _ in range(permutations))])
    T = len(time_ms)
    right = np.zeros((T, T, classes))
    asked = np.zeros((T, T, classes))
    floor_times = np.arange(0, T, 5)
    chance_hits = np.zeros((permutations, len(floor_times), T))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    # Thousands of small fits: checks, and threads that wait for each other, would take longer.
    with threadpool_limits(1), config_context(assume_finite=True, skip_parameter_validation=True):
        for train, test in folds.split(rate_STN[:, 0], label_S, life_S):
            scaler = StandardScaler().fit(rate_STN[train].reshape(len(train), -1))
            scale_TN = scaler.scale_.reshape(T, -1)
            mean_TN = scaler.mean_.reshape(T, -1)
            tested = rate_STN[test].reshape(len(test) * T, -1)
            for t in range(T):
                label_RS = shuffled_RS if t % 5 == 0 else shuffled_RS[:1]
                coded = _coded(label_RS[:, train], classes)
                said = _said(rate_STN[train, t], coded, tested, mean_TN[t], scale_TN[t])
                said_STR = _decided(said, classes).reshape(len(test), T, -1)
                hit_STR = said_STR == label_RS[:, test].T[:, None]
                for value in range(classes):
                    own = label_S[test] == value
                    right[t, :, value] += hit_STR[own, :, 0].sum(0)
                    asked[t, :, value] += own.sum()
                if t % 5 == 0:
                    chance_hits[:, t // 5] += hit_STR[..., 1:].sum(0).T
    accuracy_TT = (right / asked).mean(-1)
    by_chance = chance_hits / len(label_S)
    floor = pointwise = np.nan
    if permutations:
        floor = float(np.quantile(by_chance.max((1, 2)), LEVEL))
        pointwise = float(np.quantile(by_chance, LEVEL))
    return Decoded(variable, accuracy_TT, time_ms, floor, pointwise, 1 / classes, len(label_S))


def _said(
    rate_SN: np.ndarray,
    coded_SR: np.ndarray,
    tested_XN: np.ndarray,
    mean_N: np.ndarray,
    scale_N: np.ndarray,
) -> np.ndarray:
    """What regressions fitted to standardised rates say of others [X, R], standardised alike.

    The standardisation is drawn into the weights, so that rates are read as they are.
    """
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=len(rate_SN)).fit((rate_SN - mean_N) / scale_N, coded_SR)
    weight_RN = model.coef_.reshape(-1, len(mean_N)) / scale_N
    said_XR: np.ndarray = tested_XN @ weight_RN.T + (model.intercept_ - weight_RN @ mean_N)
    return said_XR


def _samples(
    recording: Any, variable: str, groups: Sequence[str], every: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rates [S, T, N], labels from 0 on, lives, and times."""
    require_fields(recording, "rate")
    known = [
        name
        for name, values in recording.variables.items()
        if values.dims == ("life", "trial") and name != "steps"
    ]
    require(
        variable in known,
        f"trials have no {variable!r} to decode; expected one of {', '.join(sorted(known))}",
    )
    rate = neurons_of(recording, groups)["rate"].values
    steps = steps_with_all(rate)
    require(steps >= every, f"trials have {steps} steps in common; there is no time to decode at")
    rate_STN = rate[:, :, :steps:every].reshape(-1, len(range(0, steps, every)), rate.shape[-1])
    label_S = np.unique(recording[variable].values.ravel(), return_inverse=True)[1].reshape(-1)
    life_S = np.repeat(recording["life"].values, recording.sizes["trial"])
    time_ms = recording["time_ms"].values[:steps:every]
    return rate_STN, label_S, life_S, time_ms


def _balanced(
    label_S: np.ndarray, variable: str, recording: Any, rng: np.random.Generator
) -> np.ndarray:
    """Samples of which each class has as many."""
    counts = np.bincount(label_S)
    values = np.unique(recording[variable].values)
    require(
        len(counts) > 1,
        f"{variable} is {values[0]} in all recorded trials, there is nothing to decode; record "
        "more trials, or another task",
    )
    fewest = int(counts.min())
    require(
        fewest >= FEWEST_OF_CLASS,
        f"{variable} is {values[int(counts.argmin())]} in {fewest} recorded trials, decoding takes "
        f"at least {FEWEST_OF_CLASS} of each value; record more lifetimes or trials",
    )
    kept = [
        rng.choice(np.flatnonzero(label_S == value), fewest, replace=False)
        for value in range(len(counts))
    ]
    return np.sort(np.concatenate(kept))


def _coded(label_RS: np.ndarray, classes: int) -> np.ndarray:
    """Targets of a regression [S, R] of two classes, [S, R * C] of more."""
    if classes == 2:
        return 2.0 * label_RS.T - 1.0
    return np.eye(classes)[label_RS.T].reshape(label_RS.shape[1], -1)


def _decided(value: np.ndarray, classes: int) -> np.ndarray:
    value = value.reshape(len(value), -1)
    if classes == 2:
        return (value > 0).astype(np.int64)
    return value.reshape(len(value), -1, classes).argmax(-1)
