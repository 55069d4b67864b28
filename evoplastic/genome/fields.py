"""What a field of a genome is: a named tensor, with all that a search must know of it.

A genome is a list of fields laid end to end. A search sees the *stored* numbers; networks see
their *values*, value = transform(stored), so that a positive quantity can be searched without
bounds. Bounds are in units of the value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from evoplastic.checks import require, require_known
from evoplastic.genome.config import GenomeConfig
from evoplastic.network.neurons import GROUPS, NeuronGroups

Init = Callable[[NeuronGroups, int, GenomeConfig], Tensor]  # groups, run seed, settings -> values
Mutable = Callable[[NeuronGroups], Tensor]  # bool tensor of the field's shape


class Shape(NamedTuple):
    """How many numbers a field has, and in what arrangement."""

    title: str
    sizes: Callable[[NeuronGroups], tuple[int, ...]]


SHAPES: dict[str, Shape] = {
    "scalar": Shape("one number", lambda groups: ()),
    "N": Shape("one number per neuron", lambda groups: (groups.num_neurons,)),
    "NN": Shape(
        "one number per connection, row = receiving neuron", lambda groups: _square(groups)
    ),
    "N_modulators": Shape(
        "one number per neuron and modulatory neuron",
        lambda groups: (groups.num_neurons, groups.num_modulators),
    ),
    "rank_one": Shape(
        "two vectors, one number per target, then one per source",
        lambda groups: (2, groups.num_neurons),
    ),
}
BY_ROW = ("N", "NN", "N_modulators")  # shapes whose first axis are the receiving neurons
MOST_COUNTED = 4096  # of anything that a shape counts


def _square(groups: NeuronGroups) -> tuple[int, ...]:
    return groups.num_neurons, groups.num_neurons


def shape_of(name: str) -> Shape:
    """The shape of this name; `types:K` and `clusters:K` say how many there are.

    Raises:
        UsageError: no such shape, or a count that is none.

    >>> shape_of("types:3").sizes(NeuronGroups())
    (3, 3)
    """
    family, colon, count = name.partition(":")
    if not colon or family not in ("types", "clusters"):
        require_known("shape of a field", name, [*SHAPES, "types:K", "clusters:K"])
        return SHAPES[name]
    require(
        count.isascii() and count.isdigit() and 1 <= int(count[:9]) <= MOST_COUNTED,
        f"shape {name!r:.40} counts {count!r:.20}, expected 1 to {MOST_COUNTED}",
    )
    number = int(count)
    if family == "types":
        return Shape("one number per pair of cell types", lambda groups: (number, number))
    return Shape("one number per cluster, or per type of neuron", lambda groups: (number,))


class Transform(NamedTuple):
    """From the numbers that are searched to those that networks use, and back."""

    decode: Callable[[Tensor], Tensor]
    encode: Callable[[Tensor], Tensor]


TRANSFORMS: dict[str, Transform] = {
    "none": Transform(lambda stored: stored, lambda value: value),
    "positive": Transform(torch.exp, torch.log),
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One named part of a genome.

    Raises:
        UsageError: an unknown shape or transform, bounds out of order, a scale that is not
            positive, a positive field with a lower bound that is not.
    """

    name: str
    title: str
    shape: str  # see `shape_of`
    init: Init
    lower: float | None = None
    upper: float | None = None
    scale: float = 1.0  # times the search's own mutation size
    row_scales: tuple[tuple[str, float], ...] = ()  # that of what lies onto neurons of a group
    transform: str = "none"  # an entry of TRANSFORMS
    mutable: Mutable | None = None  # where evolution may change the field; None = everywhere

    def __post_init__(self) -> None:
        shape_of(self.shape)
        require_known(f"transform of field {self.name!r}", self.transform, TRANSFORMS)
        require(
            math.isfinite(self.scale) and self.scale > 0,
            f"scale of field {self.name!r} is {self.scale}, expected more than 0; to keep a part "
            "of a field as it is, give the field a mutable mask",
        )
        for group, scale in self.row_scales:
            require_known(f"group of neurons in the scales of {self.name!r}", group, GROUPS)
            require(
                self.shape in BY_ROW,
                f"field {self.name!r} of shape {self.shape!r} has no numbers for each neuron, so "
                f"none onto {group!r} neurons; give it one scale",
            )
            require(
                math.isfinite(scale) and scale > 0,
                f"scale of {self.name!r} onto {group!r} is {scale}, expected more than 0",
            )
        lower, upper = self.lower, self.upper
        require(
            lower is None or upper is None or lower < upper,
            f"bounds of field {self.name!r} are {lower} and {upper}, expected lower < upper",
        )
        if self.transform == "positive":
            require(
                (lower is None or lower > 0) and (upper is None or upper > 0),
                f"bounds of field {self.name!r} are {lower} and {upper}, but it is positive; give "
                "bounds above 0, or none",
            )

    def sizes(self, groups: NeuronGroups) -> tuple[int, ...]:
        """Shape of the tensor of one network."""
        return shape_of(self.shape).sizes(groups)

    def mask(self, groups: NeuronGroups) -> Tensor:
        """True where evolution may change the field."""
        if self.mutable is None:
            return torch.ones(self.sizes(groups), dtype=torch.bool)
        return self.mutable(groups)

    def scales(self, groups: NeuronGroups) -> Tensor:
        """The scale of each number's mutations, float32."""
        scales = torch.full(self.sizes(groups), self.scale, dtype=torch.float32)
        for group, scale in self.row_scales:
            scales[groups.rows_of(group)] = scale
        return scales

    def decode(self, stored: Tensor) -> Tensor:
        """The values that networks use; without a transform, the very tensor."""
        return TRANSFORMS[self.transform].decode(stored)

    def encode(self, value: Tensor) -> Tensor:
        """The numbers that are stored and searched."""
        return TRANSFORMS[self.transform].encode(value)

    @property
    def stored_bounds(self) -> tuple[float | None, float | None]:
        """The bounds of the stored numbers."""
        lower, upper = (
            None if bound is None else float(self.encode(torch.tensor(bound, dtype=torch.float64)))
            for bound in (self.lower, self.upper)
        )
        return lower, upper

    def describe(self) -> dict[str, str | float | None]:
        """What a genome file says of the field."""
        return {
            "name": self.name,
            "shape": self.shape,
            "transform": self.transform,
            "lower": self.lower,
            "upper": self.upper,
            "scale": self.scale,
        }
