"""How far one way to answer serves many tasks of fixed timing: levels that need no learning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evoplastic.trials.table import TrialTable


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
