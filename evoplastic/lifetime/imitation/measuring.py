"""Lifetimes with what imitation adds to their losses."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from evoplastic.engines.recorded import record_lifetimes
from evoplastic.engines.standing_in import Lifetimes, standing_in
from evoplastic.lifetime.batch import LifetimeResult
from evoplastic.lifetime.imitation.similarity import (
    FEWEST_CONDITIONS,
    Float64Array,
    compare,
    matrix_of,
)
from evoplastic.lifetime.imitation.term import Imitation, Wanted, window_steps
from evoplastic.lifetime.population import parts_of, simulate
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.recording import Recorded, Recording
from evoplastic.network.neurons import NeuronGroups
from evoplastic.types import BoolArray, Int64Array


def simulate_imitating(
    problem: LifetimeProblem,
    flat_PG: Tensor,
    task_P: Int64Array,
    stream_P: Int64Array,
    imitation: Imitation,
    *,
    epoch: int,
) -> tuple[LifetimeResult, Float64Array]:
    """Run one lifetime of each individual; and what imitation adds to its loss [P].

    Args:
        problem: tasks, network and lifetime.
        flat_PG: genomes.
        task_P: index into the training tasks.
        stream_P: individuals of one stream meet the same trials and noise.
        imitation: the term.
        epoch: generation.
    """
    kept: list[tuple[Float64Array, Int64Array]] = []

    def live(lifetimes: Lifetimes, engine: str, threads: int) -> LifetimeResult:
        trials = tuple(range(lifetimes.config.num_trials))[-imitation.trials :]
        recording = Recording(trials=trials, fields=("rate",))
        result, recorded, _ = record_lifetimes(
            *lifetimes, recording, engine=engine, threads=threads
        )
        kept.append(_patterns(recorded, lifetimes.groups, imitation, lifetimes.batch.tasks.dt_ms))
        return result

    params = problem.params(flat_PG)
    result = simulate(
        problem, params, task_P, stream_P, epoch=epoch, evaluation=False, run=standing_in(live)
    )
    added_P = np.zeros(len(task_P))
    for part, (pattern_PRH, kind_PR) in zip(parts_of(problem, task_P), kept, strict=True):
        for row, individual in enumerate(part.who):
            wanted = imitation.wanted.get(int(task_P[individual]))
            if wanted is not None:
                alike = likeness(pattern_PRH[row], kind_PR[row], wanted, imitation.measure)
                added_P[individual] = imitation.weight * (1.0 - alike)
    return result, added_P


def likeness(pattern_RH: Float64Array, kind_R: Int64Array, wanted: Wanted, measure: str) -> float:
    """The similarity of one lifetime; 0 if fewer than three kinds of trial were met.

    Args:
        pattern_RH: mean rates of hidden neurons in each trial.
        kind_R: the kind of each trial.
        wanted: recorded activity.
        measure: `rdm` or `cka`.
    """
    met: BoolArray = np.isin(wanted.kinds, kind_R)
    if met.sum() < FEWEST_CONDITIONS or not np.isfinite(pattern_RH).all():
        return 0.0
    kinds = np.array(wanted.kinds)[met]
    pattern_CH = np.stack([pattern_RH[kind_R == kind].mean(0) for kind in kinds])
    wanted_CC = wanted.matrix_CC[np.ix_(met, met)]
    return compare(wanted_CC, matrix_of(pattern_CH, measure), measure, ranked=False)


def _patterns(
    recorded: Recorded, groups: NeuronGroups, imitation: Imitation, dt_ms: float
) -> tuple[Float64Array, Int64Array]:
    """Mean rates [P, R, H] of hidden neurons in the window, and kinds [P, R]."""
    start, stop = window_steps(imitation.window_ms, dt_ms)
    rate_PRTH = recorded.fields["rate"][:, :, start:stop, groups.hidden].astype(np.float64)
    there_PRT1 = ~np.isnan(rate_PRTH[..., :1])  # a self-paced trial may be over
    sum_PRH = np.where(there_PRT1, rate_PRTH, 0.0).sum(2)
    return sum_PRH / np.maximum(there_PRT1.sum(2), 1), recorded.kind_PR
