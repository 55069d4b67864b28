"""Which probes of a stream count in fitness and scores, and lifetimes that do not fit a stream."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.checks import UsageError
from evoplastic.lifetime.batch import LifetimeResult
from evoplastic.lifetime.fitness import accuracy, lifetime_loss
from evoplastic.lifetime.streams.scoring import require_streams, weights_of
from tasks.two_stimulus.task import TwoStimulusTask
from tests.evoplastic.engines.cases import make_config
from tests.evoplastic.lifetime.streams.test_measures import ABA

K = ABA.num_trials
NO_TASKS = np.zeros(2, dtype=np.int64)


def _config(**lifetime: Any) -> Any:
    return make_config(num_trials=K, scored_trials=4, **lifetime)


def _result(loss_K: np.ndarray) -> LifetimeResult:
    loss_PK = torch.from_numpy(np.stack([loss_K, 2 * loss_K])).float()
    return LifetimeResult(loss_PK, loss_PK < 1, loss_PK, torch.zeros(2), torch.ones(2, K).int())


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0])
def test_fitness_weighs_acquisition_and_retention(weight: float) -> None:
    config = _config(retention_weight=weight)
    cell_K = np.where(ABA.probe_K, 10.0 * ABA.part_K + ABA.task_K, np.nan)  # the rest counts not
    weights = weights_of([ABA], NO_TASKS, config)
    assert weights is not None
    acquired, retained = (10 + 21 + 30) / 3, (20 + 31) / 2
    expected = (1 - weight) * acquired + weight * retained
    loss_P = lifetime_loss(_result(cell_K), config, weights.loss_PK)
    np.testing.assert_allclose(loss_P, [expected, 2 * expected])


def test_accuracy_is_that_of_the_last_probes() -> None:
    config = _config()
    loss_K = np.where((ABA.part_K == 3) & ABA.probe_K & (ABA.task_K == 0), 0.4, 1.0)
    weights = weights_of([ABA], NO_TASKS, config)
    assert weights is not None
    assert accuracy(_result(loss_K), 4, weights.score_PK).tolist() == [0.5, 0.5]


def test_other_tasks_and_short_trial_runs_are_scored_by_their_last_trials() -> None:
    config = _config()
    assert weights_of([None, None], NO_TASKS, config) is None
    weights = weights_of([ABA, None], np.ones(2, dtype=np.int64), config)
    assert weights is not None
    assert weights.loss_PK[0].tolist() == [0.0] * (K - 4) + [0.25] * 4
    short = weights_of([ABA], NO_TASKS, replace(config, num_trials=5, scored_trials=2))
    assert short is not None
    assert short.loss_PK[0].tolist() == [0, 0, 0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("lifetime", "message"),
    [
        ({"num_trials": K - 1}, f"has {K} trials, lifetimes have {K - 1}; set lifetime.num_trials"),
        ({"rule": {"first_trial": 8}}, "shorter than its burn-in.*at trial 8.*trials 4 to 7"),
    ],
)
def test_lifetimes_that_do_not_fit_are_refused(lifetime: dict[str, Any], message: str) -> None:
    stream = replace(TwoStimulusTask("and").trials(), course=replace(ABA, start_K=0 * ABA.start_K))
    require_streams([stream], _config(rule={"first_trial": 7}))
    with pytest.raises(UsageError, match=message):
        require_streams([stream], make_config(**{"num_trials": K, **lifetime}))


def test_a_weight_of_retention_needs_a_stream() -> None:
    with pytest.raises(UsageError, match="but no task is a stream"):
        require_streams([TwoStimulusTask("and").trials()], _config(retention_weight=0.5))
    with pytest.raises(UsageError, match="retention_weight is 2, expected 0 to 1"):
        _config(retention_weight=2)
