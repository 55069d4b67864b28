"""The table of descriptors; a new one is one entry here."""

from __future__ import annotations

import numpy as np
import torch

from evoplastic.checks import require_known
from evoplastic.lifetime.behaviour.descriptor import Descriptor, Float64Array, Lived

GROUP_SIGN = "@"  # accuracy@first_half
SMALLEST_CHANGE = 1e-12
HALVES = ("first_half", "second_half")


def accuracy_of(lived: Lived) -> Float64Array:
    """Share [P] of correct choices over the scored trials."""
    correct_PK = lived.result.correct_PK[:, -lived.config.scored_trials :]
    share_P: Float64Array = correct_PK.double().mean(1).numpy()
    return share_P


def reward_of(lived: Lived) -> Float64Array:
    """Mean reward [P] of a scored trial."""
    reward_PK = lived.result.reward_PK[:, -lived.config.scored_trials :]
    mean_P: Float64Array = reward_PK.double().mean(1).numpy()
    return mean_P


def plastic_change_of(lived: Lived) -> Float64Array:
    """log10 [P] of the root mean square of alpha p, over connections onto unclamped neurons."""
    assert lived.recorded is not None
    p_PUN = torch.from_numpy(lived.recorded.fields["p"][:, -1]).double()
    alpha_PUN = lived.params.alpha_PNN[:, lived.groups.num_clamped :].cpu().double()
    change_P = (alpha_PUN * p_PUN).square().mean((1, 2)).sqrt()
    size_P: Float64Array = change_P.clamp(min=SMALLEST_CHANGE).log10().numpy()
    return size_P


def mean_modulation_of(lived: Lived) -> Float64Array:
    """Mean [P] of |mod| over all steps of all trials."""
    assert lived.recorded is not None
    size_PRT = np.abs(lived.recorded.fields["mod"].astype(np.float64))
    there_PRT = ~np.isnan(size_PRT)  # a self-paced trial is over sooner or later
    sum_P = np.where(there_PRT, size_PRT, 0.0).sum((1, 2))
    mean_P: Float64Array = sum_P / np.maximum(there_PRT.sum((1, 2)), 1)
    return mean_P


def learning_speed_of(lived: Lived) -> Float64Array:
    """Share [P] of a lifetime that is left when half of its correct answers have been given.

    About 1/2 of a network that is as good from its birth on, less if it learns late; NaN where no
    answer is correct.
    """
    sum_PK = lived.result.correct_PK.double().cumsum(1)
    half_P1 = sum_PK[:, -1:] / 2
    first_P = (sum_PK < half_P1).sum(1) + 1
    left_P = 1.0 - first_P / sum_PK.shape[1]
    speed_P: Float64Array = torch.where(half_P1[:, 0] > 0, left_P, torch.nan).numpy()
    return speed_P


DESCRIPTORS: dict[str, Descriptor] = {
    descriptor.name: descriptor
    for descriptor in (
        Descriptor(
            name="accuracy",
            title="correct answers among the scored trials",
            unit="share",
            lower=0.0,
            upper=1.0,
            of=accuracy_of,
        ),
        Descriptor(
            name="reward",
            title="mean reward of a scored trial",
            unit="reward",
            lower=-1.0,
            upper=1.0,
            of=reward_of,
        ),
        Descriptor(
            name="plastic_change",
            title="root mean square of what a lifetime adds to connections",
            unit="log10 weight",
            lower=-5.0,
            upper=0.0,
            of=plastic_change_of,
            records="p",
        ),
        Descriptor(
            name="mean_modulation",
            title="mean size of the network's modulatory signal",
            unit="rate",
            lower=0.0,
            upper=2.0,
            of=mean_modulation_of,
            records="mod",
        ),
        Descriptor(
            name="learning_speed",
            title="share of a lifetime left when half of its correct answers have been given",
            unit="share",
            lower=0.0,
            upper=0.6,
            of=learning_speed_of,
        ),
    )
}


def parted(name: str) -> tuple[Descriptor, str | None]:
    """The descriptor of a name such as `accuracy@first_half`, and its group of tasks, if any.

    Raises:
        UsageError: no such descriptor, with the nearest one.
    """
    first, sign, group = name.partition(GROUP_SIGN)
    require_known("descriptor", first, DESCRIPTORS)
    return DESCRIPTORS[first], group if sign else None
