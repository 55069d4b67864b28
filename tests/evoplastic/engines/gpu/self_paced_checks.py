"""Checks of self-paced trials on the GPU engine; `test_self_paced.py` runs them apart."""

# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.engines import self_check
from evoplastic.engines.demand import Demand
from evoplastic.engines.gpu import engine as gpu
from evoplastic.engines.gpu.engine import run_gpu
from evoplastic.engines.gpu.sizes import STEPS_PER_PRODUCT as BLOCK
from evoplastic.engines.reference.engine import run_reference
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.timing import OVER_WRONG
from tests.evoplastic.engines.cases import (
    GATED,
    OWN_INTRINSIC,
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
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank

BY_NETWORK = {"name": "node_perturbation_network", "eta": 0.2}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A short lifetime on two tasks of different sizes; `streamed` keeps matrices in memory."""

    num_neurons: int = 16
    num_inputs: int = 3
    num_outputs: int = 3
    num_individuals: int = 2
    num_trials: int = 5
    longest: int = 5
    streamed: bool = False
    rule: dict[str, Any] = field(default_factory=dict)
    perturbation: dict[str, Any] = field(default_factory=dict)
    dynamics: dict[str, Any] = field(default_factory=dict)
    modulation: dict[str, Any] = field(default_factory=dict)
    lifetime: dict[str, Any] = field(default_factory=dict)
    batch: dict[str, Any] = field(default_factory=dict)
    banks: dict[str, Any] = field(default_factory=dict)


OTHER_DYNAMICS = {
    "tau_ms": 60.0,
    "initial_activation": -0.2,
    "stimulus_gain": 1.5,
    "feedback_gain": 0.7,
    "action_gain": 2.0,
    "bias_rate": -0.5,
}

# Every branch of the kernel; options that do not hide each other share a case.
CASES = {
    "outcome": Case(),
    "outcome, own time constants and thresholds": Case(dynamics=OWN_INTRINSIC),
    "outcome, three modulators onto gains and shifts": Case(modulation=GATED),
    "network, own time constants and thresholds, gains and shifts": Case(
        rule=BY_NETWORK, num_trials=3, dynamics=OWN_INTRINSIC, modulation=GATED
    ),
    "network, streamed, own time constants and thresholds, gains and shifts": Case(
        rule=BY_NETWORK,
        num_trials=3,
        dynamics=OWN_INTRINSIC,
        modulation=GATED,
        streamed=True,
    ),
    "outcome, longer than a block of noise, single baseline": Case(
        longest=18,
        num_trials=3,
        rule={"baseline": "single"},
        banks={"early_end": 0.0, "num_entries": 2},
    ),
    "outcome, many lines, binary, correctness, targets": Case(
        num_neurons=48,
        num_inputs=9,
        num_outputs=6,
        rule={"outcome": "binary"},
        lifetime={"feedback": "correct", "target_low": 0.2, "target_high": 0.7},
    ),
    "outcome, reward without a baseline, more lines than any task": Case(
        rule={"outcome": "reward", "baseline": "none", "eta": 2.0},
        lifetime={"feedback": "reward"},
        banks={"num_inputs": 2, "num_outputs": 2},
    ),
    "outcome, clipped, every neuron hit, prediction error": Case(
        rule={"baseline": "none", "eta": 3.0, "max_change": 0.02},
        perturbation={"probability": 1.0, "amplitude": 0.2, "first_step": 0, "quiet_trials": 0},
        lifetime={"feedback": "prediction_error"},
    ),
    "outcome, error of predicted reward, other dynamics": Case(
        rule={"tau_elig_ms": 200.0},
        lifetime={"feedback": "reward_prediction_error"},
        dynamics=OTHER_DYNAMICS,
        batch={"evaluation": True, "seed": 2**63 + 12345},
    ),
    "outcome, nothing scored": Case(
        num_trials=4,
        banks={"scored": 0.0, "longest": 3},
        rule={"outcome": "reward", "eta": 2.0},
    ),
    "outcome, blocks of trials": Case(
        banks={"block": 2, "num_entries": 4, "longest": 3}, num_trials=6
    ),
    "outcome, streamed, many lines, one noise for all": Case(
        num_neurons=48,
        num_inputs=9,
        num_outputs=6,
        streamed=True,
        batch={"shared_noise": True},
    ),
    "outcome, streamed, error of predicted reward": Case(
        rule={"outcome": "reward", "eta": 2.0, "baseline": "single"},
        lifetime={"feedback": "reward_prediction_error"},
        streamed=True,
    ),
    "outcome, graded loss": Case(lifetime={"feedback": "graded"}),
    "network": Case(rule=BY_NETWORK, num_trials=4),
    "network, gated, error of predicted reward, modulators spared": Case(
        num_trials=4,
        rule={**BY_NETWORK, "gate": "feedback", "eta": 2.0, "first_trial": 0},
        lifetime={"feedback": "reward_prediction_error"},
        perturbation={"perturb_modulators": False, "first_step": 0},
    ),
    "network, many lines, clipped, reward": Case(
        num_neurons=48,
        num_inputs=9,
        num_outputs=6,
        num_trials=4,
        rule={**BY_NETWORK, "eta": 2.0, "max_change": 0.005},
        lifetime={"feedback": "reward"},
        perturbation={"quiet_trials": 0},
    ),
    "network, streamed": Case(rule=BY_NETWORK, num_trials=4, longest=4, streamed=True),
    "network, streamed, gated, reward": Case(
        rule={**BY_NETWORK, "gate": "feedback", "eta": 2.0},
        lifetime={"feedback": "reward"},
        streamed=True,
    ),
}

# One option at a time, and longer lives: the name of what fails says what is wrong.
ONE_BY_ONE = {
    "outcome, three individuals": Case(num_individuals=3),
    "outcome, longer than a block of noise": Case(
        longest=21,
        num_trials=4,
        num_neurons=33,
        rule={"baseline": "single"},
        banks={"early_end": 0.0, "num_entries": 2},
    ),
    "outcome, many lines": Case(num_neurons=48, num_inputs=9, num_outputs=6),
    "outcome, single baseline": Case(rule={"baseline": "single"}, lifetime={"feedback": "correct"}),
    "outcome, no baseline": Case(rule={"baseline": "none", "baseline_decay": 0.5}),
    "outcome, clipped": Case(rule={"baseline": "none", "eta": 3.0, "max_change": 0.02}),
    "outcome, binary outcome": Case(
        rule={"outcome": "binary"}, lifetime={"target_low": 0.2, "target_high": 0.7}
    ),
    "outcome, reward": Case(
        rule={"outcome": "reward", "eta": 2.0}, lifetime={"feedback": "reward"}
    ),
    "outcome, reward without a baseline, loss fed back": Case(
        rule={"outcome": "reward", "baseline": "none", "eta": 2.0}
    ),
    "outcome, error of predicted reward": Case(lifetime={"feedback": "reward_prediction_error"}),
    "outcome, prediction error": Case(
        lifetime={"feedback": "prediction_error"},
        perturbation={"probability": 1.0, "amplitude": 0.2, "first_step": 0, "quiet_trials": 0},
    ),
    "outcome, dynamics": Case(
        dynamics=OTHER_DYNAMICS,
        rule={"tau_elig_ms": 200.0},
        batch={"evaluation": True, "seed": 2**63 + 12345},
    ),
    "outcome, streamed": Case(streamed=True),
    "outcome, streamed, many lines": Case(
        num_neurons=48, num_inputs=9, num_outputs=6, streamed=True, batch={"shared_noise": True}
    ),
    "outcome, streamed, reward": Case(
        rule={"outcome": "reward", "eta": 2.0, "baseline": "single"},
        lifetime={"feedback": "reward_prediction_error"},
        streamed=True,
    ),
    "network, three individuals": Case(rule=BY_NETWORK, num_individuals=3),
    "network, reward": Case(
        rule=BY_NETWORK, lifetime={"feedback": "reward"}, perturbation={"quiet_trials": 0}
    ),
    "network, error of predicted reward": Case(
        rule={**BY_NETWORK, "gate": "feedback", "eta": 2.0, "first_trial": 0},
        lifetime={"feedback": "reward_prediction_error"},
        perturbation={"perturb_modulators": False, "first_step": 0},
    ),
    "network, streamed, three individuals": Case(rule=BY_NETWORK, num_individuals=3, streamed=True),
    "network, streamed, gated, rewards": Case(
        rule={**BY_NETWORK, "gate": "feedback", "eta": 2.0},
        lifetime={"feedback": "reward"},
        streamed=True,
    ),
    "network, many lines": Case(rule=BY_NETWORK, num_neurons=48, num_inputs=9, num_outputs=6),
    "network, clipped": Case(rule={**BY_NETWORK, "eta": 2.0, "max_change": 0.005}, num_neurons=33),
}


def prepare(case: Case) -> tuple[PlasticParams, NeuronGroups, LifetimeBatch, LifetimeConfig]:
    groups = NeuronGroups(
        num_neurons=case.num_neurons,
        num_inputs=case.num_inputs,
        num_outputs=case.num_outputs,
        num_modulators=case.modulation.get("num_neurons", 2),
    )
    lines = {"num_inputs": case.num_inputs, "num_outputs": case.num_outputs}
    options = {"longest": case.longest, **case.banks}
    banks = [
        make_node_bank(1, **{**lines, **options}),
        make_node_bank(2, **{"num_inputs": 2, "num_outputs": 2, **options}),
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
    batch = make_free_batch(banks, groups, case.num_individuals, **case.batch)
    params = make_params(groups, case.num_individuals, gain=0.9)
    params = with_fan_outs(params, groups, config)
    return with_intrinsic(params, groups, config.dynamics), groups, batch, config


@pytest.mark.parametrize("case", each_of(CASES, ONE_BY_ONE))
def test_self_paced_trials_equal_the_reference_to_float32_rounding(case: Case) -> None:
    params, groups, batch, config = prepare(case)
    exact = run_reference(params, groups, batch, config, dtype=torch.float64).result
    plain = run_reference(params, groups, batch, config).result
    fused = run_gpu(params, groups, batch, config, device=DEVICE, streamed=case.streamed)
    for name in ("loss_PK", "reward_PK", "smoothness_P"):
        got, near, true = (getattr(result, name) for result in (fused, plain, exact))
        assert_within_rounding(name, got, near, true)
    assert torch.equal(fused.correct_PK, exact.correct_PK)
    assert torch.equal(fused.steps_PK, exact.steps_PK)
    assert len(exact.steps_PK.unique()) > 1, "all trials last alike: own clocks are not tried"
    assert case.longest <= BLOCK or int(exact.steps_PK.max()) > BLOCK

    unlearned = params._replace(alpha_PNN=torch.zeros_like(params.alpha_PNN))
    rigid = run_reference(unlearned, groups, batch, config, dtype=torch.float64)
    if case.banks.get("scored", 1.0) > 0:
        learnt = largest_difference(rigid.result.loss_PK, exact.loss_PK)
        assert learnt > 1e-3, f"plasticity moves the loss by {learnt:.1e}: its absence would pass"
    if config.rule.table.modulator == "network":
        assert float(exact.smoothness_P.min()) > 1e-3


def chosen(params: PlasticParams, batch: LifetimeBatch, who: Any) -> tuple[Any, Any]:
    index = np.asarray(who)
    assert batch.wiring is not None
    return params.each(lambda tensor: tensor[index]), batch._replace(
        task_P=batch.task_P[index],
        trial_stream_P=batch.trial_stream_P[index],
        perturb_stream_P=batch.perturb_stream_P[index],
        wiring=type(batch.wiring)(*(lines[index] for lines in batch.wiring)),
    )


@pytest.mark.parametrize(
    "case",
    [
        Case(num_trials=3),
        Case(num_trials=3, rule=BY_NETWORK),
        Case(num_trials=3, streamed=True),
    ],
)
def test_a_free_life_does_not_depend_on_its_neighbours_or_on_waves(
    case: Case, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "_announced", set())
    params, groups, batch, config = prepare(case)
    together = run_gpu(params, groups, batch, config, device=DEVICE, streamed=case.streamed)
    few, their = chosen(params, batch, [1, 0, 1])
    cut = run_gpu(
        few, groups, their, config, device=DEVICE, streamed=case.streamed, memory_bytes=16_000
    )
    assert "waves" in caplog.text
    for ours, theirs in ((slice(0, 1), 1), (slice(1, 2), 0), (slice(2, 3), 1)):
        assert_same(
            LifetimeResult(*(field_[ours] for field_ in cut)),
            LifetimeResult(*(field_[theirs : theirs + 1] for field_ in together)),
        )


def test_a_gpu_that_ends_trials_at_the_wrong_step_is_not_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hasty(params: Any, groups: Any, batch: Any, config: Any, *, device: str) -> LifetimeResult:
        onward_VO = batch.tables.next_VO
        tables = batch.tables._replace(next_VO=np.where(onward_VO == 2, OVER_WRONG, onward_VO))
        return run_gpu(params, groups, batch._replace(tasks=tables), config, device=device)

    monkeypatch.setattr(self_check, "run_gpu", hasty)
    asked = self_check.shortened(Demand(NeuronGroups(num_neurons=16), self_paced=True))
    fault = self_check.fault_of_gpu(asked, DEVICE)
    assert "differ from the reference's" in str(fault)


def test_a_genome_that_is_not_a_number_fails_alone() -> None:
    params, groups, batch, config = prepare(Case(num_trials=3, banks={"scored": 1.0}))
    whole = run_gpu(params, groups, batch, config, device=DEVICE)
    w_PNN = params.w_PNN.clone()
    w_PNN[0, 12, 12] = float("nan")
    broken = PlasticParams(w_PNN, params.alpha_PNN)
    result = run_gpu(broken, groups, batch, config, device=DEVICE)
    assert bool(result.loss_PK[0].isnan().all())
    assert torch.equal(result.loss_PK[1], whole.loss_PK[1])
