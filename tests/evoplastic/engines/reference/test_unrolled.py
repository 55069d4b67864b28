"""A gradient through a lifetime is that of finite differences, and changes no number of it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from evoplastic.engines.reference.choosing import Sampled, largest
from evoplastic.engines.reference.engine import run_reference
from evoplastic.engines.reference.unrolled import Unrolled, unroll
from evoplastic.lifetime.batch import LifetimeResult, PlasticParams
from evoplastic.network.neurons import NeuronGroups
from tests.evoplastic.engines.cases import make_bank, make_batch, make_config, make_params
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank

GROUPS = NeuronGroups(num_neurons=14)
CASES = [
    (True, "hebb"),
    (True, "backpropamine"),
    (False, "oja"),
    (False, "backpropamine_retroactive"),
]


def case(paced: bool, rule: str, lives: int = 3) -> tuple[PlasticParams, Any, Any, Any]:
    config = make_config(rule={"name": rule, "first_trial": 1}, num_trials=4, scored_trials=2)
    if paced:
        batch = make_batch([make_bank(0)], lives)
    else:
        batch = make_free_batch([make_node_bank(0)], GROUPS, lives)
    return make_params(GROUPS, lives, gain=0.7), GROUPS, batch, config


def leaves(params: PlasticParams) -> tuple[PlasticParams, Tensor, Tensor]:
    w, alpha = (part.double().clone().requires_grad_() for part in params[:2])
    return params._replace(w_PNN=w, alpha_PNN=alpha), w, alpha


def total(lived: Unrolled) -> Tensor:
    return lived.result.loss_PK.double()[:, -2:].sum()


@pytest.mark.parametrize(("paced", "rule"), CASES)
def test_the_gradient_is_that_of_finite_differences(paced: bool, rule: str) -> None:
    params, *others = case(paced, rule)
    asked, w, alpha = leaves(params)
    total(unroll(asked, *others, dtype=torch.float64)).backward()
    torch.manual_seed(0)
    for leaf in (w, alpha):
        assert leaf.grad is not None
        toward = torch.randn(leaf.shape, dtype=torch.float64)
        found = []
        for step in (1e-6, -1e-6):
            moved = leaf.detach() + step * toward
            other = params._replace(w_PNN=w.detach(), alpha_PNN=alpha.detach())
            other = other._replace(w_PNN=moved) if leaf is w else other._replace(alpha_PNN=moved)
            end = run_reference(other, *others, dtype=torch.float64).result
            found.append(float(end.loss_PK.double()[:, -2:].sum()))
        expected = (found[0] - found[1]) / 2e-6
        assert abs(expected) > 1e-3
        assert float((leaf.grad * toward).sum()) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("paced", [True, False], ids=["fixed", "self_paced"])
def test_unrolling_changes_no_bit_of_a_lifetime(paced: bool) -> None:
    params, *others = case(paced, "backpropamine")
    plain = run_reference(params, *others).result
    asked = params.each(lambda tensor: tensor.clone().requires_grad_())
    for name, ours, theirs in zip(
        LifetimeResult._fields, unroll(asked, *others).result, plain, strict=True
    ):
        assert torch.equal(ours.detach(), theirs), name


@pytest.mark.parametrize("paced", [True, False], ids=["fixed", "self_paced"])
@pytest.mark.parametrize("drawn", [True, False], ids=["drawn", "largest"])
def test_the_size_of_blocks_changes_no_bit_of_a_gradient(paced: bool, drawn: bool) -> None:
    params, groups, batch, config = case(paced, "backpropamine")
    found = []
    for block in (1, 3):
        asked, w, _ = leaves(params)
        choose = Sampled(batch, 0.5) if drawn else largest
        lived = unroll(asked, groups, batch, config, block=block, choose=choose)
        what = lived.log_chance_PK if drawn else lived.result.loss_PK
        assert what is not None
        what.sum().backward()
        assert w.grad is not None
        assert float(w.grad.abs().max()) > 0
        found.append(w.grad)
    assert torch.equal(found[0], found[1])


def test_what_was_learnt_before_the_last_trials_counts_as_given() -> None:
    params, *others = case(True, "backpropamine")
    gradients = []
    for trials in (None, 4, 9, 2, 1):
        asked, w, _ = leaves(params)
        total(unroll(asked, *others, trials=trials, dtype=torch.float64)).backward()
        assert w.grad is not None
        gradients.append(w.grad)
    assert torch.equal(gradients[0], gradients[1])
    assert torch.equal(gradients[0], gradients[2])
    assert not torch.equal(gradients[0], gradients[3])
    assert not torch.equal(gradients[3], gradients[4])


@pytest.mark.parametrize("paced", [True, False], ids=["fixed", "self_paced"])
def test_drawn_actions_have_the_chances_they_say(paced: bool) -> None:
    """The mean of d log(chance) over draws is 0, and actions are not all the largest."""
    params, groups, batch, config = case(paced, "hebb", lives=1)
    many = params.each(lambda tensor: tensor.expand(64, *tensor.shape[1:]).contiguous())
    if paced:
        batch = make_batch([make_bank(0)], 64)
    else:
        batch = make_free_batch([make_node_bank(0)], GROUPS, 64)
    lived = unroll(many, groups, batch, config, choose=Sampled(batch, 1.0))
    assert lived.log_chance_PK is not None
    assert lived.entropy_PK is not None
    assert bool((lived.log_chance_PK <= 0).all())
    assert bool((lived.entropy_PK >= 0).all())
    surprise, entropy = -lived.log_chance_PK.sum(1), lived.entropy_PK.sum(1)
    error = float((surprise - entropy).std()) / 8
    assert abs(float((surprise - entropy).mean())) < 4 * error
    sharp = unroll(many, groups, batch, config, choose=Sampled(batch, 1e-4)).result
    plain = run_reference(many, groups, batch, config).result
    alike = [
        float((each.correct_PK == plain.correct_PK).float().mean())
        for each in (sharp, lived.result)
    ]
    assert alike[0] > 0.95 > alike[1]
