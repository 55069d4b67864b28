"""The fields that a genome must have for a rule: one for each number that evolution sets.

A field is called `rule.` and the coefficient's name. What its numbers mean (which cluster, how many
cell types) is said by the recipe's `Evolvable`; a genome file tells form and count in its shape.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from evoplastic.checks import UsageError, require
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.fields import Field
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import Purpose, normal
from evoplastic.rules.coefficients import COUNTED, Evolvable
from evoplastic.rules.config import RuleConfig

PREFIX = "rule."
SHAPE_OF_FORM = {
    "scalar": "scalar",
    "target": "N",
    "source": "N",
    "cell_types": "types",
    "rank_one": "rank_one",
    "clustered": "clusters",
    "connection": "NN",
}


def rule_fields(rule: RuleConfig) -> tuple[Field, ...]:
    """The fields that the numbers of a rule need, in the order in which its table names them."""
    return tuple(_field(name, chosen) for name, chosen in rule.evolved.items())


def _field(name: str, chosen: Evolvable) -> Field:
    shape = SHAPE_OF_FORM[chosen.form]
    if chosen.form in COUNTED:
        shape = f"{shape}:{chosen.number}"
    return Field(
        name=PREFIX + name,
        title=f"{name} of the rule, {chosen.form}",
        shape=shape,
        init=partial(_begin, name, chosen),
        lower=chosen.lower,
        upper=chosen.upper,
        scale=chosen.scale,
        transform=chosen.transform,
    )


def _begin(
    name: str, chosen: Evolvable, groups: NeuronGroups, seed: int, config: GenomeConfig
) -> Tensor:
    """First values: init + spread z, or init exp(spread z) where positive; z standard normal."""
    sizes = _field(name, chosen).sizes(groups)
    count = math.prod(sizes)
    z = torch.from_numpy(normal(seed, Purpose.GENOME, 0, _stream(name), count)).view(sizes)
    middle = torch.full(sizes, chosen.init)
    if chosen.form == "rank_one":
        middle[1] = 1.0
    if chosen.transform == "positive":
        return middle * torch.exp(chosen.spread * z)
    return middle + chosen.spread * z


def _stream(name: str) -> int:
    """Of the draws for the first values of a coefficient; the upper half of all streams."""
    return zlib.crc32(name.encode()) | 1 << 31


def read_field(written: Mapping[str, Any]) -> Field:
    """A field from what a genome file says of it; it begins nowhere, it has numbers.

    Raises:
        UsageError: the file says something that no field can be.
    """

    return Field(
        name=written["name"],
        title="numbers of a genome file",
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


def require_fields(found: Sequence[Field], rule: RuleConfig, what: str) -> None:
    """Refuse a genome whose numbers of a rule are not those that the rule has.

    Raises:
        UsageError: naming both lists.
    """
    ours, theirs = _described(rule_fields(rule)), _described(found)
    require(
        sorted(ours) == sorted(theirs),
        f"{what} has the fields [{', '.join(theirs)}] of a rule, but rule {rule.name!r} of the "
        f"configuration needs [{', '.join(ours)}]; use the genome's own configuration, or set "
        "rule.coefficients to constants",
    )


def _described(fields: Sequence[Field]) -> list[str]:
    return [
        f"{field.name} ({field.shape}, {field.transform})"
        for field in fields
        if field.name.startswith(PREFIX)
    ]
