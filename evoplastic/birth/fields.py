"""The fields that a genome must have for birth: innate weights, statistics of others, alpha."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from evoplastic.birth.config import BirthConfig, Group
from evoplastic.birth.params import BirthParams
from evoplastic.genome.catalogue import ALPHA, W
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.evolved import BIRTH, evolved_field
from evoplastic.genome.fields import Field
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.decoding import expand
from evoplastic.rules.fields import connection_shape


def birth_fields(birth: BirthConfig) -> tuple[Field, ...]:
    """Innate weights, if any, alpha, and what evolves of the statistics; by default w and alpha."""
    weights: tuple[Field, ...] = (W,)
    if birth.weights == "random":
        weights = (innate_rows(birth.innate),) if birth.innate else ()
    alpha = (ALPHA,) if birth.alpha is None else ()
    statistics = (
        evolved_field(
            BIRTH,
            name,
            chosen,
            shape=connection_shape(chosen),
            title=f"{name} at birth, {chosen.form}",
        )
        for name, chosen in birth.evolved.items()
    )
    return (*weights, *alpha, *statistics)


def innate_rows(innate: tuple[Group, ...]) -> Field:
    """The field w of a genome that holds the rows of some groups alone; the others are 0."""
    return replace(W, init=partial(_begin_rows, innate), mutable=partial(_mutable_rows, innate))


def rows(innate: tuple[Group, ...], groups: NeuronGroups) -> Tensor:
    """True [N, 1] for the neurons of these groups."""
    mask_N1 = torch.zeros((groups.num_neurons, 1), dtype=torch.bool)
    for group in innate:
        mask_N1[groups.rows_of(group)] = True
    return mask_N1


def _begin_rows(
    innate: tuple[Group, ...], groups: NeuronGroups, seed: int, config: GenomeConfig
) -> Tensor:
    return torch.where(rows(innate, groups), W.init(groups, seed, config), 0.0)


def _mutable_rows(innate: tuple[Group, ...], groups: NeuronGroups) -> Tensor:
    return W.mask(groups) & rows(innate, groups)


def decode_birth(
    birth: BirthConfig, groups: NeuronGroups, values: Mapping[str, Tensor], like: Tensor
) -> tuple[Tensor, Tensor, BirthParams]:
    """w and alpha [P, N, N] of P genomes, and the statistics that the rest of w is drawn from.

    Args:
        birth: which of them the genomes hold.
        groups: of the network.
        values: of all fields of the genomes, by name, [P, ...].
        like: flat genomes [P, G], for number, type and device.
    """
    shape = (len(like), groups.num_neurons, groups.num_neurons)
    nothing_PNN = like.new_zeros(()).expand(shape)
    w_PNN = values.get("w", nothing_PNN)
    found = {name: _within(chosen, values[BIRTH + name]) for name, chosen in birth.evolved.items()}
    if birth.alpha is None:
        alpha_PNN = values["alpha"]
    elif isinstance(birth.alpha, Evolvable):
        alpha_PNN = dense(birth.alpha, groups, found["alpha"]).expand(shape)
    else:
        alpha_PNN = like.new_full((), birth.alpha).expand(shape)
    return w_PNN, alpha_PNN, BirthParams(found if birth.weights == "random" else {})


def _within(chosen: Evolvable, value: Tensor) -> Tensor:
    """Values within their bounds, which a mutation may have left."""
    if chosen.lower is None and chosen.upper is None:
        return value
    return value.clamp(chosen.lower, chosen.upper)


def dense(chosen: Evolvable, groups: NeuronGroups, value: Tensor) -> Tensor:
    """What the numbers of one statistic are at each connection, broadcast to [P, N, N]."""
    of_target, of_source, of_pair = expand(chosen, groups, value)
    if of_pair is not None:
        return of_pair
    result = value.new_ones((1, 1, 1))
    if of_target is not None:
        result = result * of_target[:, :, None]
    if of_source is not None:
        result = result * of_source[:, None, :]
    return result
