"""From what a lifetime left behind to one number per individual."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evoplastic.lifetime import LifetimeConfig
from evoplastic.types import LifetimeResult


def lifetime_loss(result: LifetimeResult, config: LifetimeConfig) -> NDArray[np.float64]:
    """Loss [P] that evolution makes small; NaN where a lifetime failed.

    mean of loss over the last scored trials + smoothness_penalty * smoothness

    Source: Miconi 2023, section 2.5.
    """
    scored_PK = result.loss_PK[:, -config.scored_trials :].double()
    loss_P = scored_PK.mean(1) + config.smoothness_penalty * result.smoothness_P.double()
    loss: NDArray[np.float64] = loss_P.numpy()
    return loss


def accuracy(result: LifetimeResult, scored_trials: int) -> NDArray[np.float64]:
    """Share [P] of correct choices over the last scored trials."""
    share: NDArray[np.float64] = result.correct_PK[:, -scored_trials:].double().mean(1).numpy()
    return share
