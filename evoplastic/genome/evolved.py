"""Fields of a genome for numbers that evolution sets: how they begin, and how files name them.

A field is called by the section that its number is set in and the number's name: `rule.eta`,
`dynamics.tau_ms`. What its numbers mean (which cluster, how many cell types) is said by the
recipe's `Evolvable`; a genome file tells form and count in its shape.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.fields import Field, shape_of
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import Purpose, normal
from evoplastic.rules.coefficients import Evolvable

RULE, DYNAMICS, MODULATION, BIRTH = "rule.", "dynamics.", "modulation.", "birth."
PREFIXES = (RULE, DYNAMICS, MODULATION, BIRTH)  # of the names of such fields


def evolved_field(prefix: str, name: str, chosen: Evolvable, *, shape: str, title: str) -> Field:
    """The field of one number.

    Args:
        prefix: one of PREFIXES.
        name: of the number.
        chosen: where it begins, its bounds, the scale of its mutations.
        shape: a shape of fields.
        title: what it is, in words.
    """
    drawn = name if prefix == RULE else prefix + name
    return Field(
        name=prefix + name,
        title=title,
        shape=shape,
        init=partial(_begin, drawn, shape, chosen),
        lower=chosen.lower,
        upper=chosen.upper,
        scale=chosen.scale,
        transform=chosen.transform,
    )


def _begin(
    drawn: str,
    shape: str,
    chosen: Evolvable,
    groups: NeuronGroups,
    seed: int,
    config: GenomeConfig,
) -> Tensor:
    """First values: init + spread z, or init exp(spread z) where positive; z standard normal.

    Groups of neurons that begin elsewhere have an init of their own.
    """
    sizes = shape_of(shape).sizes(groups)
    count = math.prod(sizes)
    z = torch.from_numpy(normal(seed, Purpose.GENOME, 0, _stream(drawn), count)).view(sizes)
    middle = torch.full(sizes, chosen.init)
    for group, first in chosen.init_of.items():
        middle[groups.rows_of(group)] = first
    if chosen.form == "rank_one":
        middle[1] = 1.0
    if chosen.transform == "positive":
        return middle * torch.exp(chosen.spread * z)
    return middle + chosen.spread * z


def _stream(name: str) -> int:
    """Of the draws for the first values of a number; the upper half of all streams."""
    return zlib.crc32(name.encode()) | 1 << 31


def read_field(written: Mapping[str, Any]) -> Field:
    """A field from what a genome file says of it; it begins nowhere, it has numbers.

    Raises:
        UsageError: the file says something that no field can be.
    """
    return Field(
        name=written["name"],
        title="number that evolution sets",
        shape=written["shape"],
        init=partial(_begin_nowhere, written["name"]),
        lower=written["lower"],
        upper=written["upper"],
        scale=written["scale"],
        transform=written["transform"],
    )


def _begin_nowhere(name: str, groups: NeuronGroups, seed: int, config: GenomeConfig) -> Tensor:
    raise UsageError(
        f"field {name!r} came from a file, which does not say how it begins; start from the recipe"
    )


def described(fields: Sequence[Field]) -> list[str]:
    """Each field in words, for messages: of numbers, shape and transform too."""
    return [
        f"{field.name} ({field.shape}, {field.transform})"
        if field.name.startswith(PREFIXES)
        else field.name
        for field in fields
    ]
