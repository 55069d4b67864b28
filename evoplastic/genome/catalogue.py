"""The table of fields that genomes are made of; a new field is one entry here."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.fields import Field
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import Purpose, normal

STREAM_OF_W = 0  # of the draws for the first genome; a field that draws has a stream of its own


def _random_w(groups: NeuronGroups, seed: int, config: GenomeConfig) -> Tensor:
    """w ~ N(0, init_gain^2 / N), and 0 in rows of unconnected and of modulatory neurons.

    With a reflex, w[modulatory k, feedback f] = (-1)^(k + f) reflex.
    """
    neurons = groups.num_neurons
    draws = normal(seed, Purpose.GENOME, 0, STREAM_OF_W, neurons * neurons)
    gain = np.float32(config.init_gain / np.sqrt(neurons))
    w_NN = torch.from_numpy(draws * gain).view(neurons, neurons)
    w_NN[: groups.num_unconnected] = 0.0
    w_NN[groups.modulators] = 0.0
    if config.reflex:
        w_NN[groups.modulators, groups.feedback] = config.reflex * _opposed(groups)
    return w_NN


def _opposed(groups: NeuronGroups) -> Tensor:
    """(-1)^(k + f) of modulatory neuron k and feedback neuron f, [K, F]."""
    feedback = groups.feedback.stop - groups.feedback.start
    place = torch.arange(groups.num_modulators)[:, None] + torch.arange(feedback)
    return 1.0 - 2.0 * (place % 2)


def _onto_connected(groups: NeuronGroups) -> Tensor:
    """Rows of all but the neurons that receive no innate weights."""
    mask_NN = torch.ones((groups.num_neurons, groups.num_neurons), dtype=torch.bool)
    mask_NN[: groups.num_unconnected] = False
    return mask_NN


def _constant_alpha(groups: NeuronGroups, seed: int, config: GenomeConfig) -> Tensor:
    return torch.full((groups.num_neurons, groups.num_neurons), config.init_alpha)


W = Field(
    name="w",
    title="innate weight from neuron j to neuron i at [i, j]",
    shape="NN",
    init=_random_w,
    mutable=_onto_connected,
)
ALPHA = Field(
    name="alpha",
    title="plasticity coefficient of the same connection",
    shape="NN",
    init=_constant_alpha,
    lower=0.0,
)

FIELDS: dict[str, Field] = {field.name: field for field in (W, ALPHA)}
PUBLISHED = (W, ALPHA)  # Miconi (2023), ICML
