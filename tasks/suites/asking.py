"""What tasks ask, apart from what they are called: sameness, and how far one answer serves many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evoplastic.trials.table import TrialTable
from evoplastic.types import Float32Array


def same_question(first: TrialTable, second: TrialTable) -> str | None:
    """How two tasks ask the same: "the same", "the same with the responses exchanged", or None.

    A task asks: for this stimulus, that target. Order, repetition, reward and name do not matter.
    Exchanged responses (for two actions: the negation) are the same columns of targets in another
    order; whoever has learned one task has learned the other.
    """
    stimulus_MX, target_MO = _question(first)
    other_stimulus_MX, other_target_MO = _question(second)
    if target_MO.shape != other_target_MO.shape or not np.array_equal(
        stimulus_MX, other_stimulus_MX
    ):
        return None
    if np.array_equal(target_MO, other_target_MO):
        return "the same"
    if np.array_equal(_sorted_columns(target_MO), _sorted_columns(other_target_MO)):
        return "the same with the responses exchanged"
    return None


def agreement(policy: TrialTable, task: TrialTable) -> float:
    """Share of a task's trials that the correct actions of another task answer correctly.

    A stimulus that the other task never shows counts as answered wrongly.
    """
    answers = {
        stimulus_TI.tobytes(): action
        for stimulus_TI, action in zip(policy.fixed.stimulus_MTI, _actions(policy), strict=True)
    }
    return float(
        np.mean(
            [
                answers.get(stimulus_TI.tobytes()) == action
                for stimulus_TI, action in zip(task.fixed.stimulus_MTI, _actions(task), strict=True)
            ]
        )
    )


def best_single_mapping(banks: Sequence[TrialTable]) -> float:
    """Mean accuracy over tasks of the best policy that answers each stimulus in one fixed way.

        sum over stimuli s of  max over actions a of  mean over tasks of  P(s, correct action = a)

    Nothing that does not learn within its lifetime can do better on average over the tasks.
    """
    weight_of: dict[bytes, np.ndarray] = {}
    for bank in banks:
        share = 1.0 / len(bank.kind_M)
        for stimulus_TI, action in zip(bank.fixed.stimulus_MTI, _actions(bank), strict=True):
            weight_O = weight_of.setdefault(
                stimulus_TI.tobytes(), np.zeros(bank.interface.num_outputs)
            )
            weight_O[action] += share
    return float(sum(weight_O.max() for weight_O in weight_of.values()) / len(banks))


def _actions(bank: TrialTable) -> list[int]:
    """The correct action of each entry."""
    return [int(action) for action in bank.fixed.target_action_M]


def _question(bank: TrialTable) -> tuple[Float32Array, Float32Array]:
    """Each different stimulus once, in a fixed order, with the mean target asked for it."""
    entries = len(bank.kind_M)
    stimulus_MX, which = np.unique(
        bank.fixed.stimulus_MTI.reshape(entries, -1), axis=0, return_inverse=True
    )
    count = np.bincount(which)
    target_MO = np.stack(
        [np.bincount(which, weights=column_M) / count for column_M in bank.fixed.target_MO.T],
        axis=1,
    )
    return stimulus_MX, target_MO.astype(np.float32)


def _sorted_columns(target_MO: Float32Array) -> Float32Array:
    """The response columns in an order of their own, so that exchanged responses look alike."""
    return target_MO[:, np.lexsort(target_MO)]
