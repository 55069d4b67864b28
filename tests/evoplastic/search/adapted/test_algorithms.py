"""What EvoTorch does in one piece, our cutting and rebuilding does too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.checks import UsageError
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.adapted.adapter import AdaptedSearch
from evoplastic.search.adapted.algorithm import Algorithm
from evoplastic.search.adapted.cmaes import CMAES, CMAESConfig
from evoplastic.search.adapted.coordinates import Bounds, Coordinates
from evoplastic.search.adapted.cosyne import Cosyne, CosyneConfig
from evoplastic.search.adapted.genetic import GA, GAConfig, SteadyStateGA, SteadyStateGAConfig
from evoplastic.search.adapted.nes import SNES, XNES, SNESConfig, XNESConfig
from evoplastic.search.adapted.pgpe import PGPE, PGPEConfig

SIZE, GENERATIONS = 7, 8
BOUNDLESS = Bounds(torch.full((SIZE,), -torch.inf), torch.full((SIZE,), torch.inf))
BOUNDED = Bounds(torch.full((SIZE,), -0.4), torch.full((SIZE,), 0.9))
TARGET_F = torch.linspace(-1.0, 1.0, SIZE)
CASES: dict[str, tuple[Algorithm, Bounds]] = {
    "snes": (SNES(SNESConfig(popsize=12, sigma=0.3), SIZE), BOUNDLESS),
    "xnes": (XNES(XNESConfig(popsize=12, sigma=0.3), SIZE), BOUNDLESS),
    "cmaes": (CMAES(CMAESConfig(popsize=12, sigma=0.3), SIZE), BOUNDLESS),
    "cmaes full": (CMAES(CMAESConfig(popsize=12, sigma=0.3, covariance="full"), SIZE), BOUNDLESS),
    "ga": (GA(GAConfig(popsize=12, sigma=0.3), SIZE), BOUNDED),
    "ga two points": (GA(GAConfig(popsize=12, cross_over="two_points"), SIZE), BOUNDED),
    "ga mutants": (GA(GAConfig(popsize=12, sigma=0.3, cross_over="none"), SIZE), BOUNDED),
    "steady state": (SteadyStateGA(SteadyStateGAConfig(popsize=12, sigma=0.3), SIZE), BOUNDED),
    "cosyne": (Cosyne(CosyneConfig(popsize=12, sigma=0.3), SIZE), BOUNDED),
}


def loss(x_PF: torch.Tensor) -> np.ndarray:
    """Squared distance, of distinct values almost surely."""
    distance: np.ndarray = (x_PF - TARGET_F).double().square().sum(1).numpy()
    return distance


def fitness(x_PF: torch.Tensor) -> torch.Tensor:
    from evoplastic.search.adapted.stepping import ranks

    return ranks(loss(x_PF.as_subclass(torch.Tensor)))


def standing(algorithm: Any, tensors: dict[str, torch.Tensor], bounds: Bounds) -> Any:
    if isinstance(algorithm, SNES | XNES):
        return algorithm._standing(tensors, None)
    return algorithm._standing(tensors, bounds, None)


@pytest.mark.parametrize("name", CASES)
def test_rebuilt_in_each_generation_an_algorithm_is_what_it_is_in_one_piece(name: str) -> None:
    """Nothing that EvoTorch's object remembers is missing from the tensors."""
    algorithm, bounds = CASES[name]
    first = algorithm.first(3, bounds)
    whole = standing(algorithm, first, bounds)
    whole._ranking_method = "nes"  # of SNES and XNES, which we hand utilities of our own
    whole.problem._objective_func = fitness
    tensors = first
    for generation in range(GENERATIONS):
        torch.manual_seed(generation)
        x_PF = algorithm.sample(tensors, bounds)
        torch.manual_seed(generation)
        tensors = algorithm.told(tensors, bounds, loss(x_PF))
        torch.manual_seed(generation)
        standing(algorithm, first, bounds)  # draws what making the object draws
        whole.step()
    if isinstance(algorithm, SNES | XNES):  # follows the last gradient a step late
        whole.step()
        stored = "stdev_F" if isinstance(algorithm, SNES) else "root_FF"
        for ours, theirs in (("center_F", "mu"), (stored, "sigma")):
            expected = whole._distribution.parameters[theirs]
            torch.testing.assert_close(tensors[ours], expected, rtol=1e-4, atol=1e-5)
    elif isinstance(algorithm, CMAES):
        assert torch.equal(tensors["center_F"], whole.m)
        assert torch.equal(tensors["step_size"], whole.sigma)
        assert torch.equal(tensors["step_path_F"], whole.p_sigma)
    else:
        assert torch.equal(tensors["kept_KF"], whole.population.values)
    center_F = tensors[algorithm.center_name]
    assert loss(center_F[None]) < loss(torch.zeros(1, SIZE))


def test_a_natural_gradient_is_that_of_the_paper() -> None:
    """center' = center + sum of u (x - center), stdev' = stdev exp(eta / 2 sum of u (z^2 - 1))."""
    options = SNESConfig(popsize=9, sigma=0.3, stdev_learning_rate=0.7)
    algorithm = SNES(options, SIZE)
    tensors = algorithm.first(0, BOUNDLESS)
    torch.manual_seed(1)
    x_PF = algorithm.sample(tensors, BOUNDLESS)
    torch.manual_seed(1)
    told = algorithm.told(tensors, BOUNDLESS, loss(x_PF))
    rank_P = np.argsort(np.argsort(loss(x_PF)))  # 0 is the best
    raw_P = np.maximum(0.0, np.log(9 / 2 + 1) - np.log(rank_P + 1.0))
    utility_P = raw_P / raw_P.sum() - 1 / 9
    z_PF = x_PF.double().numpy() / 0.3
    eta = 0.7 * 0.2 * (3 + np.log(SIZE)) / np.sqrt(SIZE)
    np.testing.assert_allclose(told["center_F"], 0.3 * utility_P @ z_PF, rtol=1e-4, atol=1e-6)
    stdev_F = 0.3 * np.exp(eta / 2 * (utility_P @ (z_PF**2 - 1)))
    np.testing.assert_allclose(told["stdev_F"], stdev_F, rtol=1e-5)


def test_equal_losses_have_equal_utilities() -> None:
    from evoplastic.search.adapted.stepping import ranks, utilities

    loss_P = np.array([3.0, 1.0, 3.0, 2.0, 3.0])
    utility_P = utilities(loss_P, "centered").numpy()
    np.testing.assert_allclose(utility_P, [-0.25, 0.5, -0.25, 0.25, -0.25])
    np.testing.assert_array_equal(ranks(loss_P).numpy(), [2, 4, 1, 3, 0])


@pytest.mark.parametrize("optimizer", ["adam", "clipup", "sgd"])
@pytest.mark.parametrize("shaping", ["raw", "centered"])
def test_pgpe_goes_down_with_each_optimizer(optimizer: Any, shaping: Any) -> None:
    algorithm = PGPE(PGPEConfig(popsize=20, sigma=0.1, optimizer=optimizer, shaping=shaping), SIZE)
    tensors = algorithm.first(0, BOUNDLESS)
    for generation in range(30):
        torch.manual_seed(generation)
        x_PF = algorithm.sample(tensors, BOUNDLESS)
        torch.testing.assert_close(x_PF[0::2] + x_PF[1::2], 2 * tensors["center_F"].expand(10, -1))
        torch.manual_seed(generation)
        tensors = algorithm.told(tensors, BOUNDLESS, loss(x_PF))
    assert loss(tensors["center_F"][None]) < 0.7 * loss(torch.zeros(1, SIZE))


def test_pairs_that_do_not_differ_say_nothing_to_pgpe() -> None:
    """The gradient is 0 then, which ClipUp would divide by."""
    algorithm = PGPE(PGPEConfig(popsize=4), SIZE)
    assert not algorithm.informs(np.array([1.0, 1.0, 2.0, 2.0]))
    assert algorithm.informs(np.array([1.0, 2.0, 2.0, 2.0]))


def test_the_step_size_of_cmaes_stays_small_along_a_bound() -> None:
    """Where all that is better lies beyond the bounds, and what lies there is as good."""
    algorithm = CMAES(CMAESConfig(popsize=20, sigma=0.3), SIZE)
    bounds = Bounds(torch.zeros(SIZE), torch.full((SIZE,), torch.inf))
    tensors = algorithm.first(0, bounds)
    for generation in range(60):
        torch.manual_seed(generation)
        x_PF = algorithm.sample(tensors, bounds)
        assert bool((x_PF >= 0).all())
        torch.manual_seed(generation)
        tensors = algorithm.told(tensors, bounds, (x_PF + 1).double().square().sum(1).numpy())
    assert algorithm.stdev(tensors) < 0.3


def test_a_step_to_what_is_not_finite_is_refused() -> None:
    layout = Layout(NeuronGroups(num_neurons=12))
    coordinates = Coordinates(layout)

    class Breaks(SNES):
        def told(self, tensors: Any, bounds: Bounds, loss_P: np.ndarray) -> Any:
            return {**tensors, "stdev_F": tensors["stdev_F"] * torch.inf}

    search = AdaptedSearch(
        Breaks(SNESConfig(popsize=2, lifetimes=1), coordinates.size), coordinates, layout, 0
    )
    state = search.init(torch.zeros(layout.size))
    with pytest.raises(
        UsageError, match=r"'snes' broke down in generation 5: stdev_F is no longer"
    ):
        search.tell(state, search.ask(state, 5), np.array([1.0, 2.0]))
