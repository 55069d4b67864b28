"""Which modulation a network has, and its options: the section `modulation` of a configuration."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from evoplastic.checks import SECTION, require, require_known
from evoplastic.modulation.catalogue import MODULATIONS
from evoplastic.modulation.table import Channel, Modulation, Source, Target
from evoplastic.rules.table import Rule


@dataclass(frozen=True, kw_only=True)
class ModulationConfig:
    """A modulation of the table `MODULATIONS`, and what is chosen about it.

    Raises:
        UsageError: an unknown modulation (with the nearest one), fewer than one modulatory neuron,
            channels that contradict each other.
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: str = "opposed_pair"
    """Which modulation, one of the table; any name if its channels are written out."""
    num_neurons: int | None = None
    """K, modulatory neurons; none means as many as the modulation's own."""
    channels: tuple[Channel, ...] | None = field(default=None)
    """What modulatory neurons and outcomes change, written out; none means the entry of this
    name."""

    def __post_init__(self) -> None:
        if self.channels is None:
            require_known("modulation", self.name, MODULATIONS)
        _ = self.table  # checks the channels and their number

    @property
    def table(self) -> Modulation:
        """The modulation itself."""
        if self.channels is None:
            entry = MODULATIONS[self.name]
        else:
            entry = Modulation(
                name=self.name,
                title="a modulation of this configuration",
                source="this configuration",
                channels=tuple(self.channels),
            )
        return entry if self.num_neurons is None else replace(entry, num_neurons=self.num_neurons)

    @property
    def resolved(self) -> ModulationConfig:
        """The same choice with its number written out."""
        return replace(self, num_neurons=self.table.num_neurons)

    def onto(self, target: Target) -> Channel | None:
        """The channel onto a target, if there is one."""
        return self.table.onto(target)

    def require_rule(self, rule: Rule) -> None:
        """Refuse a rule that these channels cannot modulate.

        Raises:
            UsageError: a channel onto plasticity of a rule that has no modulator, or another one.
        """
        channel = self.onto("plasticity")
        if channel is None:
            return
        require(
            rule.modulator != "none",
            f"modulation {self.name!r} has a channel onto plasticity, but rule {rule.name!r} has "
            "no modulator; choose a rule that the outcome or the network modulates, or drop the "
            "channel",
        )
        require(
            channel.source in (None, rule.modulator),
            f"modulation {self.name!r} has a channel onto plasticity from {channel.source!r}, but "
            f"rule {rule.name!r} is modulated by {rule.modulator!r}; leave the channel's source "
            "out, or choose another rule",
        )


def source_of(channel: Channel, rule: Rule) -> Source:
    """Where the signal of a channel comes from."""
    if channel.target == "plasticity" and rule.modulator == "outcome":
        return "outcome"
    return "network"
