"""Lifetimes of fixed timing, option by option, and what each must have done to mean anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import TrialTiming
from tests.evoplastic.engines.cases import (
    TIMING,
    make_bank,
    make_batch,
    make_config,
    make_params,
)
from tests.evoplastic.oracles.lifetime import OracleLife

Claim = Callable[[list[OracleLife]], bool]


def learns(lives: list[OracleLife]) -> bool:
    return all(np.abs(life.p_NN).max() > 0.0 for life in lives)


def _clips_some(lives: list[OracleLife]) -> bool:
    return all(0 < life.events.clipped < life.events.changes for life in lives)


def _change_steps(*steps: int) -> Claim:
    return lambda lives: all(life.events.change_steps == set(steps) for life in lives)


def _right_and_wrong(lives: list[OracleLife]) -> bool:
    return {right for life in lives for right in life.correct_K} == {True, False}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A lifetime, and what it must have done for its agreement to mean anything."""

    name: str
    config: LifetimeConfig = field(default_factory=make_config)
    groups: NeuronGroups = field(default_factory=lambda: NeuronGroups(num_neurons=14))
    banks: tuple[TrialTable, ...] = (make_bank(0),)
    shared_noise: bool = False
    evaluation: bool = False
    claims: tuple[Claim, ...] = (learns,)

    def build(self, *, gain: float = 1.2) -> tuple[PlasticParams, LifetimeBatch]:
        """Two networks and their lifetimes."""
        batch = make_batch(
            list(self.banks), 2, shared_noise=self.shared_noise, evaluation=self.evaluation
        )
        return make_params(self.groups, 2, gain=gain), batch


ODD = NeuronGroups(num_neurons=17)
ONE_IN_THREE_OUT = NeuronGroups(num_neurons=19, num_inputs=1, num_outputs=3)
LAST_STEP, FIRST_FEEDBACK = TIMING.num_steps - 1, TIMING.feedback[0]

CASES = [
    Case(name="published", claims=(learns, _right_and_wrong, _change_steps(FIRST_FEEDBACK))),
    Case(
        name="baseline_per_kind",
        config=make_config(num_trials=10),
        claims=(learns, lambda lives: all(len(set(life.baseline)) == 3 for life in lives)),
    ),
    Case(
        name="baseline_single",
        config=make_config(rule={"baseline": "single", "baseline_decay": 0.6}),
        claims=(learns, lambda lives: all(len(life.baseline) == 1 for life in lives)),
    ),
    Case(name="baseline_none", config=make_config(rule={"baseline": "none"})),
    Case(
        name="burn_in",
        config=make_config(rule={"first_trial": 5}),
        claims=(
            learns,
            lambda lives: all(life.events.change_trials == {5, 6, 7} for life in lives),
            lambda lives: all(1 in life.events.hit_trials for life in lives),
        ),
    ),
    Case(
        name="plastic_from_birth",
        config=make_config(rule={"first_trial": 0, "baseline": "none"}),
        claims=(learns, lambda lives: all(0 in life.events.change_trials for life in lives)),
    ),
    Case(
        name="clip_outcome",
        config=make_config(rule={"eta": 2.0}),
        claims=(learns, _clips_some),
    ),
    Case(
        name="fast_eligibility",
        config=make_config(rule={"tau_elig_ms": 60.0}),
    ),
    Case(
        name="binary_outcome",
        config=make_config(rule={"outcome": "binary", "baseline": "single"}),
        claims=(
            learns,
            _right_and_wrong,
            lambda lives: {v for life in lives for v, _ in life.events.feedback} == {0.1, 0.6},
            lambda lives: not {0.1, 0.6} & {loss for life in lives for loss in life.loss_K},
        ),
    ),
    Case(
        name="feedback_correct",
        config=make_config(feedback="correct"),
        claims=(
            learns,
            lambda lives: (
                {v for life in lives for v in life.events.feedback} == {(1.0, -1.0), (-1.0, 1.0)}
            ),
        ),
    ),
    Case(
        name="reward_fed_back_and_learnt_from",
        config=make_config(feedback="reward", rule={"outcome": "reward"}),
        claims=(
            learns,
            lambda lives: all(
                life.events.feedback == [(r, -r) for r in life.reward_K] for life in lives
            ),
        ),
    ),
    Case(
        name="reward_without_baseline",
        config=make_config(rule={"outcome": "reward", "baseline": "none"}),
    ),
    Case(
        name="reward_prediction_error_fed_back",
        config=make_config(
            feedback="reward_prediction_error",
            rule={"outcome": "reward", "baseline": "single"},
        ),
        claims=(learns, lambda lives: all(life.mean_reward != 0.0 for life in lives)),
    ),
    Case(
        name="feedback_prediction_error",
        config=make_config(feedback="prediction_error"),
        claims=(
            learns,
            _right_and_wrong,
            lambda lives: all(len(set(life.events.feedback)) == 8 for life in lives),
        ),
    ),
    Case(name="graded_fed_back", config=make_config(feedback="graded"), claims=(learns,)),
    Case(
        name="graded_prediction_error",
        config=make_config(feedback="graded_prediction_error"),
        claims=(learns, lambda lives: all(life.mean_loss != 0.5 for life in lives)),
    ),
    Case(
        name="prediction_error_three_actions",
        config=make_config(feedback="prediction_error"),
        groups=ONE_IN_THREE_OUT,
        banks=(make_bank(1, num_inputs=1, num_outputs=3),),
        claims=(
            learns,
            # The running mean of correctness starts at chance, one in three.
            lambda lives: all(abs(abs(life.events.feedback[0][0]) - 1) > 0.3 for life in lives),
            lambda lives: {c for life in lives for c in life.choices} >= {0, 1},
        ),
    ),
    Case(
        name="no_quiet_trials",
        config=make_config(perturbation={"quiet_trials": 0}),
        claims=(learns, lambda lives: all(7 in life.events.hit_trials for life in lives)),
    ),
    Case(
        name="quiet_trials",
        config=make_config(perturbation={"quiet_trials": 5}),
        claims=(
            learns,
            lambda lives: all(max(life.events.hit_trials) == 2 for life in lives),
        ),
    ),
    Case(
        name="perturbed_from_the_first_step",
        config=make_config(perturbation={"first_step": 0, "probability": 0.7}),
        claims=(learns, lambda lives: all(0 in life.events.hit_steps for life in lives)),
    ),
    Case(
        name="perturbed_late",
        config=make_config(perturbation={"first_step": 6}),
        claims=(learns, lambda lives: all(min(life.events.hit_steps) >= 6 for life in lives)),
    ),
    Case(
        name="perturbed_until_a_step",
        config=make_config(perturbation={"stop_step": 6}),
        claims=(learns, lambda lives: all(max(life.events.hit_steps) == 5 for life in lives)),
    ),
    Case(
        name="every_neuron_always_hit",
        config=make_config(perturbation={"probability": 1.0, "amplitude": 0.2}),
        claims=(learns, lambda lives: all(life.events.hits == 14 * 10 * 6 for life in lives)),
    ),
    Case(
        name="unperturbed_modulators",
        config=make_config(perturbation={"perturb_modulators": False, "probability": 0.5}),
        claims=(
            learns,
            lambda lives: all(
                life.events.hit_neurons == set(range(14)) - {10, 11} for life in lives
            ),
        ),
    ),
    Case(
        name="unperturbed_hidden",
        config=make_config(perturbation={"perturb_hidden": False, "probability": 0.5}),
        claims=(
            learns,
            lambda lives: all(
                life.events.hit_neurons == {*range(7), 10, 11, 12, 13} for life in lives
            ),
        ),
    ),
    Case(name="odd_size", groups=ODD),
    Case(
        name="published_size",
        config=make_config(num_trials=3, perturbation={"quiet_trials": 1}, rule={"first_trial": 1}),
        groups=NeuronGroups(),
        banks=(
            make_bank(
                6,
                timing=TrialTiming(dt_ms=20.0, num_steps=50, response=(25, 35), feedback=(36, 46)),
            ),
        ),
        claims=(learns, _change_steps(36)),
    ),
    Case(
        name="other_constants",
        config=make_config(
            target_low=0.2,
            target_high=0.7,
            dynamics={
                "tau_ms": 50.0,
                "initial_activation": 0.3,
                "stimulus_gain": 2.0,
                "feedback_gain": 1.5,
                "action_gain": 2.5,
                "bias_rate": 0.5,
            },
        ),
    ),
    Case(
        name="one_input_three_actions",
        groups=ONE_IN_THREE_OUT,
        banks=(make_bank(1, num_inputs=1, num_outputs=3),),
    ),
    Case(
        name="five_inputs_two_actions",
        groups=NeuronGroups(num_neurons=16, num_inputs=5),
        banks=(make_bank(2, num_inputs=5),),
    ),
    Case(
        name="two_tasks_of_different_size",
        banks=(make_bank(3, num_entries=3, num_kinds=2), make_bank(4, num_entries=7)),
        claims=(
            learns,
            lambda lives: max(lives[0].entry_K) < 3 <= min(lives[1].entry_K),
        ),
    ),
    Case(name="shared_noise", shared_noise=True),
    Case(name="evaluation_streams", evaluation=True),
    Case(
        name="network",
        config=make_config(
            perturbation={"quiet_trials": 0},
            rule={"name": "node_perturbation_network"},
            smoothness_penalty=0.27,
        ),
        claims=(
            learns,
            _change_steps(*range(TIMING.num_steps)),
            lambda lives: all(min(life.events.change_trials) == 2 for life in lives),
            lambda lives: all(life.smoothness > 0.01 for life in lives),
        ),
    ),
    Case(
        name="network_gated",
        config=make_config(
            rule={"name": "node_perturbation_network", "gate": "feedback", "eta": 0.1}
        ),
        claims=(learns, _change_steps(*range(*TIMING.feedback))),
    ),
    Case(
        name="network_clip",
        config=make_config(rule={"name": "node_perturbation_network", "eta": 0.2}),
        claims=(learns, _clips_some),
    ),
    Case(
        name="network_prediction_error",
        config=make_config(
            feedback="prediction_error",
            perturbation={"perturb_modulators": False},
            rule={"name": "node_perturbation_network", "gate": "feedback", "first_trial": 0},
        ),
        groups=ODD,
        claims=(
            learns,
            lambda lives: all(not {13, 14} & life.events.hit_neurons for life in lives),
        ),
    ),
    Case(
        name="network_binary_loss",
        config=make_config(rule={"name": "node_perturbation_network", "outcome": "binary"}),
        claims=(
            learns,
            lambda lives: {v for life in lives for v, _ in life.events.feedback} == {0.1, 0.6},
        ),
    ),
]
