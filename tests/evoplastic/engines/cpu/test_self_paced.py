"""The CPU engine simulates self-paced trials as the reference does."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch

from evoplastic import engines
from evoplastic.engines import run_lifetimes
from evoplastic.engines.cpu import workspace
from evoplastic.engines.cpu.at_outcome import run_at_outcome
from evoplastic.engines.cpu.engine import cpu_covers, run_cpu
from evoplastic.engines.cpu.plan import CHUNK
from evoplastic.engines.reference.engine import run_reference
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.order import TrialStreams
from evoplastic.trials.stacked import StackedTables
from evoplastic.trials.table import TrialTable
from evoplastic.trials.wiring import Permute, Wiring
from evoplastic.trials.world import TableWorld, World
from tests.evoplastic.engines.cases import make_bank, make_batch, make_config, make_params
from tests.evoplastic.engines.long_lives import assert_equal_in_distribution
from tests.evoplastic.engines.rules import BY_TRACE, long_life, rules_of, short_life
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank

NO_QUIET = {"quiet_trials": 0}
LAST_PLACE = 2e-7  # rounding differs in the last place even where both engines are as good


@dataclass(frozen=True, kw_only=True)
class Case:
    """A short lifetime that is not chaotic, on tasks of three sizes."""

    config: LifetimeConfig = field(default_factory=make_config)
    groups: NeuronGroups = field(default_factory=lambda: sized(33, 4, 3))
    bank: dict[str, Any] = field(default_factory=dict)
    num_individuals: int = 5
    permute: Permute = "both"
    shared_noise: bool = False
    evaluation: bool = False

    def banks(self) -> list[TrialTable]:
        I, O = self.groups.num_inputs, self.groups.num_outputs
        return [
            make_node_bank(0, num_inputs=I, num_outputs=O, **{"block": 2, **self.bank}),
            make_node_bank(
                1, num_inputs=max(1, I // 2), num_outputs=max(2, O - 1), num_kinds=2, **self.bank
            ),
            make_node_bank(
                2, num_inputs=I, num_outputs=2, **{"num_entries": 9, "width": 1, **self.bank}
            ),
        ]

    def build(self) -> tuple[PlasticParams, LifetimeBatch]:
        batch = make_free_batch(
            self.banks(),
            self.groups,
            self.num_individuals,
            permute=self.permute,
            shared_noise=self.shared_noise,
            evaluation=self.evaluation,
        )
        return make_params(self.groups, self.num_individuals, gain=0.9), batch

    def live(self) -> LifetimeResult:
        params, batch = self.build()
        return run_cpu(params, self.groups, batch, self.config, threads=1)


def sized(num_neurons: int, num_inputs: int, num_outputs: int) -> NeuronGroups:
    return NeuronGroups(num_neurons=num_neurons, num_inputs=num_inputs, num_outputs=num_outputs)


SIZES = [(13, 1, 2), (16, 2, 2), (33, 3, 5), (70, 3, 3), (78, 20, 3), (129, 33, 17)]
LONG = {"longest": 2 * CHUNK + 9, "early_end": 0.0}
FEEDBACKS: tuple[Any, ...] = (
    "loss",
    "correct",
    "prediction_error",
    "graded",
    "graded_prediction_error",
    "reward",
    "reward_prediction_error",
)
OUTCOMES: list[dict[str, Any]] = [
    {"outcome": outcome, "baseline": baseline, "eta": 0.3}
    for outcome in ("graded", "binary", "reward")
    for baseline in ("kind", "single", "none")
]
BOTH: dict[str, dict[str, Any]] = {
    **{f"{feedback} fed back": {"feedback": feedback} for feedback in FEEDBACKS},
    "binary loss fed back": {"rule": {"outcome": "binary"}},
    "plastic from birth": {"rule": {"first_trial": 0}},
    "spared modulators": {"perturbation": {"perturb_modulators": False, **NO_QUIET}},
    "every neuron hit": {"perturbation": {"probability": 1.0, "amplitude": 0.05}},
    "all trials quiet": {"perturbation": {"quiet_trials": 100}},
    "noise from step 4": {"perturbation": {"first_step": 4, **NO_QUIET}},
    "noise from birth": {"perturbation": {"first_step": 0, **NO_QUIET}},
    "noise until step 5": {"perturbation": {"stop_step": 5, **NO_QUIET}},
    "noise after the trial": {"perturbation": {"first_step": 99, **NO_QUIET}},
    "trace of one step": {"rule": {"tau_elig_ms": 20.0}},
    "trace that flips": {"rule": {"tau_elig_ms": 15.0}},
    "short trace": {"rule": {"tau_elig_ms": 40.0, "eta": 0.1}},
    "other dynamics": {
        "dynamics": {
            "tau_ms": 60.0,
            "initial_activation": -0.3,
            "stimulus_gain": 1.5,
            "feedback_gain": 2.0,
            "action_gain": 0.7,
            "bias_rate": -0.5,
        }
    },
    "other targets": {"target_low": 0.3, "target_high": 0.6},
}


def _configs(base: dict[str, Any]) -> dict[str, LifetimeConfig]:
    return {
        name: make_config(**{**options, "rule": {**base, **options.get("rule", {})}})
        for name, options in BOTH.items()
    }


NETWORK_OPTIONS: dict[str, dict[str, Any]] = {
    "feedback only": {"eta": 0.1, "gate": "feedback"},
    "feedback only, plastic from birth": {"gate": "feedback", "first_trial": 0},
    "clipped": {"eta": 0.5, "max_change": 0.003},
    "clipped at feedback": {"eta": 0.5, "max_change": 0.003, "gate": "feedback"},
}
MODES = {rule: short_life(rule) for rule in rules_of(BY_TRACE)}
CASES: dict[str, Case] = {
    **{
        f"{mode} {n} {i} {o}": Case(groups=sized(n, i, o), config=make_config(rule=base))
        for mode, base in MODES.items()
        for n, i, o in SIZES
    },
    **{
        f"{mode} {name}": Case(config=config)
        for mode, base in MODES.items()
        for name, config in _configs(base).items()
    },
    **{
        f"{mode} {name}": case
        for mode, base in MODES.items()
        for name, case in {
            "long trials": Case(config=make_config(rule=base), bank=LONG),
            "trials of one step": Case(
                config=make_config(rule=base, perturbation={"first_step": 0}, num_trials=20),
                bank={"longest": 1},
            ),
            "nothing asked": Case(
                config=make_config(rule={**base, "outcome": "reward"}), bank={"scored": 0.0}
            ),
            "lines as they are": Case(config=make_config(rule=base), permute="none"),
            "shared noise": Case(config=make_config(rule=base), shared_noise=True),
            "evaluation": Case(config=make_config(rule=base), evaluation=True),
        }.items()
    },
    **{
        f"{rule} {chosen['outcome']}, baseline {chosen['baseline']}": Case(
            config=make_config(rule={**MODES[rule], **chosen})
        )
        for rule in rules_of(BY_TRACE, "outcome")
        for chosen in OUTCOMES
    },
    **{
        f"{rule} clipped": Case(
            config=make_config(rule={**MODES[rule], "eta": 3.0, "max_change": 0.002})
        )
        for rule in rules_of(BY_TRACE, "outcome")
    },
    **{
        f"{rule} {name}": Case(config=make_config(rule={**MODES[rule], **chosen}))
        for rule in rules_of(BY_TRACE, "network")
        for name, chosen in NETWORK_OPTIONS.items()
    },
}
LEARNS_NOTHING = {"all trials quiet", "noise after the trial", "trace of one step"}


def learns(name: str, case: Case) -> bool:
    """Whether a case can change weights at all: some options leave no trace to change them by."""
    needs_a_trace = bool(case.config.rule.table.credits)
    return not (needs_a_trace and any(name.endswith(option) for option in LEARNS_NOTHING))


def _error(ours: torch.Tensor, exact: torch.Tensor) -> float:
    return float((ours.double() - exact.double()).abs().max())


@pytest.mark.parametrize("name", CASES)
def test_error_is_within_twice_that_of_float32(name: str) -> None:
    case = CASES[name]
    params, batch = case.build()
    exact = run_reference(params, case.groups, batch, case.config, dtype=torch.float64)
    plain = run_reference(params, case.groups, batch, case.config).result
    for what in ("steps_PK", "correct_PK"):
        assert torch.equal(getattr(plain, what), getattr(exact.result, what)), (
            f"{what}: rounding changes a choice, parity would prove nothing"
        )
    ours = case.live()
    assert torch.equal(ours.steps_PK, plain.steps_PK)
    assert torch.equal(ours.correct_PK, plain.correct_PK)
    assert torch.equal(ours.reward_PK, plain.reward_PK)
    for what in ("loss_PK", "smoothness_P"):
        rounding = _error(getattr(plain, what), getattr(exact.result, what))
        assert rounding < 1e-4, f"{what}: chaotic, parity would prove nothing"
        error = _error(getattr(ours, what), getattr(exact.result, what))
        assert error <= 2 * rounding + LAST_PLACE, f"{what}: {error:.1e}, float32 {rounding:.1e}"
    learnt = exact.state.p_PNN.abs().max() > 1e-5
    assert learnt == learns(name, case), "plasticity goes untested"


@pytest.mark.parametrize("name", [name for name in CASES if "clipped" in name])
def test_cases_named_clipped_clip(name: str) -> None:
    case = CASES[name]
    params, batch = case.build()
    free = replace(case.config, rule=replace(case.config.rule, max_change=1e9))
    clipped = run_reference(params, case.groups, batch, case.config).state.p_PNN
    unclipped = run_reference(params, case.groups, batch, free).state.p_PNN
    assert not torch.equal(clipped, unclipped)


def test_courses_of_trials_depend_on_what_is_done() -> None:
    """Partners of one trial order, on different networks, live trials of different lengths."""
    case = Case(num_individuals=6)
    params, batch = case.build()
    batch = batch._replace(task_P=np.zeros(6, np.int64), trial_stream_P=np.zeros(6, np.int64))
    steps_PK = run_cpu(params, case.groups, batch, case.config).steps_PK
    assert len(torch.unique(steps_PK, dim=0)) > 1


@pytest.mark.parametrize("rule", MODES.values(), ids=MODES)
def test_a_life_depends_neither_on_company_nor_on_threads(rule: dict[str, Any]) -> None:
    case = Case(
        config=make_config(rule=rule, num_trials=30),
        groups=sized(70, 4, 3),
        num_individuals=7,
    )
    params, batch = case.build()
    wiring = batch.wiring
    assert wiring is not None
    # Pairs that share their noise, and live trials of different lengths.
    batch = batch._replace(perturb_stream_P=np.arange(7, dtype=np.int64) // 2)
    together = run_cpu(params, case.groups, batch, case.config, threads=1)
    spread = run_cpu(params, case.groups, batch, case.config, threads=3)
    for what, one, other in zip(together._fields, together, spread, strict=True):
        assert torch.equal(one, other), f"{what} depends on the number of threads"
    for chosen in ([3], [6, 3, 0], [1, 0], [2, 3]):
        index = np.array(chosen)
        alone = run_cpu(
            PlasticParams(params.w_PNN[index], params.alpha_PNN[index]),
            case.groups,
            batch._replace(
                task_P=batch.task_P[index],
                trial_stream_P=batch.trial_stream_P[index],
                perturb_stream_P=batch.perturb_stream_P[index],
                wiring=Wiring(*(lines_PL[index] for lines_PL in wiring)),
            ),
            case.config,
            threads=1,
        )
        for what, one, other in zip(together._fields, together, alone, strict=True):
            assert torch.equal(one[index], other), f"{what} depends on who else lives"


@pytest.mark.parametrize(
    "name", [name for name in CASES if name.endswith(("33 3 5", "long trials"))]
)
def test_memory_left_uninitialised_is_never_read(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = CASES[name].live()
    allocate = workspace.allocate

    def poisoned(size: int, dtype: type = np.float32) -> np.ndarray:
        memory = allocate(size, dtype)
        memory.view(np.uint8)[:] = 0xFF  # not a number, as float32
        return memory

    monkeypatch.setattr(workspace, "allocate", poisoned)
    for what, one, other in zip(expected._fields, expected, CASES[name].live(), strict=True):
        assert torch.equal(one, other), f"{what} depends on uninitialised memory"


@pytest.mark.parametrize("rule", MODES.values(), ids=MODES)
def test_a_genome_that_is_not_a_number_fails_alone(rule: dict[str, Any]) -> None:
    case = Case(config=make_config(rule=rule), num_individuals=3)
    params, batch = case.build()
    healthy = run_cpu(params, case.groups, batch, case.config, threads=1)
    params.w_PNN[1, 20, 19] = torch.nan
    result = run_cpu(params, case.groups, batch, case.config, threads=1)
    assert result.loss_PK[1].isnan().any()
    for one, other in zip(result, healthy, strict=True):
        assert torch.equal(one[[0, 2]], other[[0, 2]])


def test_both_kinds_of_trials_are_run_by_one_program() -> None:
    case = Case()
    params, batch = case.build()
    fixed = make_batch([make_bank(0)], 1)
    groups = NeuronGroups(num_neurons=33)
    run_cpu(make_params(groups, 1), groups, fixed, case.config)
    programs = list(run_at_outcome.signatures)
    for array in (batch.task_P, *batch.tables):
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    run_cpu(params, case.groups, batch, case.config)
    assert run_at_outcome.signatures == programs, "self-paced trials compiled another one"


@dataclass
class Stepped:
    """A task that is stepped for real: here, through the world of a bank."""

    nodes: StackedTables

    def __getattr__(self, name: str) -> Any:
        return getattr(self.nodes, name)

    def open(self, streams: TrialStreams) -> World:
        return TableWorld(self.nodes, streams)


def test_tasks_that_are_stepped_stay_with_the_reference(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_said", set())
    case = Case()
    params, batch = case.build()
    assert cpu_covers(case.groups, batch, case.config) is None
    stepped: Any = batch._replace(tasks=Stepped(batch.tables))
    assert "real environments" in str(cpu_covers(case.groups, stepped, case.config))
    with caplog.at_level(logging.WARNING):
        result = run_lifetimes(params, case.groups, stepped, case.config, engine="cpu")
    assert "real environments" in caplog.text
    expected = run_reference(params, case.groups, batch, case.config).result
    assert torch.equal(result.loss_PK, expected.loss_PK)


@pytest.mark.parametrize("rule", MODES)
@pytest.mark.parametrize(
    ("num_neurons", "gain"), [(40, 25.0), pytest.param(70, 12.0, marks=pytest.mark.exhaustive)]
)
def test_fitness_of_long_lives_equals_the_reference_statistically(
    rule: str, num_neurons: int, gain: float
) -> None:
    groups = sized(num_neurons, 4, 3)
    params = make_params(groups, 256, gain=gain)
    banks = [
        make_node_bank(0, num_inputs=4, num_outputs=3, longest=14, num_entries=20, early_end=0.02),
        make_node_bank(1, num_inputs=2, num_outputs=2, longest=14, num_entries=20, early_end=0.02),
    ]
    batch = make_free_batch(banks, groups, 256)
    config = make_config(
        dynamics={"stimulus_gain": 0.5, "feedback_gain": 1.0, "action_gain": 1.0},
        rule=long_life(rule),
        num_trials=30,
        scored_trials=10,
        perturbation={"quiet_trials": 3},
    )
    ours = run_cpu(params, groups, batch, config)
    theirs = run_reference(params, groups, batch, config).result
    for what in ("loss_PK", "reward_PK"):
        one, other = (getattr(r, what)[:, -10:].double().mean(1) for r in (ours, theirs))
        assert_equal_in_distribution(one, other)
