"""The reference engine equals an independent account of a lifetime, option by option."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evoplastic.engines.reference.engine import Trace, run_reference
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.recording import Recording
from evoplastic.network.neurons import NeuronGroups
from tests.evoplastic.engines.cases import (
    changed,
    make_bank,
    make_batch,
    make_config,
    make_params,
)
from tests.evoplastic.oracles.fixed_timing_cases import (
    CASES,
    Case,
)
from tests.evoplastic.oracles.lifetime import OracleLife, live

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
