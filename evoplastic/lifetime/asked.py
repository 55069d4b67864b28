"""A population's lifetimes with what its search asks for beside their losses."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from evoplastic.lifetime.batch import LifetimeResult
from evoplastic.lifetime.behaviour.measuring import require_describable, simulate_behaving
from evoplastic.lifetime.population import simulate
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.unrolled import (
    require_unrollable,
    simulate_unrolled,
    unrolled_bytes,
)
from evoplastic.search.asking import Asked, Behaviour, FloatArray, Unrolling, asked_of
from evoplastic.search.protocol import Proposal
from evoplastic.types import Int64Array


def simulate_asked(
    problem: LifetimeProblem,
    flat_PG: Tensor,
    task_P: Int64Array,
    proposal: Proposal,
    *,
    epoch: int,
) -> tuple[LifetimeResult, FloatArray]:
    """Run one lifetime of each individual, and find out what is asked of it [P, X].

    Args:
        problem: tasks, network and lifetime.
        flat_PG: genomes of the individuals.
        task_P: the training task of each.
        proposal: whose streams they have, and what it asks for.
        epoch: generation.
    """
    asked, stream_P = asked_of(proposal), proposal.stream_P
    if isinstance(asked, Unrolling):
        return simulate_unrolled(problem, flat_PG, task_P, stream_P, asked, epoch=epoch)
    if isinstance(asked, Behaviour):
        return simulate_behaving(problem, flat_PG, task_P, stream_P, asked.names, epoch=epoch)
    result = simulate(
        problem, problem.params(flat_PG), task_P, stream_P, epoch=epoch, evaluation=False
    )
    return result, np.empty((len(task_P), 0))


def require_answerable(problem: LifetimeProblem, asked: Asked | None) -> None:
    """Refuse lifetimes that do not have what a search asks for beside their losses.

    Raises:
        UsageError: a gradient that cannot be taken, or that memory does not hold; a descriptor of
            tasks that are not there.
    """
    if isinstance(asked, Unrolling):
        require_unrollable(problem, asked)
    elif asked is not None:
        require_describable(problem, asked.names)


def asked_bytes(problem: LifetimeProblem, asked: Asked | None) -> int:
    """Memory that a process needs for it, beside that of lifetimes."""
    return unrolled_bytes(problem, asked) if isinstance(asked, Unrolling) else 0
