"""The fields that a genome must have for its lifetimes; a genome without them is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from evoplastic.birth.fields import birth_fields
from evoplastic.checks import require, require_known
from evoplastic.genome.evolved import described
from evoplastic.genome.fields import Field
from evoplastic.lifetime.config import DynamicsConfig, LifetimeConfig
from evoplastic.modulation.fields import modulation_fields
from evoplastic.network.intrinsic import intrinsic_fields
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.fields import rule_fields


def genome_fields(lifetime: LifetimeConfig) -> tuple[Field, ...]:
    """All fields of the genomes of such lifetimes, in the order in which they lie."""
    return (
        *birth_fields(lifetime.birth),
        *rule_fields(lifetime.rule),
        *modulation_fields(lifetime.modulation, lifetime.rule.table),
        *intrinsic_fields(lifetime.dynamics),
    )


def scaled(fields: Sequence[Field], scales: Mapping[str, float]) -> tuple[Field, ...]:
    """The same fields with the sizes of mutations that a recipe chooses for some of them.

    Args:
        fields: of the genomes.
        scales: by the field's name, times the search's own; `w.modulators` is what of the field
            w lies onto modulatory neurons.

    Raises:
        UsageError: a field that these genomes do not have (with the nearest one), or a scale that
            is not positive.
    """
    names = [field.name for field in fields]
    by_group = {
        name: tuple(name.rsplit(".", 1))
        for name in scales
        if name not in names and name.rpartition(".")[0] in names
    }
    for name in scales:
        if name not in by_group:
            require_known("field in genome.scales", name, names)
    return tuple(
        replace(
            field,
            scale=scales.get(field.name, field.scale),
            row_scales=tuple(
                (group, scales[name]) for name, (of, group) in by_group.items() if of == field.name
            ),
        )
        for field in fields
    )


def require_sizes(lifetime: LifetimeConfig, groups: NeuronGroups) -> None:
    """Refuse more cell types than neurons, and more clusters than what is clustered.

    Raises:
        UsageError: naming the number, its count and the network's.
    """
    evolved = {
        **{f"rule.{name}": chosen for name, chosen in lifetime.rule.evolved.items()},
        **{f"lifetime.birth.{name}": chosen for name, chosen in lifetime.birth.evolved.items()},
        **{
            f"lifetime.dynamics.{name}": chosen
            for name, chosen in lifetime.dynamics.evolved.items()
        },
    }
    neurons = groups.num_neurons
    for name, chosen in evolved.items():
        if chosen.number is None:
            continue
        most, what = neurons, "neurons"
        if chosen.form == "clustered" and chosen.assignment == "connection":
            most, what = neurons**2, "connections"
        require(
            chosen.number <= most,
            f"{name} has form {chosen.form!r} with number {chosen.number}, but the network has "
            f"{most} {what}; set number to that or less",
        )


def require_fields(found: Sequence[Field], lifetime: LifetimeConfig, what: str) -> None:
    """Refuse a genome whose fields are not those of its lifetimes.

    Raises:
        UsageError: naming both lists.
    """
    ours, theirs = described(genome_fields(lifetime)), described(found)
    require(
        sorted(ours) == sorted(theirs),
        f"{what} has the fields [{', '.join(theirs)}], but a lifetime with rule "
        f"{lifetime.rule.name!r} as configured needs [{', '.join(ours)}]; use the genome's own "
        "configuration, or set what evolves there to constants",
    )


def require_time_steps(config: DynamicsConfig, dt_ms: float, task: str) -> None:
    """Refuse time constants that are shorter than a time step of a task.

    Raises:
        UsageError: naming both.
    """
    shortest = config.tau_ms.lower if isinstance(config.tau_ms, Evolvable) else config.tau_ms
    assert shortest is not None, "an evolvable time constant has a lower bound"
    which = "lifetime.dynamics.tau_ms" + (".lower" if isinstance(config.tau_ms, Evolvable) else "")
    require(
        shortest >= dt_ms,
        f"{which} is {shortest}, but a time step of task {task!r} takes {dt_ms} ms; set it to that "
        "or more",
    )
