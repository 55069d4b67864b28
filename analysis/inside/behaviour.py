"""What a network answers: within a lifetime by kind of trial, and against what was asked.

All functions take what `ep.evaluate(..., choices=True)` returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from evoplastic.checks import require

SMOOTHING = 16  # a moving average spans a lifetime / SMOOTHING trials
CONFIDENCE = 0.95
PARTS = ("first", "last")


def stimuli_of(data: Any) -> list[str]:
    """The names of the stimuli that trials show, as far as their kinds tell: stimulus1, ..."""
    names = {*data.variables}
    return [name for number in range(1, 9) if (name := f"stimulus{number}") in names]


def kind_labels(data: Any) -> dict[int, str]:
    """What each kind of trial shows, in words: `0 1` of two stimuli, else `kind 3`.

    Args:
        data: evaluation of one task, or recording, with `kind` and maybe stimuli.
    """
    kinds = np.asarray(data["kind"].values).ravel()
    stimuli = [np.asarray(data[name].values).ravel() for name in stimuli_of(data)]
    labels = {}
    for kind in sorted(set(kinds.tolist())):
        place = int(np.flatnonzero(kinds == kind)[0])
        shown = [str(values[place]) for values in stimuli]
        labels[int(kind)] = " ".join(shown) if len(shown) > 0 else f"kind {kind}"
    if len(set(labels.values())) < len(labels):
        return {kind: f"kind {kind}" for kind in labels}
    return labels


def curves_by_kind(evaluation: Any) -> pd.DataFrame:
    """Share of correct trials along a lifetime, for each kind of trial.

    moving_average[k] is the share among all trials of the kind, of all lives, that lie within half
    a window of trial k; a window is 1/16 of a lifetime.

    Raises:
        UsageError: the evaluation has not kept what was answered.
    """
    _require_answers(evaluation)
    rows = []
    for task, condition, one in _each(evaluation):
        labels = kind_labels(one)
        kind_LK = one["kind"].values
        correct_LK = one["correct"].values
        window = max(1, correct_LK.shape[1] // SMOOTHING)
        for kind, label in labels.items():
            there_LK = kind_LK == kind
            there_K = pd.Series(there_LK.sum(0).astype(float))
            right_K = pd.Series((correct_LK & there_LK).sum(0).astype(float))
            smooth = (series.rolling(window, 1, center=True).sum() for series in (right_K, there_K))
            right, there = (each.to_numpy() for each in smooth)
            rows.append(
                pd.DataFrame(
                    {
                        "task": task,
                        "condition": condition,
                        "kind": kind,
                        "label": label,
                        "trial": one["trial"].values,
                        "trials": there_K.to_numpy(),
                        "correct": right_K.to_numpy(),
                        "moving_average": np.divide(
                            right, there, out=np.full(len(there), np.nan), where=there > 0
                        ),
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)


def choice_matrix(evaluation: Any) -> pd.DataFrame:
    """How often each action was taken where each was asked for, in the first and the last trials.

        share = trials with this target and this choice / trials with this target

    The last trials are the scored ones; the first are as many, or a tenth of a lifetime if that is
    less. Trials that asked for no action are left out; choice -1 is a trial without an answer.
    """
    _require_answers(evaluation)
    rows = []
    for task, condition, one in _each(evaluation):
        for part, trials in parts_of(evaluation).items():
            target = one["target_action"].values[:, trials].ravel()
            choice = one["choice"].values[:, trials].ravel()
            asked = target >= 0
            counts = pd.crosstab(target[asked], choice[asked])
            actions = sorted({*counts.index, *counts.columns})
            counts = counts.reindex(
                index=[each for each in actions if each >= 0], columns=actions, fill_value=0
            )
            for asked_for, row in counts.iterrows():
                total = int(row.sum())
                rows += [
                    {
                        "task": task,
                        "condition": condition,
                        "part": part,
                        "target": asked_for,
                        "choice": taken,
                        "trials": int(number),
                        "share": number / total if total else np.nan,
                    }
                    for taken, number in row.items()
                ]
    return pd.DataFrame(rows)


def psychometric(evaluation: Any, along: str = "kind") -> pd.DataFrame:
    """Share of each action along a property of trials, in the first and the last trials.

    The share is that of a life, its mean and its 95 % interval (Student's t) are over lives that
    have such trials.

    Args:
        evaluation: with answers.
        along: `kind`, `stimulus1`, or any numbers (task, condition, life, trial) that have been
            assigned, as a coherence.

    Raises:
        UsageError: no such property.
    """
    _require_answers(evaluation)
    known = [name for name, values in evaluation.variables.items() if "trial" in values.dims]
    require(
        along in known and along != "trial",
        f"trials have no property {along!r}; expected one of {', '.join(sorted(known))}",
    )
    rows = []
    for task, condition, one in _each(evaluation):
        labels = kind_labels(one) if along == "kind" else {}
        for part, trials in parts_of(evaluation).items():
            values = one[along].values[:, trials]
            choice = one["choice"].values[:, trials]
            for value in np.unique(values):
                there = values == value
                number = there.sum(1)
                lives = number > 0
                for action in np.unique(choice[choice >= 0]):
                    share = ((choice == action) & there).sum(1)[lives] / number[lives]
                    low, high = _interval(share)
                    rows.append(
                        {
                            "task": task,
                            "condition": condition,
                            "part": part,
                            along: value,
                            "label": labels.get(int(value), str(value)),
                            "choice": int(action),
                            "share": share.mean(),
                            "low": low,
                            "high": high,
                            "lifetimes": int(lives.sum()),
                        }
                    )
    return pd.DataFrame(rows)


def parts_of(evaluation: Any) -> dict[str, slice]:
    """The first and the last trials of a lifetime."""
    trials, scored = evaluation.sizes["trial"], int(evaluation.attrs["scored_trials"])
    first = max(1, min(scored, trials // 10))
    return dict(zip(PARTS, (slice(0, first), slice(trials - scored, trials)), strict=True))


def _interval(share: np.ndarray) -> tuple[float, float]:
    if len(share) < 2:
        return np.nan, np.nan
    half = student.ppf((1 + CONFIDENCE) / 2, len(share) - 1) * share.std(ddof=1) / len(share) ** 0.5
    return max(0.0, share.mean() - half), min(1.0, share.mean() + half)


def _each(evaluation: Any) -> list[tuple[str, str, Any]]:
    return [
        (str(task), str(condition), evaluation.sel(task=task, condition=condition))
        for task in evaluation["task"].values
        for condition in evaluation["condition"].values
    ]


def _require_answers(evaluation: Any) -> None:
    names: Mapping[str, Any] = evaluation.variables
    missing = [name for name in ("kind", "target_action", "choice") if name not in names]
    require(
        not missing,
        f"the evaluation has no {', '.join(missing)} of its trials; evaluate with choices=True",
    )
