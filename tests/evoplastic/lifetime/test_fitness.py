"""Loss and accuracy of a lifetime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.lifetime.batch import LifetimeResult
from evoplastic.lifetime.fitness import accuracy, lifetime_loss, reward
from tests.evoplastic.engines.cases import make_config


def _result(loss_PK: list[list[float]], smoothness_P: list[float]) -> LifetimeResult:
    loss = torch.tensor(loss_PK)
    return LifetimeResult(
        loss_PK=loss,
        correct_PK=loss < 0.5,
        reward_PK=torch.zeros_like(loss),
        smoothness_P=torch.tensor(smoothness_P),
        steps_PK=torch.ones(loss.shape, dtype=torch.int32),
    )


RESULT = _result([[9.0, 0.25, 0.75, 0.5], [0.0, 1.0, 0.0, 0.25]], [2.0, 4.0])


def test_loss_is_the_mean_of_the_scored_trials() -> None:
    config = make_config(num_trials=4, scored_trials=2)
    loss_P = lifetime_loss(RESULT, config)
    assert loss_P.dtype == np.float64
    assert loss_P.tolist() == [0.625, 0.125]


def test_roughness_of_modulation_is_penalised() -> None:
    config = make_config(
        num_trials=4,
        scored_trials=2,
        rule={"name": "node_perturbation_network"},
        smoothness_penalty=0.25,
    )
    assert lifetime_loss(RESULT, config).tolist() == [0.625 + 0.5, 0.125 + 1.0]


def test_a_failed_lifetime_has_no_loss_and_harms_no_other() -> None:
    config = make_config(num_trials=3, scored_trials=2)
    loss_P = lifetime_loss(_result([[0.5, 0.5, float("nan")], [0.5, 1.0, 0.0]], [0.0, 0.0]), config)
    assert np.isnan(loss_P[0])
    assert loss_P[1] == 0.5


def test_accuracy_is_the_share_of_right_choices_among_the_scored() -> None:
    assert accuracy(RESULT, 2).tolist() == [0.0, 1.0]
    assert accuracy(RESULT, 4).tolist() == [0.25, 0.75]


def _paid() -> LifetimeResult:
    loss = [[9.0, 0.25, 0.75, 0.5], [0.0, 1.0, 0.0, float("nan")]]
    result = _result(loss, [0.0, 0.0])
    return result._replace(reward_PK=torch.tensor([[5.0, 1.0, 0.0, 2.0], [5.0, 3.0, 3.0, 3.0]]))


def test_rewards_may_be_the_fitness_or_a_part_of_it() -> None:
    alone = lifetime_loss(_paid(), make_config(num_trials=4, fitness="reward"))
    assert alone[0] == pytest.approx(-1.0)
    part = lifetime_loss(_paid(), make_config(num_trials=4, reward_weight=0.5))
    assert part[0] == pytest.approx(0.5 - 0.5 * 1.0)
    assert np.isnan(alone[1])  # whatever a failed lifetime earned
    assert np.isnan(part[1])
    assert reward(_paid(), 3).tolist() == [1.0, 3.0]


def test_right_answers_may_be_the_fitness_and_rewards_a_part_of_it() -> None:
    result = _paid()._replace(
        correct_PK=torch.tensor([[True, True, False, True], [True, True, True, True]])
    )
    options: dict[str, Any] = {"num_trials": 4, "scored_trials": 3, "fitness": "accuracy"}
    alone = lifetime_loss(result, make_config(**options))
    assert alone[0] == pytest.approx(-2 / 3)
    part = lifetime_loss(result, make_config(**options, reward_weight=0.5))
    assert part[0] == pytest.approx(-2 / 3 - 0.5 * 1.0)
    assert np.isnan(alone[1])  # however right a failed lifetime was
    assert np.isnan(part[1])


@pytest.mark.parametrize("options", [{"reward_weight": -1.0}, {"fitness": "reward"}])
def test_a_weight_of_rewards_needs_a_loss_to_be_taken_off(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="reward_weight is"):
        make_config(**{"reward_weight": 1.0, **options})
