"""Checks of the GPU engine that `test_engine.py` runs in a process of their own.

They run on a CUDA device where there is one, else under Triton's interpreter, which must be chosen
before Triton is imported. Not named test_*: the session's own process never collects them.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.checks import UsageError
from evoplastic.engines import self_check
from evoplastic.engines.demand import Demand
from evoplastic.engines.gpu.engine import run_gpu
from evoplastic.engines.gpu.launch import bring_matrices
from evoplastic.engines.reference.engine import run_reference
from evoplastic.engines.self_check import fault_of_gpu, shortened
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.timing import TrialTiming
from tests.evoplastic.engines.cases import (
    GATED,
    OWN_INTRINSIC,
    make_bank,
    make_batch,
    make_config,
    make_params,
    with_fan_outs,
    with_intrinsic,
)
from tests.evoplastic.engines.gpu.process import (  # the fixtures serve every check below
    DEVICE,
    assert_same,
    assert_within_rounding,
    each_of,
    largest_difference,
    patch_once,  # noqa: F401
    uninitialised_memory_is_nan,  # noqa: F401
)
from tests.evoplastic.engines.kernels import KERNELS, LARGE, demand

SHORT = TrialTiming(dt_ms=20.0, num_steps=9, response=(3, 5), feedback=(6, 8))
ACROSS = TrialTiming(dt_ms=20.0, num_steps=19, response=(7, 10), feedback=(16, 18))  # two blocks
LONG = TrialTiming(dt_ms=20.0, num_steps=40, response=(18, 24), feedback=(27, 33))
LAST = TrialTiming(dt_ms=20.0, num_steps=8, response=(0, 3), feedback=(7, 8))
BY_NETWORK = {"name": "node_perturbation_network", "eta": 0.2}
SLOWEST = (LARGE, False)  # seconds of the interpreter each
AT_ONCE = {"first_trial": 0, "baseline": "none"}  # what the first trial teaches, the second shows


@dataclass(frozen=True, kw_only=True)
class Case:
    """A short lifetime; `streamed` keeps the matrices in memory as for large networks."""

    num_neurons: int = 13
    num_inputs: int = 2
    num_outputs: int = 2
    num_individuals: int = 2
    num_trials: int = 4
    timing: TrialTiming = SHORT
    streamed: bool = False
    rule: dict[str, Any] = field(default_factory=dict)
    perturbation: dict[str, Any] = field(default_factory=dict)
    dynamics: dict[str, Any] = field(default_factory=dict)
    modulation: dict[str, Any] = field(default_factory=dict)
    lifetime: dict[str, Any] = field(default_factory=dict)
    batch: dict[str, Any] = field(default_factory=dict)


OTHER_DYNAMICS = {
    "tau_ms": 60.0,
    "initial_activation": -0.2,
    "stimulus_gain": 1.5,
    "feedback_gain": 0.7,
    "action_gain": 2.0,
    "bias_rate": -0.5,
}

# Every kernel and every branch of it; options that do not hide each other share a case.
CASES = {
    "outcome": Case(),
    "outcome, many lines, binary, correctness, one noise for all": Case(
        num_neurons=48,
        num_inputs=9,
        num_outputs=6,
        num_trials=3,
        rule={"outcome": "binary"},
        lifetime={"feedback": "correct"},
        batch={"shared_noise": True},
    ),
    "outcome, across blocks of steps, single baseline, other dynamics": Case(
        timing=ACROSS,
        num_trials=3,
        rule={"baseline": "single", "tau_elig_ms": 200.0},
        dynamics=OTHER_DYNAMICS,
    ),
    "outcome, outcome at the last step, reward without a baseline, targets": Case(
        timing=LAST,
        rule={"outcome": "reward", "baseline": "none", "eta": 2.0},
        lifetime={"feedback": "reward", "target_low": 0.2, "target_high": 0.7},
        batch={"evaluation": True, "seed": 2**63 + 12345},
    ),
    "outcome, clipped, every neuron hit, prediction error": Case(
        rule={"baseline": "none", "eta": 3.0, "max_change": 0.02},
        perturbation={"probability": 1.0, "amplitude": 0.2, "first_step": 0, "quiet_trials": 0},
        lifetime={"feedback": "prediction_error"},
    ),
    "outcome, error of predicted reward, modulators spared": Case(
        rule={"outcome": "reward", "baseline": "single", "eta": 2.0},
        perturbation={"perturb_modulators": False, "stop_step": 6},
        lifetime={"feedback": "reward_prediction_error"},
    ),
    "network": Case(rule=BY_NETWORK, num_trials=3),
    "network, graded prediction error": Case(
        rule={**BY_NETWORK, "gate": "feedback"},
        num_trials=3,
        lifetime={"feedback": "graded_prediction_error"},
    ),
    "network, gated, binary, prediction error, modulators spared": Case(
        num_neurons=33,
        num_outputs=3,
        rule={**BY_NETWORK, "gate": "feedback", "outcome": "binary"},
        perturbation={"perturb_modulators": False, "quiet_trials": 0},
        lifetime={"feedback": "prediction_error"},
    ),
    "network, clipped, reward": Case(
        num_trials=3,
        rule={**BY_NETWORK, "eta": 2.0, "max_change": 0.005},
        lifetime={"feedback": "reward"},
    ),
    "outcome, streamed": Case(
        num_neurons=26, num_inputs=4, num_outputs=3, num_trials=3, streamed=True
    ),
    "outcome, streamed, error of predicted reward": Case(
        rule={"outcome": "reward", "eta": 2.0},
        lifetime={"feedback": "reward_prediction_error"},
        streamed=True,
    ),
    "outcome, own time constants and thresholds": Case(dynamics=OWN_INTRINSIC),
    "network, own time constants and thresholds": Case(
        rule=BY_NETWORK, num_trials=3, dynamics=OWN_INTRINSIC
    ),
    "outcome, streamed, own time constants, one threshold": Case(
        dynamics={"tau_ms": OWN_INTRINSIC["tau_ms"], "threshold": 0.2},
        num_trials=3,
        streamed=True,
    ),
    "outcome, three modulators onto gains and shifts": Case(num_neurons=16, modulation=GATED),
    "network, three modulators onto gains and shifts, own time constants": Case(
        rule=BY_NETWORK, num_trials=3, modulation=GATED, dynamics=OWN_INTRINSIC
    ),
    "network, streamed, three modulators onto gains and shifts": Case(
        rule=BY_NETWORK, num_trials=3, modulation=GATED, streamed=True
    ),
    "network, streamed": Case(num_neurons=26, num_trials=3, rule=BY_NETWORK, streamed=True),
    "network, streamed, gated, error of predicted reward": Case(
        rule={**BY_NETWORK, "gate": "feedback", "eta": 2.0, "max_change": 0.02},
        lifetime={"feedback": "reward_prediction_error"},
        streamed=True,
        timing=LAST,
    ),
}

# One option at a time: the name of what fails says what is wrong.
ONE_BY_ONE = {
    "outcome, three individuals": Case(num_individuals=3),
    "outcome 20": Case(num_neurons=20, num_inputs=3),
    "outcome 33": Case(num_neurons=33, num_outputs=3),
    "outcome, many lines": Case(num_neurons=47, num_inputs=7, num_outputs=5),
    "outcome, long trials": Case(timing=LONG, num_trials=3),
    "outcome, outcome at the last step": Case(timing=LAST),
    "outcome, single baseline": Case(rule={"baseline": "single"}),
    "outcome, no baseline": Case(rule={"baseline": "none", "baseline_decay": 0.5}),
    "outcome, clipped": Case(rule={"baseline": "none", "eta": 3.0, "max_change": 0.02}),
    "outcome, binary outcome": Case(rule={"outcome": "binary"}),
    "outcome, correctness": Case(lifetime={"feedback": "correct"}),
    "outcome, prediction error": Case(lifetime={"feedback": "prediction_error"}),
    "outcome, reward": Case(
        rule={"outcome": "reward", "baseline": "single", "eta": 2.0},
        lifetime={"feedback": "reward"},
    ),
    "outcome, reward without a baseline": Case(
        rule={"outcome": "reward", "baseline": "none", "eta": 2.0}
    ),
    "outcome, error of predicted reward": Case(
        lifetime={"feedback": "reward_prediction_error"}, rule={"outcome": "binary"}
    ),
    "outcome, targets": Case(lifetime={"target_low": 0.2, "target_high": 0.7}),
    "outcome, every neuron hit": Case(
        perturbation={"probability": 1.0, "amplitude": 0.2, "first_step": 0, "quiet_trials": 0}
    ),
    "outcome, modulators spared": Case(perturbation={"perturb_modulators": False}),
    "outcome, one noise for all": Case(batch={"shared_noise": True}),
    "outcome, evaluation": Case(batch={"evaluation": True, "seed": 2**63 + 12345}),
    "outcome, dynamics": Case(
        dynamics=OTHER_DYNAMICS,
        rule={"tau_elig_ms": 200.0},
    ),
    "outcome 33, streamed": Case(num_neurons=33, streamed=True),
    "outcome, streamed, many lines": Case(
        num_neurons=26, num_inputs=4, num_outputs=3, streamed=True
    ),
    "network, three individuals": Case(rule=BY_NETWORK, num_individuals=3),
    "network 20": Case(num_neurons=20, num_outputs=3, rule=BY_NETWORK),
    "network 33": Case(num_neurons=33, rule=BY_NETWORK),
    "network, gated": Case(rule={**BY_NETWORK, "gate": "feedback", "outcome": "binary"}),
    "network, clipped": Case(rule={**BY_NETWORK, "eta": 2.0, "max_change": 0.005}),
    "network, modulators spared": Case(
        rule=BY_NETWORK,
        perturbation={"perturb_modulators": False, "quiet_trials": 0},
        lifetime={"feedback": "prediction_error"},
    ),
    "network, reward": Case(rule=BY_NETWORK, lifetime={"feedback": "reward"}),
    "network, streamed, error of predicted reward": Case(
        rule=BY_NETWORK, lifetime={"feedback": "reward_prediction_error"}, streamed=True
    ),
    "outcome, streamed, reward": Case(
        rule={"outcome": "reward", "eta": 2.0},
        lifetime={"feedback": "reward_prediction_error"},
        streamed=True,
    ),
    "network 26, streamed": Case(num_neurons=26, rule=BY_NETWORK, streamed=True),
    "network, streamed, gated": Case(
        rule={**BY_NETWORK, "gate": "feedback"}, streamed=True, timing=LAST
    ),
}


def prepare(case: Case) -> tuple[PlasticParams, NeuronGroups, LifetimeBatch, LifetimeConfig]:
    groups = NeuronGroups(
        num_neurons=case.num_neurons,
        num_inputs=case.num_inputs,
        num_outputs=case.num_outputs,
        num_modulators=case.modulation.get("num_neurons", 2),
    )
    banks = [
        make_bank(
            seed,
            num_entries=entries,
            num_inputs=case.num_inputs,
            num_outputs=case.num_outputs,
            timing=case.timing,
        )
        for seed, entries in ((1, 5), (2, 7))
    ]
    config = make_config(
        num_trials=case.num_trials,
        scored_trials=1,
        rule={"first_trial": 1, "eta": 20.0, "max_change": 0.5, **case.rule},
        perturbation={"quiet_trials": 1, "probability": 0.3, **case.perturbation},
        dynamics=case.dynamics,
        modulation=case.modulation,
        **case.lifetime,
    )
    batch = make_batch(banks, case.num_individuals, **case.batch)
    params = make_params(groups, case.num_individuals, gain=0.9)
    params = with_fan_outs(params, groups, config)
    return with_intrinsic(params, groups, config.dynamics), groups, batch, config


@pytest.mark.parametrize("case", each_of(CASES, ONE_BY_ONE))
def test_engine_equals_the_reference_to_float32_rounding(case: Case) -> None:
    params, groups, batch, config = prepare(case)
    exact = run_reference(params, groups, batch, config, dtype=torch.float64).result
    plain = run_reference(params, groups, batch, config).result
    fused = run_gpu(params, groups, batch, config, device=DEVICE, streamed=case.streamed)
    for name in ("loss_PK", "smoothness_P"):
        got, near, true = (getattr(result, name) for result in (fused, plain, exact))
        assert_within_rounding(name, got, near, true)
    assert torch.equal(fused.correct_PK, exact.correct_PK)
    assert torch.equal(fused.reward_PK, plain.reward_PK)
    assert torch.equal(fused.steps_PK, plain.steps_PK)

    unlearned = params._replace(alpha_PNN=torch.zeros_like(params.alpha_PNN))
    rigid = run_reference(unlearned, groups, batch, config, dtype=torch.float64).result
    learnt = largest_difference(rigid.loss_PK, exact.loss_PK)
    assert learnt > 1e-3, f"plasticity moves the loss by {learnt:.1e}: its absence would pass"
    if config.rule.table.modulator == "network":
        assert float(exact.smoothness_P.min()) > 1e-3


def run(case: Case, params: PlasticParams, batch: LifetimeBatch, **options: Any) -> LifetimeResult:
    _, groups, _, config = prepare(case)
    return run_gpu(params, groups, batch, config, device=DEVICE, **options)


def chosen(params: PlasticParams, batch: LifetimeBatch, who: Any) -> tuple[Any, Any]:
    index = np.asarray(who)
    return params.each(lambda tensor: tensor[index]), batch._replace(
        task_P=batch.task_P[index],
        trial_stream_P=batch.trial_stream_P[index],
        perturb_stream_P=batch.perturb_stream_P[index],
    )


@pytest.mark.parametrize(
    "case",
    [
        Case(num_trials=2, rule=AT_ONCE),
        Case(num_trials=2, rule=BY_NETWORK),
        Case(num_trials=2, rule=AT_ONCE, streamed=True),
    ],
)
def test_a_life_does_not_depend_on_its_neighbours(case: Case) -> None:
    params, _, batch, _ = prepare(case)
    together = run(case, *chosen(params, batch, [0, 1, 1]), streamed=case.streamed)
    alone = run(case, *chosen(params, batch, [1]), streamed=case.streamed)
    for twin in (slice(1, 2), slice(2, 3)):
        assert_same(alone, LifetimeResult(*(result[twin] for result in together)))


@pytest.mark.parametrize("streamed", [False, True])
def test_genomes_are_read_where_they_lie(streamed: bool) -> None:
    case = Case(num_trials=2, num_individuals=3, rule=AT_ONCE)
    params, _, batch, _ = prepare(case)
    flat_PG = torch.cat(
        [matrix.reshape(3, 169) for matrix in (params.w_PNN, params.alpha_PNN)], 1
    ).to(DEVICE)
    w_alpha = flat_PG.view(3, 2, 13, 13)
    shared = w_alpha[1, 0].expand(3, 13, 13)
    views = PlasticParams(shared, w_alpha[:, 1])
    copies = PlasticParams(shared.cpu().contiguous(), params.alpha_PNN)
    assert_same(
        run(case, views, batch, streamed=streamed), run(case, copies, batch, streamed=streamed)
    )
    for matrix_PNN, rows, distance in zip(views[:2], (1, 3), (0, 2 * 169), strict=True):
        brought, stride = bring_matrices(matrix_PNN, torch.device(DEVICE))
        assert (len(brought), stride) == (rows, distance)
        assert brought.data_ptr() == matrix_PNN.data_ptr()


def test_a_population_larger_than_the_memory_lives_in_waves_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    case = Case(num_individuals=3, num_trials=2, rule=AT_ONCE)
    params, _, batch, _ = prepare(case)
    whole = run(case, params, batch)
    assert not caplog.records
    for _ in range(2):
        assert_same(run(case, params, batch, memory_bytes=16_000), whole)
    assert [record.getMessage() for record in caplog.records] == [
        "3 individuals do not fit into the GPU's memory at once: run in 2 waves of 2"
    ]
    with pytest.raises(UsageError, match=r"13 neurons needs .* bytes of GPU memory, 1000 are free"):
        run(case, params, batch, memory_bytes=1000)


def test_a_genome_that_is_not_a_number_fails_alone() -> None:
    case = Case(num_trials=2, rule=AT_ONCE)
    params, _, batch, _ = prepare(case)
    whole = run(case, params, batch)
    w_PNN = params.w_PNN.clone()
    w_PNN[0, 9, 9] = float("nan")
    broken = run(case, PlasticParams(w_PNN, params.alpha_PNN), batch)
    assert bool(broken.loss_PK[0].isnan().all())
    assert torch.equal(broken.loss_PK[1], whole.loss_PK[1])


@pytest.mark.parametrize(
    "kernel",
    [
        pytest.param(kernel, marks=pytest.mark.exhaustive if kernel[1:] == SLOWEST else ())
        for kernel in KERNELS
    ],
    ids=str,
)
def test_each_kernel_passes_the_check_that_lets_it_be_chosen(kernel: Any) -> None:
    assert fault_of_gpu(shortened(demand(*kernel)), DEVICE) is None


def test_a_kernel_for_neurons_of_their_own_passes_the_check_too() -> None:
    config = make_config(dynamics=OWN_INTRINSIC)
    asked = shortened(Demand(config=config))
    assert asked.config.dynamics.evolved
    assert fault_of_gpu(asked, DEVICE) is None


def test_a_gpu_that_computes_something_else_or_nothing_is_not_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def shifted(*case: Any, device: str) -> LifetimeResult:
        result = run_gpu(*case, device=device)
        return result._replace(loss_PK=result.loss_PK + 0.01)

    def broken(*case: Any, device: str) -> LifetimeResult:
        raise RuntimeError("out of registers")

    asked = shortened(demand(*KERNELS[0]))
    monkeypatch.setattr(self_check, "run_gpu", shifted)
    assert "differ from the reference's by 1.0e-02" in str(fault_of_gpu(asked, DEVICE))
    monkeypatch.setattr(self_check, "run_gpu", broken)
    assert str(fault_of_gpu(asked, DEVICE)).endswith("RuntimeError: out of registers")
