"""The reference engine in self-paced trials equals an independent account, option by option."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.engines.reference.engine import run_reference
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.stacked import stack_tables
from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import OVER_RIGHT, OVER_WRONG
from evoplastic.trials.wiring import Permute
from evoplastic.types import NO_TARGET
from tests.evoplastic.engines.cases import make_config, make_params
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank
from tests.evoplastic.oracles.lifetime import OracleLife, live

LIVES = 3
GROUPS = NeuronGroups(num_neurons=19, num_inputs=3, num_outputs=3)
BANKS = (
    make_node_bank(0, num_inputs=2, num_outputs=3),
    make_node_bank(1, num_inputs=3, num_outputs=2, num_entries=8, block=4),
)
Claim = Callable[[list[OracleLife]], bool]


def _learns(lives: list[OracleLife]) -> bool:
    return all(np.abs(life.p_NN).max() > 0.0 for life in lives)


def _own_clocks(lives: list[OracleLife]) -> bool:
    return len({tuple(life.steps_K) for life in lives}) == len(lives)


def _changes_at_ends_only(lives: list[OracleLife]) -> bool:
    return all(
        step == life.steps_K[trial] - 1 for life in lives for trial, step in life.events.changed
    ) and _learns(lives)


def _changes_at_first_steps_only(lives: list[OracleLife]) -> bool:
    return all(step == 0 and trial > 0 for life in lives for trial, step in life.events.changed)


def _right_and_wrong(lives: list[OracleLife]) -> bool:
    return {right for life in lives for right in life.correct_K} == {True, False}


def _feedback_at_every_step(lives: list[OracleLife]) -> bool:
    return all(
        first != 0.0 and first == -second
        for life in lives
        for first, second in life.events.feedback
    )


def _feedback_at_ends_only(lives: list[OracleLife]) -> bool:
    return all(
        sum(pair != (0.0, 0.0) for pair in life.events.feedback) == len(life.steps_K)
        for life in lives
    )


def _clips_some(lives: list[OracleLife]) -> bool:
    return all(life.events.clipped > 0 for life in lives)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A lifetime, and what it must have done for its agreement to mean anything."""

    config: LifetimeConfig = field(default_factory=make_config)
    permute: Permute = "both"
    evaluation: bool = False
    claims: tuple[Claim, ...] = (_learns, _own_clocks)

    def build(self) -> tuple[PlasticParams, LifetimeBatch]:
        batch = make_free_batch(
            BANKS, GROUPS, LIVES, permute=self.permute, evaluation=self.evaluation
        )
        return make_params(GROUPS, LIVES), batch


BY_NETWORK = {"name": "node_perturbation_network", "eta": 0.02}
CASES = {
    "published": Case(claims=(_own_clocks, _changes_at_ends_only, _right_and_wrong)),
    "unpermuted": Case(permute="none"),
    "evaluation": Case(evaluation=True),
    "single baseline": Case(config=make_config(rule={"baseline": "single"})),
    "no baseline": Case(config=make_config(rule={"baseline": "none"})),
    "binary outcome": Case(
        config=make_config(rule={"outcome": "binary", "eta": 0.3}),
        claims=(_learns, _right_and_wrong, _feedback_at_ends_only),
    ),
    "reward outcome": Case(config=make_config(rule={"outcome": "reward"})),
    "reward outcome, no baseline": Case(
        config=make_config(rule={"outcome": "reward", "baseline": "none"})
    ),
    "clipped": Case(
        config=make_config(rule={"eta": 3.0, "max_change": 0.002}), claims=(_clips_some,)
    ),
    "correctness fed back": Case(
        config=make_config(feedback="correct"), claims=(_learns, _feedback_at_ends_only)
    ),
    "prediction error fed back": Case(
        config=make_config(feedback="prediction_error"), claims=(_learns, _feedback_at_ends_only)
    ),
    "graded loss fed back": Case(
        config=make_config(feedback="graded"), claims=(_learns, _feedback_at_ends_only)
    ),
    "graded prediction error fed back": Case(
        config=make_config(feedback="graded_prediction_error"),
        claims=(_learns, _feedback_at_ends_only),
    ),
    "reward fed back": Case(
        config=make_config(feedback="reward"), claims=(_learns, _feedback_at_every_step)
    ),
    "reward prediction error fed back": Case(
        config=make_config(feedback="reward_prediction_error"),
        claims=(_learns, _feedback_at_every_step),
    ),
    "network": Case(config=make_config(rule=BY_NETWORK, feedback="reward")),
    "network at feedback": Case(
        config=make_config(rule={**BY_NETWORK, "gate": "feedback"}),
        claims=(_learns, _changes_at_first_steps_only),
    ),
    "network at feedback, plastic from birth": Case(
        config=make_config(
            rule={**BY_NETWORK, "gate": "feedback", "first_trial": 0},
            perturbation={"first_step": 0},
        ),
        claims=(_learns, _changes_at_first_steps_only),
    ),
    "network clipped, spared modulators": Case(
        config=make_config(
            rule={**BY_NETWORK, "eta": 1.0, "max_change": 0.003},
            perturbation={"perturb_modulators": False, "first_step": 1},
        ),
        claims=(_clips_some,),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_reference_equals_the_oracle(name: str) -> None:
    case = CASES[name]
    params, batch = case.build()
    trace = run_reference(params, GROUPS, batch, case.config, dtype=torch.float64)
    lives = [live(params, GROUPS, batch, case.config, p) for p in range(LIVES)]
    for claim in case.claims:
        assert claim(lives), claim.__name__
    result, state = trace.result, trace.state
    for p, life in enumerate(lives):
        assert result.steps_PK[p].tolist() == life.steps_K
        assert result.correct_PK[p].tolist() == life.correct_K
        for name_, ours, theirs in (
            ("loss", result.loss_PK[p], life.loss_K),
            ("reward", result.reward_PK[p], life.reward_K),
            ("smoothness", result.smoothness_P[p], life.smoothness),
            ("x", state.x_PN[p, GROUPS.num_clamped :], life.x_N[GROUPS.num_clamped :]),
            ("rate", state.rate_PN[p], life.rate_N),
            ("p", state.p_PNN[p], life.p_NN),
            ("elig", state.elig_PNN[p], life.elig_NN),
            ("baseline", state.baseline_PC[p], life.baseline),
            ("mean_correct", state.mean_correct_P[p], life.mean_correct),
            ("mean_reward", state.mean_reward_P[p], life.mean_reward),
            ("mean_loss", state.mean_loss_P[p], life.mean_loss),
        ):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9, err_msg=name_)


def test_a_life_does_not_depend_on_who_else_lives() -> None:
    params, batch = Case().build()
    config = make_config()
    together = run_reference(params, GROUPS, batch, config, dtype=torch.float64).result
    assert batch.wiring is not None
    for p in range(LIVES):
        alone = run_reference(
            PlasticParams(params.w_PNN[p : p + 1], params.alpha_PNN[p : p + 1]),
            GROUPS,
            batch._replace(
                task_P=batch.task_P[p : p + 1],
                trial_stream_P=batch.trial_stream_P[p : p + 1],
                perturb_stream_P=batch.perturb_stream_P[p : p + 1],
                wiring=type(batch.wiring)(*(each[p : p + 1] for each in batch.wiring)),
            ),
            config,
            dtype=torch.float64,
        ).result
        assert torch.equal(alone.steps_PK[0], together.steps_PK[p])
        torch.testing.assert_close(alone.loss_PK[0], together.loss_PK[p], rtol=0, atol=1e-12)


def test_a_network_that_is_not_a_number_has_no_loss_to_be_proud_of() -> None:
    bank = make_node_bank(2, num_inputs=3, num_outputs=2, scored=1.0)
    params = make_params(GROUPS, LIVES)
    params.w_PNN[0, -1, -1] = torch.nan
    batch = make_free_batch([bank], GROUPS, LIVES)
    loss_PK = run_reference(params, GROUPS, batch, make_config()).result.loss_PK
    assert bool(loss_PK[0].isnan().any())
    assert bool(loss_PK[1:].isfinite().all())


def test_a_trial_that_scores_nothing_has_no_loss() -> None:
    bank = replace(
        make_node_bank(3),
        flags_V=np.zeros(len(make_node_bank(3).flags_V), dtype=np.int8),
    )
    batch = make_free_batch([bank], GROUPS, 1)
    result = run_reference(make_params(GROUPS, 1), GROUPS, batch, make_config()).result
    assert (result.loss_PK == 0).all()
    assert (result.reward_PK != 0).any()


def _chain() -> TrialTable:
    """One trial of two steps: hold 0, then answer 1."""
    return TrialTable(
        task="chain",
        dt_ms=20,
        observation_VI=np.ones((2, 1), dtype=np.float32),
        target_action_V=np.array([0, 1]),
        flags_V=np.array([1, 2], dtype=np.int8),
        reward_VO=np.zeros((2, 2), dtype=np.float32),
        next_VO=np.array([[1, 1], [OVER_WRONG, OVER_RIGHT]], dtype=np.int32),
        first_M=np.array([0]),
        kind_M=np.array([0]),
    )


@pytest.mark.parametrize(
    ("field_", "value", "message"),
    [
        ("next_VO", np.array([[1, 1], [0, OVER_RIGHT]], dtype=np.int32), "need not end"),
        ("next_VO", np.array([[1, 2], [-1, -2]], dtype=np.int32), "next_VO .* spans -2 to 2"),
        ("target_action_V", np.array([NO_TARGET, 1]), "scores states at which it asks for nothing"),
        ("block", 2, "1 trials in blocks of 2"),
        ("reward_VO", np.full((2, 2), np.nan, dtype=np.float32), "not finite"),
        ("first_M", np.array([2]), "first_M .* spans 2 to 2, expected 0 to 1"),
        ("kind_M", np.array([0, 0]), r"kind_M .* has shape \(2,\), expected \(1,\)"),
        ("dt_ms", 0.0, "positive duration"),
    ],
)
def test_contradictions_are_refused(field_: str, value: object, message: str) -> None:
    changed: dict[str, Any] = {field_: value}
    with pytest.raises(ValueError, match=message):
        replace(_chain(), **changed)


def test_tasks_of_unequal_time_steps_do_not_stack() -> None:
    with pytest.raises(ValueError, match="differ in time step: 20 ms and 10 ms"):
        stack_tables([_chain(), replace(_chain(), dt_ms=10)])
