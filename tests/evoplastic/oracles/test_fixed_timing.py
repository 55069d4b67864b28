"""The reference engine equals an independent account of a lifetime, option by option."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from evoplastic.engines.reference.engine import Trace, run_reference
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.recording import Recording
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import TrialTiming
from tests.evoplastic.engines.cases import (
    TIMING,
    changed,
    make_bank,
    make_batch,
    make_config,
    make_params,
)
from tests.evoplastic.oracles.lifetime import OracleLife, live

Claim = Callable[[list[OracleLife]], bool]


def _learns(lives: list[OracleLife]) -> bool:
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
    claims: tuple[Claim, ...] = (_learns,)

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
    Case(name="published", claims=(_learns, _right_and_wrong, _change_steps(FIRST_FEEDBACK))),
    Case(
        name="baseline_per_kind",
        config=make_config(num_trials=10),
        claims=(_learns, lambda lives: all(len(set(life.baseline)) == 3 for life in lives)),
    ),
    Case(
        name="baseline_single",
        config=make_config(rule={"baseline": "single", "baseline_decay": 0.6}),
        claims=(_learns, lambda lives: all(len(life.baseline) == 1 for life in lives)),
    ),
    Case(name="baseline_none", config=make_config(rule={"baseline": "none"})),
    Case(
        name="burn_in",
        config=make_config(rule={"first_trial": 5}),
        claims=(
            _learns,
            lambda lives: all(life.events.change_trials == {5, 6, 7} for life in lives),
            lambda lives: all(1 in life.events.hit_trials for life in lives),
        ),
    ),
    Case(
        name="plastic_from_birth",
        config=make_config(rule={"first_trial": 0, "baseline": "none"}),
        claims=(_learns, lambda lives: all(0 in life.events.change_trials for life in lives)),
    ),
    Case(
        name="clip_outcome",
        config=make_config(rule={"eta": 2.0}),
        claims=(_learns, _clips_some),
    ),
    Case(
        name="fast_eligibility",
        config=make_config(rule={"tau_elig_ms": 60.0}),
    ),
    Case(
        name="binary_outcome",
        config=make_config(rule={"outcome": "binary", "baseline": "single"}),
        claims=(
            _learns,
            _right_and_wrong,
            lambda lives: {v for life in lives for v, _ in life.events.feedback} == {0.1, 0.6},
            lambda lives: not {0.1, 0.6} & {loss for life in lives for loss in life.loss_K},
        ),
    ),
    Case(
        name="feedback_correct",
        config=make_config(feedback="correct"),
        claims=(
            _learns,
            lambda lives: (
                {v for life in lives for v in life.events.feedback} == {(1.0, -1.0), (-1.0, 1.0)}
            ),
        ),
    ),
    Case(
        name="reward_fed_back_and_learnt_from",
        config=make_config(feedback="reward", rule={"outcome": "reward"}),
        claims=(
            _learns,
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
        claims=(_learns, lambda lives: all(life.mean_reward != 0.0 for life in lives)),
    ),
    Case(
        name="feedback_prediction_error",
        config=make_config(feedback="prediction_error"),
        claims=(
            _learns,
            _right_and_wrong,
            lambda lives: all(len(set(life.events.feedback)) == 8 for life in lives),
        ),
    ),
    Case(name="graded_fed_back", config=make_config(feedback="graded"), claims=(_learns,)),
    Case(
        name="graded_prediction_error",
        config=make_config(feedback="graded_prediction_error"),
        claims=(_learns, lambda lives: all(life.mean_loss != 0.5 for life in lives)),
    ),
    Case(
        name="prediction_error_three_actions",
        config=make_config(feedback="prediction_error"),
        groups=ONE_IN_THREE_OUT,
        banks=(make_bank(1, num_inputs=1, num_outputs=3),),
        claims=(
            _learns,
            # The running mean of correctness starts at chance, one in three.
            lambda lives: all(abs(abs(life.events.feedback[0][0]) - 1) > 0.3 for life in lives),
            lambda lives: {c for life in lives for c in life.choices} >= {0, 1},
        ),
    ),
    Case(
        name="no_quiet_trials",
        config=make_config(perturbation={"quiet_trials": 0}),
        claims=(_learns, lambda lives: all(7 in life.events.hit_trials for life in lives)),
    ),
    Case(
        name="quiet_trials",
        config=make_config(perturbation={"quiet_trials": 5}),
        claims=(
            _learns,
            lambda lives: all(max(life.events.hit_trials) == 2 for life in lives),
        ),
    ),
    Case(
        name="perturbed_from_the_first_step",
        config=make_config(perturbation={"first_step": 0, "probability": 0.7}),
        claims=(_learns, lambda lives: all(0 in life.events.hit_steps for life in lives)),
    ),
    Case(
        name="perturbed_late",
        config=make_config(perturbation={"first_step": 6}),
        claims=(_learns, lambda lives: all(min(life.events.hit_steps) >= 6 for life in lives)),
    ),
    Case(
        name="every_neuron_always_hit",
        config=make_config(perturbation={"probability": 1.0, "amplitude": 0.2}),
        claims=(_learns, lambda lives: all(life.events.hits == 14 * 10 * 6 for life in lives)),
    ),
    Case(
        name="unperturbed_modulators",
        config=make_config(perturbation={"perturb_modulators": False, "probability": 0.5}),
        claims=(
            _learns,
            lambda lives: all(
                life.events.hit_neurons == set(range(14)) - {10, 11} for life in lives
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
        claims=(_learns, _change_steps(36)),
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
            _learns,
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
            _learns,
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
        claims=(_learns, _change_steps(*range(*TIMING.feedback))),
    ),
    Case(
        name="network_clip",
        config=make_config(rule={"name": "node_perturbation_network", "eta": 0.2}),
        claims=(_learns, _clips_some),
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
            _learns,
            lambda lives: all(not {13, 14} & life.events.hit_neurons for life in lives),
        ),
    ),
    Case(
        name="network_binary_loss",
        config=make_config(rule={"name": "node_perturbation_network", "outcome": "binary"}),
        claims=(
            _learns,
            lambda lives: {v for life in lives for v, _ in life.events.feedback} == {0.1, 0.6},
        ),
    ),
]

by_name = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def _live_reference(
    case: Case, params: PlasticParams, batch: LifetimeBatch, dtype: torch.dtype
) -> Trace:
    recording = Recording(trials=tuple(range(case.config.num_trials)), fields=("mod",))
    return run_reference(params, case.groups, batch, case.config, dtype=dtype, recording=recording)


def _assert_equal(trace: Trace, lives: list[OracleLife], tolerance: float) -> None:
    """Every returned field, the state at the end included, individual by individual."""
    result, state = trace.result, trace.state
    assert trace.recorded is not None
    for index, life in enumerate(lives):
        assert result.correct_PK[index].tolist() == life.correct_K, f"correct of {index}"
        for name, ours, theirs in (
            ("loss", result.loss_PK, life.loss_K),
            ("reward", result.reward_PK, life.reward_K),
            ("smoothness", result.smoothness_P, life.smoothness),
            ("mod", torch.from_numpy(trace.recorded.fields["mod"]), life.mod_KT),
            ("x", state.x_PN, life.x_N),
            ("rate", state.rate_PN, life.rate_N),
            ("p", state.p_PNN, life.p_NN),
            ("elig", state.elig_PNN, life.elig_NN),
            ("baseline", state.baseline_PC, life.baseline),
            ("mean_correct", state.mean_correct_P, life.mean_correct),
            ("mean_loss", state.mean_loss_P, life.mean_loss),
        ):
            np.testing.assert_allclose(
                ours[index].double().numpy(),
                np.asarray(theirs),
                rtol=0,
                atol=tolerance,
                err_msg=f"{name} of individual {index}",
            )


@by_name
def test_reference_equals_the_oracle(case: Case) -> None:
    params, batch = case.build()
    lives = [live(params, case.groups, batch, case.config, index) for index in range(2)]
    for number, claim in enumerate(case.claims):
        assert claim(lives), f"case does not exercise what it claims (claim {number})"
    assert lives[0].loss_K != lives[1].loss_K
    _assert_equal(_live_reference(case, params, batch, torch.float64), lives, 1e-9)


@pytest.mark.parametrize("name", ["published", "clip_outcome", "odd_size", "network_gated"])
def test_reference_in_float32_stays_near_the_oracle(name: str) -> None:
    """With a gain below 1 rounding does not grow, so float32 must stay near."""
    case = next(case for case in CASES if case.name == name)
    params, batch = case.build(gain=0.7)
    lives = [live(params, case.groups, batch, case.config, index) for index in range(2)]
    _assert_equal(_live_reference(case, params, batch, torch.float32), lives, 2e-5)


def test_options_change_a_lifetime() -> None:
    """Cases that share networks and trials end differently: no option is silently ignored."""
    ends: dict[bytes, str] = {}
    for case in CASES:
        if (
            case.groups.num_neurons != 14
            or len(case.banks) != 1
            or case.banks[0] != CASES[0].banks[0]
        ):
            continue
        params, batch = case.build()
        state = _live_reference(case, params, batch, torch.float64).state
        end = state.rate_PN.numpy().tobytes() + state.p_PNN.numpy().tobytes()
        assert end not in ends, f"{case.name} ends exactly as {ends[end]}"
        ends[end] = case.name
    assert len(ends) > 15


def test_silent_network_answers_one_half_and_loses_what_the_theory_says() -> None:
    """Outputs stuck at 1/2 with targets 0.1 and 0.9 give L = 2 * 0.4^2 = 0.32, and ties go to 0."""
    config = make_config(
        dynamics={"initial_activation": 0.0}, perturbation={"amplitude": 0.0}, num_trials=12
    )
    # Odd entries ask for action 0, which a tie chooses; even entries ask for action 1.
    bank = changed(make_bank(0), target_action_M=np.array([1, 0, 1, 0, 1]))
    groups = NeuronGroups(num_neurons=14)
    params = PlasticParams(torch.zeros(1, 14, 14), torch.ones(1, 14, 14))
    batch = make_batch([bank], 1)
    life = live(params, groups, batch, config, 0)
    result = run_reference(params, groups, batch, config, dtype=torch.float64).result
    asked_first = [entry % 2 == 1 for entry in life.entry_K]
    assert set(asked_first) == {True, False}
    assert life.correct_K == result.correct_PK[0].tolist() == asked_first
    np.testing.assert_allclose(life.loss_K, 0.32, rtol=1e-12)
    np.testing.assert_allclose(result.loss_PK[0].numpy(), 0.32, rtol=1e-12)


def test_eligibility_has_its_closed_form() -> None:
    """E at the end = sum over steps of 0.98^(steps left) xi(t) r(t-1)^T, across trials."""
    config = make_config(rule={"eta": 0.0}, perturbation={"quiet_trials": 0})
    groups = NeuronGroups(num_neurons=14)
    params, batch = make_params(groups, 1), make_batch([make_bank(0)], 1)
    recording = Recording(trials=tuple(range(config.num_trials)), fields=("rate",))
    trace = run_reference(params, groups, batch, config, dtype=torch.float64, recording=recording)
    assert trace.recorded is not None
    rate_SN = trace.recorded.fields["rate"][0].reshape(-1, 14)
    x_N = np.where(np.arange(14) < groups.num_unconnected, 0.0, 0.1)
    birth_N = np.where(np.arange(14) == groups.bias, 1.0, x_N)
    before_SN = np.concatenate([birth_N[None], rate_SN[:-1]])
    w_NN = params.w_PNN[0].double().numpy()
    expected_NN = np.zeros((14, 14))
    for step, before_N in enumerate(before_SN):
        drift_N = x_N + 0.2 * (w_NN @ before_N - x_N)
        after_N = np.arctanh(rate_SN[step, groups.action.stop : groups.modulators.stop])
        xi_N = after_N - drift_N[groups.action.stop : groups.modulators.stop]
        x_N = drift_N.copy()
        x_N[groups.action.stop : groups.modulators.stop] = after_N
        expected_NN[groups.action.stop : groups.modulators.stop] += (
            0.98 ** (len(before_SN) - step) * xi_N[:, None] * before_N
        )
    free = slice(groups.action.stop, groups.modulators.stop)
    assert np.abs(expected_NN[free]).max() > 0.1
    np.testing.assert_allclose(
        trace.state.elig_PNN[0, free].numpy(), expected_NN[free], rtol=0, atol=1e-9
    )


def test_a_lifetime_does_not_depend_on_its_neighbours() -> None:
    case = next(case for case in CASES if case.name == "two_tasks_of_different_size")
    params, batch = case.build()
    both = _live_reference(case, params, batch, torch.float64)
    alone = _live_reference(
        case,
        PlasticParams(params.w_PNN[1:], params.alpha_PNN[1:]),
        batch._replace(
            task_P=batch.task_P[1:],
            trial_stream_P=batch.trial_stream_P[1:],
            perturb_stream_P=batch.perturb_stream_P[1:],
        ),
        torch.float64,
    )
    np.testing.assert_allclose(
        alone.result.loss_PK[0].numpy(), both.result.loss_PK[1].numpy(), rtol=0, atol=1e-12
    )
    assert torch.equal(alone.result.correct_PK[0], both.result.correct_PK[1])
