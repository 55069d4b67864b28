"""From what a lifetime left behind to one number per individual."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.lifetime.batch import LifetimeResult
from evoplastic.lifetime.config import LifetimeConfig


def lifetime_loss(
    result: LifetimeResult, config: LifetimeConfig, weight_PK: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """The loss [P] of `losses`, as an array."""
    loss: NDArray[np.float64] = losses(result, config, weight_PK).numpy()
    return loss


def losses(
    result: LifetimeResult, config: LifetimeConfig, weight_PK: NDArray[np.float64] | None = None
) -> Tensor:
    """Loss [P] that evolution makes small; NaN where a lifetime failed.

    mean over the last scored trials of  loss - reward_weight * reward    (fitness "loss")
                                         -right - reward_weight * reward  (fitness "accuracy")
                                         -reward                          (fitness "reward")
        + smoothness_penalty * smoothness

    A lifetime whose loss is not finite failed, whatever it answered or earned. With weights of
    trials, as streams have them (`evoplastic.lifetime.streams.scoring`), the weighted mean over all
    trials.

    Source: Miconi 2023, section 2.5.
    """
    scored = slice(-config.scored_trials if weight_PK is None else 0, None)
    scored_PK = result.loss_PK[:, scored].double()
    reward_PK = result.reward_PK[:, scored].double()
    if config.fitness != "loss":
        right_PK = result.correct_PK[:, scored].double()
        gained_PK = reward_PK if config.fitness == "reward" else right_PK
        scored_PK = torch.where(torch.isfinite(scored_PK), -gained_PK, torch.nan)
    if config.reward_weight:
        scored_PK = scored_PK - config.reward_weight * reward_PK
    mean_P = _mean(scored_PK, weight_PK)
    return mean_P + config.smoothness_penalty * result.smoothness_P.double()


def accuracy(
    result: LifetimeResult, scored_trials: int, weight_PK: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Share [P] of correct choices over the last scored trials, or by weights of trials."""
    return _scored(result.correct_PK, scored_trials, weight_PK)


def reward(
    result: LifetimeResult, scored_trials: int, weight_PK: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Mean reward [P] of a trial over the last scored trials, or by weights of trials."""
    return _scored(result.reward_PK, scored_trials, weight_PK)


def _scored(
    value_PK: Tensor, scored_trials: int, weight_PK: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    scored = slice(-scored_trials if weight_PK is None else 0, None)
    mean: NDArray[np.float64] = _mean(value_PK[:, scored].double(), weight_PK).numpy()
    return mean


def _mean(value_PK: Tensor, weight_PK: NDArray[np.float64] | None) -> Tensor:
    """The mean over trials; what does not count may be anything."""
    if weight_PK is None:
        return value_PK.mean(1)
    weight = torch.from_numpy(weight_PK)
    return torch.where(weight > 0, weight * value_PK, 0.0).sum(1)
