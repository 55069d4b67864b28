"""How far each outcome of a lifetime lay from what was expected of it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.lifetime.batch import LifetimeResult
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.outcome import outcome_seen, scatter_baseline
from evoplastic.types import Int64Array


def prediction_errors(
    result: LifetimeResult, kind_PK: Int64Array, config: LifetimeConfig, decay: float | Tensor
) -> NDArray[np.float32]:
    """L - b [P, K] of each trial: its outcome less the running mean of those before it.

        b' = decay b + (1 - decay) L,  from 0 at birth; for each kind of trial with baseline "kind"

    A rule that the outcome modulates multiplies its trace by this, and by b unless the outcome is
    the reward (`network.outcome.outcome_gate`).

    Args:
        result: of K trials of P lifetimes.
        kind_PK: the kind of each.
        config: which outcome, and whether there is a baseline for each kind or one for all.
        decay: of the running mean, one number or one of each individual.

    Source: Miconi 2023, section 2.4.
    """
    kinds = torch.from_numpy(kind_PK)
    if config.rule.baseline != "kind":
        kinds = torch.zeros_like(kinds)
    baseline_PC = torch.zeros((len(kinds), int(kinds.max()) + 1), dtype=result.loss_PK.dtype)
    errors = []
    for trial in range(kinds.shape[1]):
        column_P = kinds[:, trial]
        outcome_P = outcome_seen(
            result.loss_PK[:, trial],
            result.correct_PK[:, trial],
            result.reward_PK[:, trial],
            config,
        )
        errors.append(outcome_P - baseline_PC.gather(1, column_P[:, None])[:, 0])
        baseline_PC = scatter_baseline(baseline_PC, column_P, outcome_P, decay)
    found: NDArray[np.float32] = torch.stack(errors, dim=1).numpy()
    return found
