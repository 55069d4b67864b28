"""Drawing the weights of newborns: a function of seed, generation and the lifetime's stream alone.

Individuals of one stream, as antithetic partners are, share z and u:

    z, u = row 0 and row 1 of the words at (seed, BIRTH | epoch, stream)
    w[i, j] = [u[i, j] < density[i, j]] (mean[i, j] + gain[i, j] z[i, j]) / sqrt(N)

Engines see w and alpha as they come out of it, matrices like those of any genome.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from evoplastic.birth.anatomy import wired
from evoplastic.birth.config import BirthConfig
from evoplastic.birth.fields import dense, rows
from evoplastic.birth.params import BirthParams
from evoplastic.lifetime.batch import PlasticParams
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import (
    Purpose,
    normal_from_words,
    philox,
    purpose_word,
    seed_key,
)
from evoplastic.rules.coefficients import Evolvable
from evoplastic.types import Int64Array

AT_A_TIME = 256  # individuals whose draws are in memory
OF_SIZES, OF_CHANCES = range(2)  # rows of words


def born(
    params: PlasticParams,
    birth: BirthConfig,
    groups: NeuronGroups,
    stream_P: Int64Array,
    *,
    seed: int,
    epoch: int,
    evaluation: bool,
) -> PlasticParams:
    """The same individuals with the weights of one lifetime each.

    Args:
        params: genomes decoded, random weights not drawn yet.
        birth: how weights come about.
        groups: which neuron does what.
        stream_P: of the lifetimes.
        seed: run seed.
        epoch: generation.
        evaluation: evaluation lifetimes draw from streams of their own.
    """
    if birth.has_anatomy:
        params = _with_weights(params, birth, groups, stream_P, seed, epoch, evaluation)
        w_PNN, alpha_PNN = wired(params.w_PNN, params.alpha_PNN, birth, groups)
        return params._replace(w_PNN=w_PNN, alpha_PNN=alpha_PNN)
    return _with_weights(params, birth, groups, stream_P, seed, epoch, evaluation)


def _with_weights(
    params: PlasticParams,
    birth: BirthConfig,
    groups: NeuronGroups,
    stream_P: Int64Array,
    seed: int,
    epoch: int,
    evaluation: bool,
) -> PlasticParams:
    """The weights of the genome, or drawn for each lifetime."""
    if birth.weights == "innate":
        return params
    birth = birth.resolved
    purpose = Purpose.EVALUATION_BIRTH if evaluation else Purpose.BIRTH
    address = seed_key(seed), purpose_word(purpose, epoch)
    innate_N1 = rows(birth.innate, groups).to(params.w_PNN.device)
    sparse = birth.density != 1.0
    w_PNN = torch.empty(params.w_PNN.shape, dtype=torch.float32, device=params.w_PNN.device)
    alpha_PNN = torch.empty_like(w_PNN) if sparse else params.alpha_PNN
    for first in range(0, len(stream_P), AT_A_TIME):
        part = slice(first, first + AT_A_TIME)
        values = params.birth.each(lambda tensor, part=part: tensor[part])  # type: ignore[misc]
        drawn_PNN, there_PNN = _draw(birth, groups, values, stream_P[part], address, w_PNN.device)
        w_PNN[part] = torch.where(innate_N1, params.w_PNN[part], drawn_PNN)
        if there_PNN is not None:
            alpha_PNN[part] = params.alpha_PNN[part] * (there_PNN | innate_N1)
    return params._replace(w_PNN=w_PNN, alpha_PNN=alpha_PNN, birth=BirthParams())


def _draw(
    birth: BirthConfig,
    groups: NeuronGroups,
    params: BirthParams,
    stream_P: Int64Array,
    address: tuple[tuple[int, int], int],
    device: torch.device,
) -> tuple[Tensor, Tensor | None]:
    """Random weights [P, N, N], and which connections are there; none = all."""
    size = groups.num_neurons
    stream_S, place_P = np.unique(stream_P, return_inverse=True)

    def of_each(words_SG: Int64Array | np.ndarray) -> Tensor:
        each = torch.from_numpy(words_SG.reshape(-1, size, size)).to(device)
        return each[torch.from_numpy(place_P.reshape(-1)).to(device)]

    def statistic(name: str) -> float | Tensor:
        setting = getattr(birth, name)
        if isinstance(setting, Evolvable):
            return dense(setting, groups, params.values[name])
        return float(setting)

    gain = statistic("gain")
    if isinstance(gain, float) and gain == 0:  # there is nothing to draw
        size_PNN = torch.zeros((len(stream_P), size, size), device=device)
    else:
        z_PNN = of_each(normal_from_words(_words(stream_S, OF_SIZES, size**2, address)))
        size_PNN = gain * z_PNN
    w_PNN = (statistic("mean") + size_PNN) / float(np.float32(np.sqrt(size)))
    w_PNN[:, : groups.num_unconnected] = 0.0
    density = statistic("density")
    if isinstance(density, float) and density == 1.0:
        return w_PNN, None
    chance_PNN = of_each(_words(stream_S, OF_CHANCES, size**2, address)).double() * 2.0**-32
    there_PNN = chance_PNN < density
    return torch.where(there_PNN, w_PNN, 0.0), there_PNN


def _words(
    stream_S: Int64Array, row: int, count: int, address: tuple[tuple[int, int], int]
) -> Int64Array:
    """A row of words [S, count] of each stream, laid out as `random.counters.words` has it."""
    key, purpose = address
    position = np.arange(-(-count // 4), dtype=np.int64)
    words = philox((position[None, :], row, stream_S[:, None].astype(np.int64), purpose), key)
    shape = (len(stream_S), len(position))
    return np.concatenate([np.broadcast_to(word, shape) for word in words], axis=1)[:, :count]
