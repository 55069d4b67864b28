"""The fields that a genome must have for its lifetimes; a genome without them is refused."""

from __future__ import annotations

from collections.abc import Sequence

from evoplastic.checks import require
from evoplastic.genome.catalogue import PUBLISHED
from evoplastic.genome.evolved import described
from evoplastic.genome.fields import Field
from evoplastic.lifetime.config import DynamicsConfig, LifetimeConfig
from evoplastic.modulation.fields import modulation_fields
from evoplastic.network.intrinsic import intrinsic_fields
from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.fields import rule_fields


def genome_fields(lifetime: LifetimeConfig) -> tuple[Field, ...]:
    """All fields of the genomes of such lifetimes, in the order in which they lie."""
    return (
        *PUBLISHED,
        *rule_fields(lifetime.rule),
        *modulation_fields(lifetime.modulation, lifetime.rule.table),
        *intrinsic_fields(lifetime.dynamics),
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
