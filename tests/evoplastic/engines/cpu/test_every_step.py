"""Rules beyond their trace: the pass over the matrices is the reference's, both kinds of trials."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from evoplastic.engines.cpu.engine import cpu_covers, run_cpu
from evoplastic.engines.cpu.structure import compile_rule
from evoplastic.engines.reference.engine import run_reference
from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from tests.evoplastic.engines.cases import make_bank, make_batch, make_config, make_params
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank
from tests.evoplastic.rules.toys import TOYS

LAST_PLACE = 2e-7
SIZES = [(13, 1, 2), (70, 2, 2), (129, 5, 4)]  # one, four and eight vectors of targets
BY_DEFAULT = {"oja", "dense trace", "two credits"}  # each structure takes seconds to compile
COVERED = {
    name: rule
    for name, rule in {**RULES, **TOYS}.items()
    if rule.schedule == "every_step" and not any(part.pre == "noise" for part in rule.parts)
}


def _batch(groups: NeuronGroups, self_paced: bool) -> LifetimeBatch:
    lines: dict[str, Any] = {"num_inputs": groups.num_inputs, "num_outputs": groups.num_outputs}
    if self_paced:
        tables = [make_node_bank(seed, **lines) for seed in (0, 1)]
        return make_free_batch(tables, groups, 3, permute="both")
    return make_batch([make_bank(seed, **lines) for seed in (0, 1)], 3)


@pytest.mark.parametrize("self_paced", [False, True], ids=["fixed timing", "self-paced"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in BY_DEFAULT else pytest.mark.exhaustive)
        for name in COVERED
    ],
)
def test_error_is_within_twice_that_of_float32(
    name: str, size: tuple[int, int, int], self_paced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RULES, name, COVERED[name])
    neurons, inputs, outputs = size
    groups = NeuronGroups(num_neurons=neurons, num_inputs=inputs, num_outputs=outputs)
    config = make_config(rule={"name": name, "eta": 0.003, "max_change": 0.002})
    params, batch = make_params(groups, 3, gain=0.9), _batch(groups, self_paced)
    assert cpu_covers(groups, batch, config) is None
    exact = run_reference(params, groups, batch, config, dtype=torch.float64)
    plain = run_reference(params, groups, batch, config).result
    ours = run_cpu(params, groups, batch, config, threads=1)
    assert exact.state.p_PNN.abs().max() > 1e-5, "plasticity goes untested"
    for what in ("loss_PK", "smoothness_P"):
        target = getattr(exact.result, what)
        rounding, error = (
            float((getattr(result, what).double() - target).abs().max()) for result in (plain, ours)
        )
        assert rounding < 1e-4, f"{what}: chaotic, parity would prove nothing"
        assert error <= 2 * rounding + LAST_PLACE, f"{what}: {error:.1e}, float32 {rounding:.1e}"
    assert torch.equal(ours.correct_PK, exact.result.correct_PK)
    assert torch.equal(ours.steps_PK, plain.steps_PK)


def test_a_life_depends_on_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "oja", COVERED["oja"])
    groups = NeuronGroups(num_neurons=70)
    config = make_config(rule={"name": "oja", "eta": 0.003}, num_trials=20)
    params, batch = make_params(groups, 3), _batch(groups, False)
    together = run_cpu(params, groups, batch, config, threads=2)
    alone = run_cpu(
        type(params)(*(matrix[2:] for matrix in params)),
        groups,
        batch._replace(
            task_P=batch.task_P[2:],
            trial_stream_P=batch.trial_stream_P[2:],
            perturb_stream_P=batch.perturb_stream_P[2:],
        ),
        config,
        threads=1,
    )
    assert torch.equal(together.loss_PK[2:], alone.loss_PK)


def test_terms_that_share_their_source_are_one_multiply_add() -> None:
    """A y x + B y + C x + D = (A y + C) x + (B y + D)."""
    compiled = compile_rule(TOYS["abcd"], {"eta": "scalar"})
    assert [(group.pre, len(group.parts)) for group in compiled.structure.groups] == [
        ("rate", 2),
        ("one", 2),
    ]
    by_pair = compile_rule(TOYS["abcd"], {"eta": "pair"})
    assert (by_pair.of_target, by_pair.of_source, by_pair.of_pair) == (("",), (), ("eta",))
    by_rank = compile_rule(TOYS["abcd"], {"eta": "rank_one"})
    assert (by_rank.of_target, by_rank.of_source) == (("eta",), ("eta",))


def test_noise_of_sources_is_left_to_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = TOYS["trace of both ends times the weight"]
    monkeypatch.setitem(RULES, rule.name, rule)
    groups = NeuronGroups(num_neurons=13)
    reason = cpu_covers(groups, _batch(groups, False), make_config(rule={"name": rule.name}))
    assert reason is not None
    assert "noise" in reason


def test_a_rule_keeps_its_own_terms_apart() -> None:
    """What multiplies p, or the trace, shares no multiply-add with what does not."""
    groups = compile_rule(TOYS["oja"], {"eta": "scalar"}).structure.groups
    assert [(group.p, len(group.parts)) for group in groups] == [(False, 1), (True, 1)]
