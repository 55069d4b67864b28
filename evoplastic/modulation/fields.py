"""The fields that a genome must have for a modulation: a fan-out for each channel that has one."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from evoplastic.checks import require
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.evolved import MODULATION
from evoplastic.genome.fields import Field
from evoplastic.modulation.config import ModulationConfig, source_of
from evoplastic.modulation.params import ModulationParams
from evoplastic.modulation.table import TARGETS, Channel
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import Purpose, normal
from evoplastic.rules.table import Rule


def modulation_fields(modulation: ModulationConfig, rule: Rule) -> tuple[Field, ...]:
    """The fan-outs that evolve, in the order of the channels: `modulation.gain` and the like."""
    return tuple(
        _field(channel, rule) for channel in modulation.table.channels if channel.scope == "neuron"
    )


def _field(channel: Channel, rule: Rule) -> Field:
    return Field(
        name=MODULATION + channel.target,
        title=f"fan-out of modulation onto the {channel.target} of neurons",
        shape="N" if source_of(channel, rule) == "outcome" else "N_modulators",
        init=partial(_begin, channel, rule),
        scale=channel.scale,
        mutable=partial(_reached, channel, rule),
    )


def _begin(
    channel: Channel, rule: Rule, groups: NeuronGroups, seed: int, config: GenomeConfig
) -> Tensor:
    """First values: (-1)^k init + spread z, z standard normal; 0 where the channel does not go."""
    field = _field(channel, rule)
    sizes = field.sizes(groups)
    stream = zlib.crc32(field.name.encode()) | 1 << 31
    z = torch.from_numpy(normal(seed, Purpose.GENOME, 0, stream, math.prod(sizes))).view(sizes)
    middle = channel.init if len(sizes) == 1 else channel.init * signs(groups)
    return torch.where(field.mask(groups), middle + channel.spread * z, 0.0)


def _reached(channel: Channel, rule: Rule, groups: NeuronGroups) -> Tensor:
    """True where a fan-out may differ from 0."""
    mask = torch.ones(_field(channel, rule).sizes(groups), dtype=torch.bool)
    mask[: groups.num_clamped] = False
    if channel.onto == "hidden":
        mask[groups.modulators.start :] = False
    return mask


def signs(groups: NeuronGroups) -> Tensor:
    """(-1)^k of the K modulatory neurons."""
    return 1.0 - 2.0 * (torch.arange(groups.num_modulators) % 2)


def decode(
    modulation: ModulationConfig, rule: Rule, groups: NeuronGroups, values: Mapping[str, Tensor]
) -> ModulationParams:
    """The fan-outs of P individuals, whether they evolve or are the same for all neurons.

    Args:
        modulation: which channels there are.
        rule: what they may modulate.
        groups: of the network.
        values: of all fields of the genomes, by name, [P, ...].
    """
    found: list[Tensor | None] = []
    for target in TARGETS:
        channel = modulation.onto(target)
        if channel is None:
            found.append(None)
        elif channel.scope == "neuron":
            value = values[MODULATION + target]
            found.append(value[:, :, None] if value.ndim == 2 else value)
        else:
            like = next(iter(values.values()))
            fan_out_NK = channel.strength * signs(groups) * _reached(channel, rule, groups)
            found.append(fan_out_NK.to(like).expand(len(like), -1, -1))
    return ModulationParams(*found)


def require_modulators(modulation: ModulationConfig, groups: NeuronGroups, what: str) -> None:
    """Refuse a network with another number of modulatory neurons than the modulation has.

    Raises:
        UsageError: naming both numbers.
    """
    number = modulation.table.num_neurons
    require(
        groups.num_modulators == number,
        f"{what} has {groups.num_modulators} modulatory neurons, but modulation "
        f"{modulation.name!r} of the configuration has {number}; set modulation.num_neurons to "
        f"{groups.num_modulators}, or use another genome",
    )
