"""From who lives which task to lifetimes, in whatever form the tasks are.

Individuals whose tasks are banks live together on the chosen engine; those of a task that must be
stepped for real live on the reference engine, a task at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from evoplastic.engines import run_lifetimes
from evoplastic.trials.table import NodeBank, StackedNodes, stack_nodes
from evoplastic.trials.wiring import draw_wiring
from evoplastic.trials.world import SteppedTask
from evoplastic.types import (
    Int64Array,
    LifetimeBatch,
    LifetimeResult,
    PlasticParams,
    StackedBanks,
    TrialBank,
    stack_banks,
)

if TYPE_CHECKING:
    from evoplastic.lifetime.problem import LifetimeProblem

Bank = TrialBank | NodeBank | SteppedTask


def stack(banks: tuple[Bank, ...]) -> tuple[StackedBanks | StackedNodes | None, Int64Array]:
    """The banks laid end to end, and the place [B] of each task among them; -1 = must be stepped.

    Raises:
        UsageError: banks that cannot live in one population.
    """
    place_B = np.full(len(banks), -1, dtype=np.int64)
    paced = [bank for bank in banks if isinstance(bank, TrialBank)]
    free = [bank for bank in banks if isinstance(bank, NodeBank)]
    held = [place for place, bank in enumerate(banks) if isinstance(bank, TrialBank | NodeBank)]
    place_B[held] = np.arange(len(held))
    if paced:
        return stack_banks(paced), place_B
    return (stack_nodes(free) if free else None), place_B


def live(
    problem: LifetimeProblem,
    params: PlasticParams,
    task_P: Int64Array,
    stream_P: Int64Array,
    *,
    epoch: int,
    evaluation: bool,
) -> LifetimeResult:
    """Live one lifetime of each individual.

    Args:
        problem: tasks, network and lifetime.
        params: innate weights and plasticity coefficients [P, N, N].
        task_P: index into the training tasks, then the held-out tasks.
        stream_P: individuals of one stream meet the same trials, noise and wiring.
        epoch: generation.
        evaluation: evaluation lifetimes draw from streams of their own.
    """
    banks, place_B = problem.stacked
    parts: list[tuple[Int64Array, LifetimeResult]] = []
    place_P = place_B[task_P]
    for place, bank in enumerate(problem.tasks):
        if place_B[place] == -1:
            assert isinstance(bank, SteppedTask)
            who = np.flatnonzero(task_P == place)
            if len(who):
                parts.append(
                    (
                        who,
                        _simulate_part(
                            problem, params, bank, who, 0 * who, stream_P, epoch, evaluation
                        ),
                    )
                )
    who = np.flatnonzero(place_P >= 0)
    if len(who):
        assert banks is not None
        parts.append(
            (
                who,
                _simulate_part(
                    problem, params, banks, who, place_P[who], stream_P, epoch, evaluation
                ),
            )
        )
    return _join(parts)


def _simulate_part(
    problem: LifetimeProblem,
    params: PlasticParams,
    banks: StackedBanks | StackedNodes | SteppedTask,
    who: Int64Array,
    place_P: Int64Array,
    stream_P: Int64Array,
    epoch: int,
    evaluation: bool,
) -> LifetimeResult:
    stream_P = stream_P[who]
    if len(who) < len(params.w_PNN):
        rows = torch.from_numpy(who)
        params = PlasticParams(params.w_PNN[rows], params.alpha_PNN[rows])
    wiring = None
    if not isinstance(banks, StackedBanks):
        assert problem.wiring is not None
        wiring = draw_wiring(
            problem.wiring,
            banks.num_inputs_B[place_P],
            banks.num_actions_B[place_P],
            stream_P,
            seed=problem.seed,
            epoch=epoch,
            evaluation=evaluation,
        )
    shared = problem.lifetime.perturbation.noise == "shared" and not evaluation
    batch = LifetimeBatch(
        banks=banks,
        task_P=place_P,
        seed=problem.seed,
        epoch=epoch,
        trial_stream_P=stream_P,
        perturb_stream_P=np.zeros_like(stream_P) if shared else stream_P,
        evaluation=evaluation,
        wiring=wiring,
    )
    return run_lifetimes(
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
