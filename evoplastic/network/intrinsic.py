"""What neurons have of their own: time constants and thresholds, from the genome or the recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

from evoplastic.genome.evolved import DYNAMICS, evolved_field
from evoplastic.genome.fields import Field
from evoplastic.lifetime.config import DynamicsConfig
from evoplastic.network.neurons import NUM_GROUPS, NeuronGroups
from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.decoding import types_of


class Intrinsic(NamedTuple):
    """What genomes have of it, decoded for P individuals; constants of the recipe are not here."""

    tau_ms_PN: Tensor | None = None
    threshold_PN: Tensor | None = None

    def each(self, change: Callable[[Tensor], Tensor]) -> Intrinsic:
        """The same with every tensor changed; all have P individuals first."""
        return Intrinsic(*(None if tensor is None else change(tensor) for tensor in self))

    def leak(self, config: DynamicsConfig, dt_ms: float) -> float | Tensor:
        """dt / tau, one number or [P, N]."""
        if self.tau_ms_PN is not None:
            return dt_ms / self.tau_ms_PN
        assert not isinstance(config.tau_ms, Evolvable), "an evolved number that the genomes lack"
        return dt_ms / config.tau_ms

    def threshold(self, config: DynamicsConfig) -> float | Tensor:
        """What is taken off the activation, one number or [P, N]."""
        if self.threshold_PN is not None:
            return self.threshold_PN
        assert not isinstance(config.threshold, Evolvable), "an evolved number that genomes lack"
        return config.threshold


def intrinsic_fields(config: DynamicsConfig) -> tuple[Field, ...]:
    """The fields that a genome must have for the numbers of neurons that evolution sets."""
    return tuple(
        evolved_field(
            DYNAMICS,
            name,
            chosen,
            shape=_shape(chosen),
            title=f"{name} of a neuron, {chosen.form}",
        )
        for name, chosen in config.evolved.items()
    )


def decode_intrinsic(
    config: DynamicsConfig, groups: NeuronGroups, values: Mapping[str, Tensor]
) -> Intrinsic:
    """Time constants and thresholds of P individuals, within their bounds whatever a mutation did.

    Args:
        config: which of them evolve, and in which form.
        groups: of the network.
        values: of all fields of the genomes, by name, [P, ...].
    """
    return Intrinsic(
        **{
            f"{name}_PN": _expand(chosen, groups, values[DYNAMICS + name])
            for name, chosen in config.evolved.items()
        }
    )


def _expand(chosen: Evolvable, groups: NeuronGroups, value: Tensor) -> Tensor:
    """One number of each neuron, [P, N]."""
    if chosen.lower is not None or chosen.upper is not None:
        value = value.clamp(chosen.lower, chosen.upper)
    if chosen.form == "scalar":
        return value[:, None].expand(-1, groups.num_neurons)
    if chosen.form == "target":
        return value
    return value[:, types_of(chosen, groups).to(value.device)]


def _shape(chosen: Evolvable) -> str:
    number = NUM_GROUPS if chosen.form == "groups" else chosen.number
    return {"scalar": "scalar", "target": "N"}.get(chosen.form, f"clusters:{number}")
