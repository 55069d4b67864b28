"""Rules that change weights at every step, on the CPU engine: equal to the reference to rounding.

A kernel is compiled for each structure, which takes long; those of the default set have between
them every word of a table that this engine covers, the others are `exhaustive`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.engines.cpu.engine import cpu_covers, run_cpu
from evoplastic.engines.reference.engine import run_reference
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from tests.evoplastic.engines.cases import (
    make_bank,
    make_batch,
    make_config,
    make_params,
    with_evolved,
)
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank
from tests.evoplastic.rules.forms import FORMS
from tests.evoplastic.rules.toys import TOYS

LAST_PLACE = 2e-7
SMALL = {"max_change": 0.003, "max_p": 0.01, "first_trial": 2}  # no two choices in balance
QUICK = {
    "abcd",  # coefficients of connections, divided by the largest weight
    "backpropamine_retroactive",  # the network's signal, the trace before the step, bounds on p
    "rate per source times rank one",
    "trace of both ends times the weight",  # noise of both ends, bounds on changes
    "evolved baseline",
}
SIZES = [
    (13, False),
    (33, False),
    (33, True),
    (90, False),
]  # neurons, and whether trials are self-paced
LARGE = (70, 129, 257, 512)
SETTINGS: dict[str, dict[str, Any]] = {
    **{
        name: {**SMALL, "name": name}
        for name, rule in {**RULES, **TOYS}.items()
        if rule.schedule == "every_step"
    },
    **{name: {**chosen, "first_trial": 2} for name, chosen in FORMS.items()},
}


def config_of(name: str, monkeypatch: pytest.MonkeyPatch) -> LifetimeConfig:
    for toy, rule in TOYS.items():
        monkeypatch.setitem(RULES, toy, rule)
    return make_config(rule=SETTINGS[name])


def built(
    config: LifetimeConfig, groups: NeuronGroups, *, self_paced: bool
) -> tuple[PlasticParams, LifetimeBatch]:
    if self_paced:
        batch = make_free_batch([make_node_bank(0), make_node_bank(1)], groups, 3)
    else:
        batch = make_batch([make_bank(0), make_bank(1)], 3)
    return with_evolved(make_params(groups, 3, gain=0.9), groups, config.rule), batch


@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.exhaustive)
        for name in SETTINGS
    ],
)
def test_error_is_within_twice_that_of_float32(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _compare(config_of(name, monkeypatch), SIZES)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["abcd", "oja", "trace of both ends times the weight"])
def test_error_is_within_twice_that_of_float32_at_all_sizes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _compare(config_of(name, monkeypatch), [(n, free) for n in LARGE for free in (False, True)])


def _compare(config: LifetimeConfig, sizes: list[tuple[int, bool]]) -> None:
    for num_neurons, self_paced in sizes:
        groups = NeuronGroups(num_neurons=num_neurons)
        params, batch = built(config, groups, self_paced=self_paced)
        assert cpu_covers(groups, batch, config) is None
        exact = run_reference(params, groups, batch, config, dtype=torch.float64)
        plain = run_reference(params, groups, batch, config).result
        ours = run_cpu(params, groups, batch, config, threads=1)
        assert exact.state.p_PNN.abs().max() > 1e-5, "plasticity goes untested"
        for what in ("loss_PK", "smoothness_P"):
            expected = getattr(exact.result, what).double()
            rounding = float((getattr(plain, what).double() - expected).abs().max())
            assert rounding < 1e-4, f"{what}: chaotic, parity would prove nothing"
            error = float((getattr(ours, what).double() - expected).abs().max())
            assert error <= 2 * rounding + LAST_PLACE, f"{what}: {error:.1e} not {rounding:.1e}"
        differing = int((ours.correct_PK != exact.result.correct_PK).sum())
        assert differing == 0, f"{differing} choices differ, in float32 " + str(
            int((plain.correct_PK != exact.result.correct_PK).sum())
        )


def test_a_lifetime_depends_neither_on_company_nor_on_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = config_of("rate per connection times all", monkeypatch)
    groups = NeuronGroups(num_neurons=33)
    params, batch = built(config, groups, self_paced=False)
    together = run_cpu(params, groups, batch, config, threads=1)
    spread = run_cpu(params, groups, batch, config, threads=2)
    who = np.array([2])
    alone = run_cpu(
        params.each(lambda tensor: tensor[who]),
        groups,
        batch._replace(
            task_P=batch.task_P[who],
            trial_stream_P=batch.trial_stream_P[who],
            perturb_stream_P=batch.perturb_stream_P[who],
        ),
        config,
        threads=1,
    )
    for what, one, two, three in zip(together._fields, together, spread, alone, strict=True):
        assert torch.equal(one, two), f"{what} depends on the number of threads"
        assert torch.equal(one[who], three), f"{what} depends on who else is simulated"


def test_replicas_need_no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of("rate per connection times all", monkeypatch)
    groups = NeuronGroups(num_neurons=33)
    params, batch = built(config, groups, self_paced=False)
    one = params.each(lambda tensor: tensor[1:2])
    views = one.each(lambda tensor: tensor.expand(3, *tensor.shape[1:]))
    copies = params.each(lambda tensor: tensor[[1, 1, 1]])
    expected = run_cpu(copies, groups, batch, config, threads=1)
    assert torch.equal(run_cpu(views, groups, batch, config, threads=1).loss_PK, expected.loss_PK)


@pytest.mark.parametrize("smallest", [0.0, 1e-40, 1e-30, 0.3])
def test_weights_of_any_size_are_divided_by_their_largest(smallest: float) -> None:
    """1e-40 has no reciprocal in float32; where all weights are 0, none is divided."""
    config = _constant(D=smallest)
    groups = NeuronGroups(num_neurons=33)
    params, batch = built(config, groups, self_paced=False)
    exact = run_reference(params, groups, batch, config, dtype=torch.float64)
    ours = run_cpu(params, groups, batch, config, threads=1)
    grown = exact.state.p_PNN[:, groups.num_clamped :]
    assert torch.equal(grown, torch.full_like(grown, float(smallest > 0)))
    torch.testing.assert_close(ours.loss_PK, exact.result.loss_PK.float(), atol=1e-5, rtol=0)


def test_what_is_not_a_number_fails_as_in_the_reference() -> None:
    config = _constant(A=0.1, D=0.3)
    groups = NeuronGroups(num_neurons=33)
    params, batch = built(config, groups, self_paced=False)
    healthy = run_cpu(params, groups, batch, config, threads=1)
    params.w_PNN[1, 20, 19] = torch.nan
    ours = run_cpu(params, groups, batch, config, threads=1)
    expected = run_reference(params, groups, batch, config).result
    assert expected.loss_PK[1].isnan().any()
    assert torch.equal(ours.loss_PK.isnan(), expected.loss_PK.isnan())
    assert torch.equal(ours.loss_PK[[0, 2]], healthy.loss_PK[[0, 2]])


def _constant(**coefficients: float) -> LifetimeConfig:
    chosen = {**dict.fromkeys("ABCD", 0.0), **coefficients}
    return make_config(rule={"name": "abcd", "coefficients": chosen, "first_trial": 2})
