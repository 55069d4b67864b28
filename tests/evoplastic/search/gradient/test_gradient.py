"""The search that follows gradients of lifetimes: Adam, clipping, failures, bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.fields import scaled
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.asking import answered
from evoplastic.search.gradient.config import GradientConfig
from evoplastic.search.gradient.search import GradientSearch
from evoplastic.search.moments import AdamState
from evoplastic.search.protocol import Told

LAYOUT = Layout(NeuronGroups(num_neurons=12))
CENTER_G = Genome.random(LAYOUT, 0, GenomeConfig()).center_G
G = LAYOUT.size


def told(
    gradient_PG: np.ndarray,
    loss: Any = 0.5,
    before: AdamState | None = None,
    layout: Layout = LAYOUT,
    **options: Any,
) -> tuple[AdamState, Told[AdamState]]:
    search = GradientSearch(GradientConfig(popsize=4, **options), layout, seed=0)
    state = before or search.init(CENTER_G)
    proposal = answered(search.ask(state, 0), gradient_PG.astype(np.float32))
    return state, search.tell(state, proposal, np.broadcast_to(np.float64(loss), 4))


def random_gradients(size: float = 1.0) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(4, G)) * size


def test_the_first_step_of_adam_is_the_sign_of_the_mean_gradient() -> None:
    gradient_PG = random_gradients()
    before, after = told(gradient_PG, learning_rate=0.01, lifetime_clip_norm=1e3)
    moved_G = (after.state.center_G - before.center_G).numpy()
    free = LAYOUT.mask_G.numpy()
    expected_G = -0.01 * np.sign(gradient_PG.mean(0))
    inside = np.abs(moved_G) > 0.009  # the others came to a bound
    assert inside[free].mean() > 0.9
    np.testing.assert_allclose(moved_G[free & inside], expected_G[free & inside], rtol=1e-3)
    assert not moved_G[~free].any()


def test_steps_are_in_units_of_scales() -> None:
    small = Layout(LAYOUT.groups, scaled(LAYOUT.fields, {"w": 0.5}))
    full, half = (
        layout.split((after.state.center_G - before.center_G)[None])["w"]
        for layout in (LAYOUT, small)
        for before, after in [told(random_gradients(), layout=layout, learning_rate=0.01)]
    )
    torch.testing.assert_close(half, 0.5 * full, rtol=0, atol=5e-6)
    assert bool((full != 0).any())


def test_a_gradient_is_clipped_to_its_norm() -> None:
    small, large = (told(random_gradients(size), clip_norm=0.1)[1] for size in (1e3, 1e4))
    torch.testing.assert_close(small.state.m_G, large.state.m_G, rtol=1e-4, atol=1e-9)
    assert float(small.state.m_G.norm()) == pytest.approx(0.1 * 0.1, rel=1e-3)
    ratio = large.numbers["search/gradient_norm"] / small.numbers["search/gradient_norm"]
    assert ratio == pytest.approx(10)  # as it was


def test_a_lifetime_of_a_huge_gradient_does_not_speak_for_all() -> None:
    gradient_PG = random_gradients(0.01)
    _, calm = told(gradient_PG)
    gradient_PG[1] *= 1e6
    _, wild = told(gradient_PG)
    assert [each.numbers["search/clipped_lifetimes"] for each in (calm, wild)] == [0, 0.25]
    norm = np.linalg.norm(gradient_PG[1, LAYOUT.mask_G.numpy()])
    gradient_PG[1] *= 0.5 / norm
    _, scaled = told(gradient_PG)
    torch.testing.assert_close(wild.state.m_G, scaled.state.m_G, rtol=1e-4, atol=1e-9)
    assert wild.numbers["search/gradient_norm"] > 1e3  # as it was


def test_lifetimes_that_are_not_finite_are_left_out_and_counted() -> None:
    gradient_PG = random_gradients()
    gradient_PG[3] = gradient_PG[:2].mean(0)
    gradient_PG[2] = gradient_PG[3]
    _, sound = told(gradient_PG, lifetime_clip_norm=1e3)
    gradient_PG[2, 5] = np.nan
    _, broken = told(gradient_PG, loss=[0.5, 0.5, 0.5, np.inf], lifetime_clip_norm=1e3)
    assert (sound.num_failed, broken.num_failed) == (0, 2)
    torch.testing.assert_close(broken.state.center_G, sound.state.center_G)
    before, none = told(gradient_PG * np.nan)
    assert (none.num_failed, none.pulled) == (4, False)
    assert none.state is before


def test_no_gradient_leaves_the_state_as_it_is() -> None:
    before, after = told(np.zeros((4, G)))
    assert not after.pulled
    assert after.state is before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "reinforced"}, "did you mean 'reinforce'"),
        ({"clip_norm": 0.0}, "clip_norm is 0.0, expected more than 0"),
        ({"lifetime_clip_norm": 0.0}, "lifetime_clip_norm is 0.0, expected more than 0"),
        ({"trials": 0}, "trials is 0, expected at least 1, or none"),
        ({"beta1": 1.0}, "beta1 is 1.0"),
        ({"discount": 1.5}, "discount is 1.5"),
        ({"together": 0}, "together is 0"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        GradientConfig(**options)


def test_gradients_that_do_not_fit_are_refused_with_their_size() -> None:
    with pytest.raises(UsageError, match=r"take .* GB, 3 copies .* lower search\.popsize"):
        GradientSearch(GradientConfig(popsize=1 << 30), LAYOUT, seed=0)
