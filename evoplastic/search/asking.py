"""What a search may ask of lifetimes beside their losses: X numbers of each individual.

A proposal that asks for something has it in `asked`. It travels with the proposal's slices; what
comes back is laid beside the losses, and the proposal that `tell` is given holds it in `beside_PX`.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from evoplastic.search.protocol import Proposal

FloatArray = NDArray[np.floating[Any]]
Objective = Literal["loss", "reinforce"]


class Unrolling(NamedTuple):
    """The gradient of each lifetime with regard to its genome [P, G], float32."""

    objective: Objective
    trials: int | None  # the last ones, which the gradient goes back through; None = all
    block: int  # trials between two states that are kept
    together: int  # lifetimes that are unrolled at a time, from the first of a generation on
    temperature: float  # of the choice among actions, with "reinforce"
    discount: float  # of the reward of the trial after, with "reinforce"
    entropy: float  # weight of the entropy of choices, with "reinforce"


class Behaviour(NamedTuple):
    """Descriptors of each lifetime [P, D], float64, by their names; NaN where there is none."""

    names: tuple[str, ...]


Asked = Unrolling | Behaviour


@runtime_checkable
class Asking(Proposal, Protocol):
    """A proposal that may ask for more than losses."""

    @property
    def asked(self) -> Asked | None:
        """What it asks for, if anything."""
        ...

    def answered(self, beside_PX: FloatArray) -> Proposal:
        """The same proposal with what it asked for."""
        ...


def asked_of(proposal: Proposal) -> Asked | None:
    """What a proposal asks for beside losses, if anything."""
    return proposal.asked if isinstance(proposal, Asking) else None


def width(asked: Asked | None, genome_length: int) -> int:
    """X, numbers of each individual beside its loss.

    >>> width(Behaviour(("accuracy", "plastic_change")), 512)
    2
    """
    if asked is None:
        return 0
    return genome_length if isinstance(asked, Unrolling) else len(asked.names)


def answered(proposal: Proposal, beside_PX: FloatArray) -> Proposal:
    """A proposal as it is told: with what it asked for, if it asked for anything."""
    if isinstance(proposal, Asking) and proposal.asked is not None:
        return proposal.answered(beside_PX)
    return proposal
