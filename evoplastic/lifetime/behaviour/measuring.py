"""Lifetimes with the descriptors that are asked of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from evoplastic.checks import nearest, require
from evoplastic.engines import run_lifetimes
from evoplastic.engines.recorded import record_lifetimes
from evoplastic.engines.standing_in import Lifetimes, standing_in
from evoplastic.lifetime.batch import LifetimeResult
from evoplastic.lifetime.behaviour.catalogue import HALVES, parted
from evoplastic.lifetime.behaviour.descriptor import Float64Array, Lived
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.population import parts_of, simulate
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.recording import Recording
from evoplastic.types import BoolArray, Int64Array


def simulate_behaving(
    problem: LifetimeProblem,
    flat_PG: Tensor,
    task_P: Int64Array,
    stream_P: Int64Array,
    names: Sequence[str],
    *,
    epoch: int,
) -> tuple[LifetimeResult, Float64Array]:
    """Run one lifetime of each individual, and describe it [P, D].

    NaN stands where a lifetime has no such number: its task is not of the descriptor's group, has
    no answers, or the lifetime failed.

    Args:
        problem: tasks, network and lifetime.
        flat_PG: genomes.
        task_P: index into the training tasks.
        stream_P: individuals of one stream meet the same trials, noise and wiring.
        names: of descriptors, as `accuracy@first_half`.
        epoch: generation.
    """
    described: list[Float64Array] = []
    recordings = _recordings(problem.lifetime, names)

    def live(lifetimes: Lifetimes, engine: str, threads: int) -> LifetimeResult:
        recorded = None
        if not recordings:
            result = run_lifetimes(*lifetimes, engine=engine, threads=threads)
        for recording in recordings:
            result, found, _ = record_lifetimes(
                *lifetimes, recording, engine=engine, threads=threads
            )
            recorded = (
                found
                if recorded is None
                else found._replace(fields={**recorded.fields, **found.fields})
            )
        lived = Lived(lifetimes.params, lifetimes.groups, lifetimes.config, result, recorded)
        described.append(np.stack([parted(name)[0].of(lived) for name in names], axis=1))
        return result

    params = problem.params(flat_PG)
    result = simulate(
        problem, params, task_P, stream_P, epoch=epoch, evaluation=False, run=standing_in(live)
    )
    behaviour_PD = np.empty((len(task_P), len(names)))
    who_P = np.concatenate([part.who for part in parts_of(problem, task_P)])
    behaviour_PD[who_P] = np.concatenate(described)
    failed_P = ~np.isfinite(result.loss_PK.numpy()).all(1)
    behaviour_PD[failed_P] = np.nan
    for column, name in enumerate(names):
        behaviour_PD[~_counts(problem, name)[task_P], column] = np.nan
    return result, behaviour_PD


def require_describable(problem: LifetimeProblem, names: Sequence[str]) -> None:
    """Refuse descriptors of groups that the training tasks do not have.

    Raises:
        UsageError: an unknown descriptor or task, with the nearest one, or a group whose tasks have
            no answers.
    """
    for name in names:
        descriptor, group = parted(name)
        counted = _counts(problem, name)
        require(
            bool(counted.any()),
            f"descriptor {name!r} is {descriptor.title}, but no training task "
            f"{'' if group is None else 'of its group '}has answers; use another one",
        )


def _recordings(config: LifetimeConfig, names: Sequence[str]) -> list[Recording]:
    """What has to be recorded of which trials."""
    needed = {parted(name)[0].records for name in names}
    last, every = (config.num_trials - 1,), tuple(range(config.num_trials))
    return [
        Recording(trials=trials, fields=(field,))
        for field, trials in (("p", last), ("mod", every))
        if field in needed
    ]


def _counts(problem: LifetimeProblem, name: str) -> BoolArray:
    """For each training task, whether its lifetimes have the descriptor."""
    descriptor, group = parted(name)
    tasks = [task.task for task in problem.train]
    there: BoolArray = np.ones(len(tasks), dtype=np.bool_)
    if group in HALVES:
        first = np.arange(len(tasks)) < (len(tasks) + 1) // 2
        there = first if group == HALVES[0] else ~first
    elif group is not None:
        chosen = [group] if group in tasks else group.split("+")
        known = [*tasks, *(HALVES if len(chosen) == 1 else ())]
        withheld = {task.task for task in problem.held_out}
        for task in chosen:
            require(
                task not in withheld,
                f"descriptor {name!r} has the held-out task {task!r}, which takes no part in "
                f"selection; use training tasks ({', '.join(tasks)})",
            )
            require(
                task in tasks,
                f"descriptor {name!r}: unknown training task {task!r}; " + nearest(task, known),
            )
        there = np.array([task in chosen for task in tasks])
    if descriptor.name in ("accuracy", "learning_speed"):
        there = there & problem.has_answers[: len(tasks)]
    return there
