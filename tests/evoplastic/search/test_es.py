"""The search: shaping by hand, EvoTorch's gradient, torch's Adam, and a known optimum."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.fields import scaled
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.config import ESConfig
from evoplastic.search.es import EvolutionStrategy, gradient, update
from evoplastic.search.moments import AdamState
from evoplastic.search.mutation import perturbed_pairs
from evoplastic.search.shaping import shape_losses

LAYOUT = Layout(NeuronGroups(num_neurons=12))
ALPHA = LAYOUT.slices["alpha"]
CONFIG = ESConfig(popsize=12)
SEED, GENERATION = 17, 4


def _center(seed: int = 0) -> torch.Tensor:
    return Genome.random(LAYOUT, seed, GenomeConfig()).center_G


def _search(config: ESConfig = CONFIG) -> EvolutionStrategy:
    return EvolutionStrategy(config, LAYOUT, seed=SEED)


def _gradient(
    weights: NDArray[np.float64], config: ESConfig = CONFIG, generation: int = GENERATION
) -> torch.Tensor:
    return gradient(weights, LAYOUT, config, SEED, generation)


def _losses(seed: int = 0, popsize: int = CONFIG.popsize) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(0.1, 0.9, popsize)


def test_partners_mirror_each_other_around_the_center() -> None:
    center_G = _center()
    flat_PG = perturbed_pairs(center_G, LAYOUT, CONFIG, SEED, GENERATION, 0, 6).double().numpy()
    center = center_G.double().numpy()
    plus, minus = flat_PG[0::2] - center, flat_PG[1::2] - center
    np.testing.assert_allclose(plus, -minus, rtol=0, atol=1e-6)
    mask = LAYOUT.mask_G.numpy()
    assert not plus[:, ~mask].any()
    assert not plus[0].any(), "pair 0 is the bare center"
    assert plus[1:, mask].all()
    assert plus[1:, mask].std() == pytest.approx(CONFIG.sigma, rel=0.1)
    assert abs(np.corrcoef(plus[1:, mask])[~np.eye(5, dtype=bool)]).max() < 0.3


def test_without_an_unmutated_pair_every_pair_mutates() -> None:
    config = replace(CONFIG, unmutated_pair=False)
    flat_PG = perturbed_pairs(_center(), LAYOUT, config, SEED, GENERATION, 0, 1)
    assert (flat_PG[0] != flat_PG[1]).sum() == LAYOUT.mask_G.sum()


def test_a_mutation_depends_on_its_pair_not_on_its_shard() -> None:
    whole = perturbed_pairs(_center(), LAYOUT, CONFIG, SEED, GENERATION, 0, 6)
    part = perturbed_pairs(_center(), LAYOUT, CONFIG, SEED, GENERATION, 3, 2)
    assert torch.equal(part, whole[6:10])
    later = perturbed_pairs(_center(), LAYOUT, CONFIG, SEED, GENERATION + 1, 3, 2)
    other_seed = perturbed_pairs(_center(), LAYOUT, CONFIG, SEED + 1, GENERATION, 3, 2)
    assert not torch.equal(part, later)
    assert not torch.equal(part, other_seed)


def test_raw_pulls_are_differences_of_losses() -> None:
    shaped = shape_losses(np.array([0.5, 0.25, 1.0, 0.0]), replace(CONFIG, popsize=4))
    assert shaped.weight_pairs.tolist() == [0.25, 1.0]
    assert (shaped.num_failed, shaped.all_failed, shaped.pulls) == (0, False, True)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_failed_lifetime_counts_as_the_worst(bad: float) -> None:
    config = replace(CONFIG, popsize=6)
    shaped = shape_losses(np.array([0.5, 0.25, bad, 0.0, 2.0, bad]), config)
    assert shaped.weight_pairs.tolist() == [0.25, 2.0, 0.0]
    assert (shaped.num_failed, shaped.all_failed) == (2, False)
    ranked = shape_losses(
        np.array([0.5, 0.25, bad, 0.0]), replace(config, popsize=4, shaping="centered")
    )
    assert ranked.weight_pairs == pytest.approx([5 / 6 - 1 / 3, 5 / 6])


def test_a_generation_that_failed_whole_pulls_nowhere() -> None:
    shaped = shape_losses(np.full(12, np.nan), CONFIG)
    assert (shaped.num_failed, shaped.all_failed, shaped.pulls) == (12, True, False)
    assert not shaped.weight_pairs.any()


@pytest.mark.parametrize("shaping", ["raw", "centered"])
def test_equal_losses_pull_nowhere(shaping: str) -> None:
    config = replace(CONFIG, shaping=shaping)  # type: ignore[arg-type]
    shaped = shape_losses(np.full(12, 0.32), config)
    assert not shaped.pulls
    assert not shaped.all_failed


def test_ties_share_their_mean_rank() -> None:
    config = replace(CONFIG, popsize=4, shaping="centered")
    shaped = shape_losses(np.array([3.0, 1.0, 1.0, 2.0]), config)
    # Ranks 3, 0.5, 0.5, 2 of 0 .. 3.
    assert shaped.weight_pairs == pytest.approx([2.5 / 3, -1.5 / 3])


def test_a_wrong_number_of_losses_is_refused() -> None:
    with pytest.raises(UsageError, match="expected popsize = 12"):
        shape_losses(np.zeros(10), CONFIG)


def test_the_gradient_is_the_published_sum() -> None:
    """gradient = sum over individuals of mutation * loss / (popsize * sigma^2) (Miconi 2023)."""
    center_G, loss_P = _center(), _losses()
    flat_PG = perturbed_pairs(center_G, LAYOUT, CONFIG, SEED, GENERATION, 0, 6)
    mutation_PG = flat_PG.double().numpy() - center_G.double().numpy()
    published = (mutation_PG * loss_P[:, None]).sum(0) / (12 * 0.03**2)
    gradient_G = _gradient(shape_losses(loss_P, CONFIG).weight_pairs)
    assert np.abs(published).max() > 1.0
    np.testing.assert_allclose(gradient_G.numpy(), published, rtol=0, atol=1e-3)
    assert not gradient_G[~LAYOUT.mask_G].any()


@pytest.mark.parametrize("shaping", ["raw", "centered"])
def test_the_gradient_is_evotorchs_up_to_scale(shaping: str) -> None:
    """EvoTorch's PGPE leaves out 1 / sigma^2 and climbs: its gradient is -sigma^2 times ours."""
    from evotorch.algorithms.functional import pgpe, pgpe_tell

    followed: list[torch.Tensor] = []

    def optimizer(*, center_init: torch.Tensor, center_learning_rate: float) -> torch.Tensor:
        return center_init

    def ask(center_G: torch.Tensor) -> torch.Tensor:
        return center_G

    def tell(center_G: torch.Tensor, *, follow_grad: torch.Tensor) -> torch.Tensor:
        followed.append(follow_grad)
        return center_G

    config = replace(CONFIG, shaping=shaping, unmutated_pair=False)  # type: ignore[arg-type]
    center_G, loss_P = _center().double(), _losses(3)
    state = pgpe(
        center_init=center_G,
        center_learning_rate=1.0,
        stdev_learning_rate=0.0,
        objective_sense="min",
        ranking_method=shaping,
        optimizer=(optimizer, ask, tell),
        stdev_init=config.sigma,
    )
    flat_PG = perturbed_pairs(center_G.float(), LAYOUT, config, SEED, GENERATION, 0, 6)
    pgpe_tell(state, flat_PG.double(), torch.from_numpy(loss_P))
    gradient_G = _gradient(shape_losses(loss_P, config).weight_pairs, config)
    expected = -followed[0].numpy() / config.sigma**2
    assert np.abs(expected).max() > 1.0
    np.testing.assert_allclose(gradient_G.numpy(), expected, rtol=0, atol=1e-3)


def test_a_gradient_of_missing_pairs_is_refused() -> None:
    with pytest.raises(UsageError, match="gradient of 2 pairs, expected 6"):
        _gradient(np.ones(2))


def test_the_gradient_never_holds_a_population_of_genomes() -> None:
    layout, config = Layout(NeuronGroups(num_neurons=40)), ESConfig(popsize=160)
    gradient(np.ones(80), layout, config, SEED, GENERATION)  # compiles
    tracemalloc.start()
    gradient(np.ones(80), layout, config, SEED, GENERATION)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < config.num_pairs * layout.size * 4 / 2


def _published_step(
    state: AdamState, adam: torch.optim.Adam, parameter: torch.nn.Parameter, grad: torch.Tensor
) -> None:
    """torch's own Adam with L2 weight decay, then alpha >= 0, as the published code does it."""
    parameter.grad = grad.clone()
    adam.step()
    with torch.no_grad():
        parameter[ALPHA].clamp_(min=0.0)


def test_updates_are_those_of_torchs_adam_with_weight_decay() -> None:
    config = replace(CONFIG, learning_rate=0.2, weight_decay=0.05)
    center_G = _center()
    state = _search().init(center_G)
    parameter = torch.nn.Parameter(center_G.clone())
    adam = torch.optim.Adam([parameter], lr=0.2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.05)
    clamped = 0
    for generation in range(12):
        weights = shape_losses(_losses(generation), config).weight_pairs
        gradient_G = _gradient(weights, config, generation=generation)
        state = update(state, gradient_G, config, LAYOUT)
        _published_step(state, adam, parameter, gradient_G)
        np.testing.assert_allclose(
            state.center_G.numpy(),
            parameter.detach().numpy(),
            rtol=0,
            atol=2e-5,
            err_msg=f"generation {generation}",
        )
        clamped += int((state.center_G[ALPHA] == 0.0).sum())
    assert clamped > 0
    assert (state.center_G[ALPHA] >= 0.0).all()
    assert float(state.t) == 12.0
    assert (state.center_G - center_G).abs().max() > 0.5


def test_masked_genes_never_move() -> None:
    state = _search().init(_center())
    gradient_G = torch.ones(LAYOUT.size)
    after = update(state, gradient_G, replace(CONFIG, weight_decay=0.1), LAYOUT)
    assert torch.equal(after.center_G[~LAYOUT.mask_G], state.center_G[~LAYOUT.mask_G])
    assert (after.center_G[LAYOUT.mask_G] != state.center_G[LAYOUT.mask_G]).all()


def test_steps_are_in_units_of_scales() -> None:
    fields = scaled(LAYOUT.fields, {"w.modulators": 0.25, "alpha": 0.5})
    layout = Layout(LAYOUT.groups, fields)
    state = _search().init(_center())
    gradient_G = torch.linspace(-1, 1, LAYOUT.size)
    free = replace(CONFIG, weight_decay=0.0)
    plain, small = (update(state, gradient_G, free, each, 0).center_G for each in (LAYOUT, layout))
    moved, scaled_down = ((each - state.center_G)[None] for each in (plain, small))
    full, part = LAYOUT.split(moved), LAYOUT.split(scaled_down)
    modulators = LAYOUT.groups.modulators
    expected = full["w"].clone()
    expected[:, modulators] *= 0.25
    torch.testing.assert_close(part["w"], expected, rtol=0, atol=1e-6)
    inside = (LAYOUT.split(small[None])["alpha"] > 0) & (LAYOUT.split(plain[None])["alpha"] > 0)
    torch.testing.assert_close(
        part["alpha"][inside], 0.5 * full["alpha"][inside], rtol=0, atol=1e-6
    )
    assert bool((full["w"][:, modulators] != 0).any())


def test_an_update_leaves_the_old_state_alone() -> None:
    """Checkpoints may hold on to a state."""
    state = _search().init(_center())
    state = update(state, torch.ones(LAYOUT.size), CONFIG, LAYOUT)
    before = AdamState(*(field.clone() for field in state))
    update(state, torch.full((LAYOUT.size,), 100.0), CONFIG, LAYOUT)
    for name, old, new in zip(AdamState._fields, before, state, strict=True):
        assert torch.equal(old, new), name


def test_a_search_cut_in_two_equals_a_whole_one() -> None:
    """All that the search remembers is in its state."""
    gradients = [_gradient(_losses(k)[:6] - 0.5, generation=k) for k in range(6)]
    whole = _search().init(_center())
    for gradient_G in gradients:
        whole = update(whole, gradient_G, CONFIG, LAYOUT)
    first = _search().init(_center())
    for gradient_G in gradients[:3]:
        first = update(first, gradient_G, CONFIG, LAYOUT)
    second = AdamState(*(torch.from_numpy(field.numpy().copy()) for field in first))
    for gradient_G in gradients[3:]:
        second = update(second, gradient_G, CONFIG, LAYOUT)
    for name, one, other in zip(AdamState._fields, whole, second, strict=True):
        assert torch.equal(one, other), name


def test_a_wrong_state_is_refused() -> None:
    search = _search()
    tensors = search.tensors(search.init(_center()))
    with pytest.raises(UsageError, match=r"\['center_G', 'm_G', 't'\] came, search 'es' expects"):
        search.restore({name: value for name, value in tensors.items() if name != "v_G"})
    with pytest.raises(UsageError, match=r"m_G of the state has shape \(3,\), expected \(288,\)"):
        search.restore({**tensors, "m_G": torch.zeros(3)})


def test_one_thread_takes_the_step_and_the_others_are_there_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where others keep the cores busy, a second thread would be waited for."""
    from evotorch.algorithms.functional import funcadam

    seen = []
    step = funcadam.adam_tell

    def tell(*args: Any, **kwargs: Any) -> Any:
        seen.append(torch.get_num_threads())
        return step(*args, **kwargs)

    monkeypatch.setattr(funcadam, "adam_tell", tell)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        update(_search().init(_center()), _center(), CONFIG, LAYOUT)
        assert (seen, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)


def test_an_annealed_generation_is_one_of_the_values_it_has_come_to() -> None:
    annealed = replace(
        CONFIG,
        sigma=0.4,
        last_sigma=0.1,
        learning_rate=0.09,
        last_learning_rate=0.01,
        annealing_generations=2 * GENERATION,
    )
    then = replace(CONFIG, sigma=0.2, learning_rate=0.03)
    assert annealed.sigma_at(GENERATION) == pytest.approx(0.2, rel=1e-12)
    center_G, weights = _center(), _losses()[:6] - 0.5
    mutated, expected = (
        perturbed_pairs(center_G, LAYOUT, config, SEED, GENERATION, 0, 6)
        for config in (annealed, then)
    )
    torch.testing.assert_close(mutated, expected, rtol=1e-6, atol=1e-7)
    gradient_G = _gradient(weights, annealed)
    torch.testing.assert_close(gradient_G, _gradient(weights, then), rtol=1e-6, atol=1e-7)
    state = _search().init(center_G)
    after = update(state, gradient_G, annealed, LAYOUT, GENERATION)
    torch.testing.assert_close(after.center_G, update(state, gradient_G, then, LAYOUT).center_G)
    told = EvolutionStrategy(annealed, LAYOUT, seed=SEED)
    losses = _losses()
    late, early = (
        told.tell(state, told.ask(state, generation), losses).state.center_G - center_G
        for generation in (2 * GENERATION, 0)
    )
    moved = early.abs() > 1e-3  # the first step of Adam is the learning rate, whatever the gradient
    assert moved.any()
    assert (late.abs() <= 0.01 * 1.001).all()
    assert early[moved].abs().max() == pytest.approx(0.09, rel=1e-2)
