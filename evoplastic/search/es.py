"""The default search: antithetic evolution strategy in PGPE's form, streamed over shards of pairs.

    gradient = 1 / (popsize sigma^2) * sum over pairs i of m_i (L_i+ - L_i-) + weight_decay * center
    center'  = Adam(center, gradient), then projected into the bounds of the fields

with mutations m_i ~ N(0, sigma^2), all in units of the fields' scales: a number's mutations and its
steps are its scale times those of others. Sigma and Adam's learning rate may be annealed over
generations. EvoTorch's functional Adam takes the step; its whole state is a tuple of tensors.
Sources: Sehnke et al. 2010 (PGPE); Miconi 2023, section 2.5.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from evoplastic.checks import require
from evoplastic.genome.layout import Layout
from evoplastic.records.names import GRADIENT_NORM
from evoplastic.search.config import ESConfig
from evoplastic.search.moments import AdamState, first_state, restored
from evoplastic.search.mutation import ON_CPU, accumulate_mutations
from evoplastic.search.proposals import AntitheticProposal
from evoplastic.search.protocol import Float64Array, Proposal, Told
from evoplastic.search.shaping import shape_losses
from evoplastic.search.threads import one_thread


class EvolutionStrategy:
    """The streaming antithetic evolution strategy; final."""

    def __init__(
        self,
        options: ESConfig,
        layout: Layout,
        *,
        seed: int,
        engine: str = ON_CPU,
        named: str = "es",
    ) -> None:
        """Take settings, layout of genomes, run seed, who sums mutations, and what it is called."""
        self._config, self._layout, self._named = options, layout, named
        self._seed, self._engine = seed, engine

    @property
    def popsize(self) -> int:
        """P, individuals of a generation."""
        return self._config.popsize

    def init(self, center_G: Tensor) -> AdamState:
        """A search that has taken no step."""
        return first_state(center_G)

    def ask(self, state: AdamState, generation: int) -> AntitheticProposal:
        """Pairs around the center; pair 0 may be the bare center."""
        return AntitheticProposal(self._config, self._seed, generation, 0, self.popsize)

    def tell(self, state: AdamState, proposal: Proposal, loss_P: Float64Array) -> Told[AdamState]:
        """Take one Adam step; a generation that says nothing leaves the state as it is."""
        shaped = shape_losses(loss_P, self._config)
        gradient_G = gradient(
            shaped.weight_pairs,
            self._layout,
            self._config,
            self._seed,
            proposal.generation,
            engine=self._engine,
        )
        if shaped.pulls:
            state = update(state, gradient_G, self._config, self._layout, proposal.generation)
        norm = float(torch.linalg.vector_norm(gradient_G))
        return Told(state, shaped.pulls, shaped.num_failed, {GRADIENT_NORM: norm})

    def center(self, state: AdamState) -> Tensor:
        """The center of the mutations."""
        return state.center_G

    def tensors(self, state: AdamState) -> dict[str, Tensor]:
        """Center and Adam's moments, under the names that checkpoints have always had."""
        return state._asdict()

    def restore(self, tensors: Mapping[str, Tensor]) -> AdamState:
        """The state of a checkpoint's tensors.

        Raises:
            UsageError: other names or shapes than those of this search.
        """
        return restored(tensors, self._layout, self._named)

    def warm_up(self, state: AdamState) -> None:
        """Load the optimizer, which takes seconds."""
        update(state, torch.zeros_like(state.center_G), self._config, self._layout)


def gradient(
    weight_pairs: Float64Array,
    layout: Layout,
    config: ESConfig,
    seed: int,
    generation: int,
    *,
    engine: str = ON_CPU,
) -> Tensor:
    """The gradient of the loss [G], float32, without weight decay, summed in float64.

    Mutations are drawn anew from their counters by the engine that simulated them, so that a
    population times a genome never exists a second time.

    Args:
        weight_pairs: the pull of every pair of the generation.
        layout: of the genomes.
        config: settings of the search.
        seed: run seed.
        generation: of the mutations.
        engine: who draws and sums them.

    Raises:
        UsageError: the number of pulls is not that of the pairs.
    """
    require(
        len(weight_pairs) == config.num_pairs,
        f"gradient of {len(weight_pairs)} pairs, expected {config.num_pairs}",
    )
    sum_G = np.zeros(layout.size, dtype=np.float64)
    accumulate_mutations(sum_G, layout, config, seed, generation, 0, weight_pairs, engine=engine)
    scale = 1.0 / (config.popsize * config.sigma_at(generation) ** 2)
    return torch.from_numpy((sum_G * scale).astype(np.float32))


def update(
    state: AdamState, gradient_G: Tensor, config: ESConfig, layout: Layout, generation: int = 0
) -> AdamState:
    """Take one Adam step down the gradient plus weight decay, then project into the bounds."""
    from evotorch.algorithms.functional.funcadam import AdamState as EvoTorchState
    from evotorch.algorithms.functional.funcadam import adam_tell

    def constant(value: float) -> Tensor:
        return torch.tensor(value, dtype=torch.float32)

    before = EvoTorchState(
        center=state.center_G,
        center_learning_rate=constant(config.learning_rate_at(generation)),
        beta1=constant(config.beta1),
        beta2=constant(config.beta2),
        epsilon=constant(config.epsilon),
        m=state.m_G,
        v=state.v_G,
        t=state.t,
    )
    pulled_G = config.weight_decay * state.center_G * layout.unit_G
    descent_G = -(gradient_G + pulled_G)
    with one_thread():
        after = adam_tell(before, follow_grad=descent_G)
    center_G = layout.project(layout.stepped(state.center_G, after.center))
    return AdamState(center_G, after.m, after.v, after.t)
