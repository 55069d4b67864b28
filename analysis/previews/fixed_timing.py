"""Trials of fixed timing, step by step, so that they are drawn as self-paced ones are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evoplastic.checks import require
from evoplastic.trials.step_bank import StepBank
from evoplastic.trials.table import TrialTable


def as_steps(
    table: TrialTable, trials: Sequence[int], periods: Mapping[str, tuple[int, int]]
) -> StepBank:
    """Some trials: the response is paid for at the outcome, and a trial is over with its last step.

    Args:
        table: of fixed timing.
        trials: which of its trials, in which order.
        periods: half-open step ranges of what happens in a trial.

    Raises:
        UsageError: a trial that is not in the table, or none.
    """
    M, T = len(table.first_M), table.num_steps
    require(
        len(trials) > 0 and min(trials) >= 0 and max(trials) < M,
        f"trials {list(trials)} of task {table.task!r}, expected some of 0 to {M - 1}",
    )
    chosen = np.array(trials)
    O = table.interface.num_outputs
    ends_MTO = np.zeros((len(chosen), T, O), dtype=np.bool_)
    ends_MTO[:, -1] = True
    period_Q2 = np.array(list(periods.values()), dtype=np.int64)
    return StepBank(
        task=table.task,
        dt_ms=table.dt_ms,
        observation_MTI=table.observation_VI.reshape(M, T, -1)[chosen],
        ground_truth_MT=table.target_action_V.reshape(M, T)[chosen],
        num_steps_M=np.full(len(chosen), T, dtype=np.int64),
        reward_MTO=table.reward_VO.reshape(M, T, O)[chosen],
        ends_MTO=ends_MTO,
        period_names=tuple(periods),
        period_MQ2=np.broadcast_to(period_Q2, (len(chosen), *period_Q2.shape)).copy(),
        kind_M=table.kind_M[chosen],
    )
