"""From who meets which task to lifetimes, in whatever form the tasks are.

Individuals whose tasks are tables are simulated together on the chosen engine; those of a task that
must be stepped for real on the reference engine, a task at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evoplastic.birth.drawing import born
from evoplastic.engines import RunLifetimes, run_lifetimes
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.trials.wiring import draw_wiring
from evoplastic.trials.world import Tasks, stepped_tasks
from evoplastic.types import Int64Array


def simulate(
    problem: LifetimeProblem,
    params: PlasticParams,
    task_P: Int64Array,
    stream_P: Int64Array,
    *,
    epoch: int,
    evaluation: bool,
    run: RunLifetimes = run_lifetimes,
) -> LifetimeResult:
    """Run one lifetime of each individual.

    Args:
        problem: tasks, network and lifetime.
        params: innate weights and plasticity coefficients [P, N, N].
        task_P: index into the training tasks, then the held-out tasks.
        stream_P: individuals of one stream meet the same trials, noise and wiring.
        epoch: generation.
        evaluation: evaluation lifetimes draw from streams of their own.
        run: the engines, or what looks into them.
    """
    params = born(
        params,
        problem.lifetime.birth,
        problem.groups,
        stream_P,
        seed=problem.seed,
        epoch=epoch,
        evaluation=evaluation,
    )
    return _join(
        [
            (
                part.who,
                _simulate_part(problem, params, *part, stream_P, epoch, evaluation, run),
            )
            for part in parts_of(problem, task_P)
        ]
    )


class Part(NamedTuple):
    """Individuals that are simulated together."""

    tasks: Tasks
    who: Int64Array  # their places in the population
    place_P: Int64Array  # the task of each among the tasks


def parts_of(problem: LifetimeProblem, task_P: Int64Array) -> list[Part]:
    """The parts of a population, in the order in which they are simulated."""
    tables, place_B = problem.stacked
    parts = []
    for place, task in stepped_tasks(problem.tasks).items():
        who = np.flatnonzero(task_P == place)
        if len(who):
            parts.append(Part(task, who, 0 * who))
    place_P = place_B[task_P]
    who = np.flatnonzero(place_P >= 0)
    if len(who):
        assert tables is not None
        parts.append(Part(tables, who, place_P[who]))
    return parts


def _simulate_part(
    problem: LifetimeProblem,
    params: PlasticParams,
    tasks: Tasks,
    who: Int64Array,
    place_P: Int64Array,
    stream_P: Int64Array,
    epoch: int,
    evaluation: bool,
    run: RunLifetimes,
) -> LifetimeResult:
    stream_P = stream_P[who]
    if len(who) < len(params.w_PNN):
        rows = torch.from_numpy(who)
        params = params.each(lambda tensor: tensor[rows])
    wiring = None
    if tasks.timing is None:
        assert problem.wiring is not None
        wiring = draw_wiring(
            problem.wiring,
            tasks.num_inputs_B[place_P],
            tasks.num_actions_B[place_P],
            stream_P,
            seed=problem.seed,
            epoch=epoch,
            evaluation=evaluation,
        )
    shared = problem.lifetime.perturbation.noise == "shared" and not evaluation
    batch = LifetimeBatch(
        tasks=tasks,
        task_P=place_P,
        seed=problem.seed,
        epoch=epoch,
        trial_stream_P=stream_P,
        perturb_stream_P=np.zeros_like(stream_P) if shared else stream_P,
        evaluation=evaluation,
        wiring=wiring,
    )
    return run(
        params,
        problem.groups,
        batch,
        problem.lifetime,
        engine=problem.chosen_engine,
        threads=problem.threads,
    )


def _join(parts: list[tuple[Int64Array, LifetimeResult]]) -> LifetimeResult:
    """The results of all parts, each individual in its place."""
    if len(parts) == 1:
        return parts[0][1]
    order = torch.from_numpy(np.argsort(np.concatenate([who for who, _ in parts])))

    def joined(name: str) -> Tensor:
        return torch.cat([getattr(result, name) for _, result in parts])[order]

    return LifetimeResult(*(joined(name) for name in LifetimeResult._fields))
