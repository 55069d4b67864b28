"""From what a lifetime left behind to one number per individual."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.lifetime.batch import LifetimeResult
from evoplastic.lifetime.config import LifetimeConfig


def lifetime_loss(result: LifetimeResult, config: LifetimeConfig) -> NDArray[np.float64]:
    """The loss [P] of `losses`, as an array."""
    loss: NDArray[np.float64] = losses(result, config).numpy()
    return loss


def losses(result: LifetimeResult, config: LifetimeConfig) -> Tensor:
    """Loss [P] that evolution makes small; NaN where a lifetime failed.

    mean over the last scored trials of  loss - reward_weight * reward    (fitness "loss")
                                         or -reward                       (fitness "reward")
        + smoothness_penalty * smoothness

    A lifetime whose loss is not finite failed, whatever its reward.

    Source: Miconi 2023, section 2.5.
    """
    scored = slice(-config.scored_trials, None)
    scored_PK = result.loss_PK[:, scored].double()
    reward_PK = result.reward_PK[:, scored].double()
    if config.fitness == "reward":
        scored_PK = torch.where(torch.isfinite(scored_PK), -reward_PK, torch.nan)
    elif config.reward_weight:
        scored_PK = scored_PK - config.reward_weight * reward_PK
    return scored_PK.mean(1) + config.smoothness_penalty * result.smoothness_P.double()


def accuracy(result: LifetimeResult, scored_trials: int) -> NDArray[np.float64]:
    """Share [P] of correct choices over the last scored trials."""
    share: NDArray[np.float64] = result.correct_PK[:, -scored_trials:].double().mean(1).numpy()
    return share


def reward(result: LifetimeResult, scored_trials: int) -> NDArray[np.float64]:
    """Mean reward [P] of a trial over the last scored trials."""
    mean: NDArray[np.float64] = result.reward_PK[:, -scored_trials:].double().mean(1).numpy()
    return mean
