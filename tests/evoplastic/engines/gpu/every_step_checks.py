"""Checks of the schedule every_step on the GPU; `test_every_step.py` runs them apart.

One kernel serves all rules, layouts and kinds of trials. The default cases have between them every
word of a table and every form of a coefficient; all rules in all layouts are `exhaustive`.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from evoplastic.engines.gpu.engine import run_gpu
from evoplastic.engines.reference.engine import run_reference
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.modulation.table import Channel
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from evoplastic.rules.coefficients import Evolvable
from evoplastic.trials.timing import TrialTiming
from tests.evoplastic.engines.cases import (
    GATED,
    OWN_INTRINSIC,
    make_bank,
    make_batch,
    make_config,
    make_params,
    with_evolved,
    with_fan_outs,
    with_intrinsic,
)
from tests.evoplastic.engines.gpu.parity import assert_as_the_reference
from tests.evoplastic.engines.gpu.process import (  # the fixtures serve every check below
    DEVICE,
    assert_same,
    each_of,
    patch_once,  # noqa: F401
    uninitialised_memory_is_nan,  # noqa: F401
)
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank
from tests.evoplastic.rules.forms import FORMS
from tests.evoplastic.rules.toys import TOYS

SHORT = TrialTiming(dt_ms=20.0, num_steps=9, response=(3, 5), feedback=(6, 8))
SMALL = {"max_change": 0.003, "max_p": 0.01}  # no two choices in balance
EVERY_STEP: dict[str, dict[str, Any]] = {
    **{name: {**SMALL, "name": name} for name, rule in RULES.items() if not rule.normalises},
    **{name: {"name": name, "eta": 0.1} for name, rule in RULES.items() if rule.normalises},
    **{f"toy {name}": {**SMALL, "name": f"toy {name}"} for name in TOYS},
    **FORMS,
    "all evolved": {
        "name": "backpropamine_retroactive",
        "eta": Evolvable(form="connection", init=0.02, spread=0.05),
        "tau_elig_ms": Evolvable(init=400.0, spread=0.5, transform="positive"),
    },
}


class Case(NamedTuple):
    rule: str
    self_paced: bool = False
    streamed: bool = False
    num_neurons: int = 14
    num_trials: int = 4
    own_intrinsic: bool = False  # time constants and thresholds of each neuron
    modulated: bool = False  # onto plasticity, gains and shifts by three neurons


ALL_CHANNELS = {**GATED, "channels": (*GATED["channels"], Channel(target="plasticity", spread=0.5))}
QUICK = {
    "fan-out of the network onto plasticity": Case(
        "backpropamine", own_intrinsic=True, modulated=True
    ),
    "fan-out of the network onto plasticity, streamed": Case(
        "node_perturbation_network", self_paced=True, streamed=True, modulated=True
    ),
    "fan-out of the outcome onto plasticity, streamed": Case(
        "weight_decay", streamed=True, modulated=True
    ),
    "rates, weights, neurons with time constants of their own": Case("oja", own_intrinsic=True),
    "coefficients of connections, normalised": Case("abcd_rates"),
    "centred, old trace, bounded, streamed": Case(
        "toy fluctuations of both ends", self_paced=True, streamed=True, own_intrinsic=True
    ),
    "noise of sources, weights, trace": Case(
        "toy trace of both ends times the weight", self_paced=True
    ),
    "target, source, normalised, streamed": Case("abcd_clustered", streamed=True),
    "by the network, at outcomes, of rank one": Case("toy network at outcomes", num_neurons=33),
    "by the outcome, unmodulated too": Case("weight_decay"),
    "by the network, evolved, streamed": Case("all evolved", streamed=True),
    "an evolved decay of the baseline, which changes no schedule": Case("evolved baseline"),
    "source and target, self-paced": Case("rate per source times rank one", self_paced=True),
}
LAYOUTS = [*itertools.product((False, True), (False, True))]
ALL = {
    f"{name}, {'self-paced' if free else 'fixed'}, {'streamed' if streamed else 'on chip'}": Case(
        name, free, streamed, 14 + 19 * (free != streamed)
    )
    for name in EVERY_STEP
    for free, streamed in LAYOUTS
}


@pytest.fixture(autouse=True)
def toys_are_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, rule in TOYS.items():
        monkeypatch.setitem(RULES, f"toy {name}", rule)


def prepare(
    case: Case, num_individuals: int = 2
) -> tuple[PlasticParams, NeuronGroups, LifetimeBatch, LifetimeConfig]:
    groups = NeuronGroups(num_neurons=case.num_neurons, num_modulators=3 if case.modulated else 2)
    config = make_config(
        num_trials=case.num_trials,
        scored_trials=1,
        dynamics=OWN_INTRINSIC if case.own_intrinsic else {},
        modulation=ALL_CHANNELS if case.modulated else {},
        rule={"first_trial": 1, **EVERY_STEP[case.rule]},
        perturbation={"quiet_trials": 1, "probability": 0.3},
    )
    if case.self_paced:
        tables = [make_node_bank(seed, longest=5) for seed in (0, 1)]
        batch = make_free_batch(tables, groups, num_individuals)
    else:
        tables = [make_bank(seed, timing=SHORT) for seed in (0, 1)]
        batch = make_batch(tables, num_individuals)
    params = make_params(groups, num_individuals, gain=0.9)
    params = with_intrinsic(params, groups, config.dynamics)
    params = with_fan_outs(params, groups, config)
    return with_evolved(params, groups, config.rule), groups, batch, config


@pytest.mark.parametrize("case", each_of(QUICK, ALL))
def test_engine_equals_the_reference_to_float32_rounding(case: Case) -> None:
    params, groups, batch, config = prepare(case)
    exact, _ = assert_as_the_reference(params, groups, batch, config, streamed=case.streamed)
    if not case.self_paced or config.rule.table.modulator != "outcome":
        assert exact.state.p_PNN.abs().max() > 1e-4, "plasticity goes untested"


def of(who: list[int], params: PlasticParams, batch: LifetimeBatch) -> Any:
    index = np.array(who)
    return params.each(lambda tensor: tensor[index]), batch._replace(
        task_P=batch.task_P[index],
        trial_stream_P=batch.trial_stream_P[index],
        perturb_stream_P=batch.perturb_stream_P[index],
    )


@pytest.mark.parametrize("streamed", [False, pytest.param(True, marks=pytest.mark.exhaustive)])
def test_a_life_depends_neither_on_its_neighbours_nor_on_copies(streamed: bool) -> None:
    params, groups, batch, config = prepare(Case("rate per connection times all", num_trials=2))
    twins, theirs = of([1, 0, 1], params, batch)
    together = run_gpu(twins, groups, theirs, config, device=DEVICE, streamed=streamed)
    views, (_, its) = (
        params.each(lambda t: t[1:2].expand(2, *t.shape[1:])),
        of([1, 1], params, batch),
    )
    alone = run_gpu(views, groups, its, config, device=DEVICE, streamed=streamed)
    for one in (slice(0, 1), slice(2, 3)):
        assert_same(
            LifetimeResult(*(result[:1] for result in alone)),
            LifetimeResult(*(result[one] for result in together)),
        )


def test_a_genome_that_is_not_a_number_fails_alone() -> None:
    params, groups, batch, config = prepare(Case("oja", num_trials=2))
    w_PNN = params.w_PNN.clone()
    w_PNN[0, 9, 9] = float("nan")
    broken = params._replace(w_PNN=w_PNN)
    result = run_gpu(broken, groups, batch, config, device=DEVICE)
    expected = run_reference(broken, groups, batch, config).result
    assert torch.equal(result.loss_PK.isnan(), expected.loss_PK.isnan())
    assert bool(result.loss_PK[0].isnan().all())
    assert bool(result.loss_PK[1].isfinite().all())
