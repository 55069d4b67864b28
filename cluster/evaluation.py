"""Sessions in which the bare center meets training and held-out tasks, beside its controls."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cluster.config.sections import EvaluationConfig
from cluster.executors import Executor, ShouldStop
from cluster.experiment import Experiment
from evoplastic.lifetime.shards import ReplicateResult, ReplicateShard
from evoplastic.lifetime.streams.record import stream_record
from evoplastic.records.events import StreamRecord, TaskEvaluation
from evoplastic.records.names import Condition, Role
from tasks.curricula.informed import Informed

DECIMALS = 4  # kept of an accuracy; a lifetime scores some hundred trials


def evaluation_generations(config: EvaluationConfig, generations: int) -> list[int]:
    """Generations whose center is measured before its update: every k-th, and the last center.

    >>> evaluation_generations(EvaluationConfig(every=3), 7)
    [0, 3, 6, 7]
    """
    return [*range(0, generations, config.every), generations]


def has_controls(config: EvaluationConfig, generation: int, generations: int) -> bool:
    """Whether a session also runs the controls: the first and the last one do."""
    return config.controls and generation in (0, generations)


def session_lifetimes(config: EvaluationConfig, num_train: int, num_held_out: int) -> int:
    """Lifetimes of one session under one condition."""
    return num_train * config.train_lifetimes + num_held_out * config.held_out_lifetimes


def evaluation_share(
    config: EvaluationConfig, generations: int, popsize: int, num_train: int, num_held_out: int
) -> float:
    """Share of a run's lifetimes that are spent on measuring, not on evolution."""
    sessions = evaluation_generations(config, generations)
    conditions = sum(3 if has_controls(config, at, generations) else 1 for at in sessions)
    measured = conditions * session_lifetimes(config, num_train, num_held_out)
    return measured / (measured + generations * popsize)


def evaluate_center(
    experiment: Experiment,
    center_G: Tensor,
    generation: int,
    executor: Executor,
    should_stop: ShouldStop,
) -> tuple[tuple[TaskEvaluation, ...], float]:
    """One session: entries for each task and condition, and the seconds it took.

    At the first and the last generation the curves within a lifetime are kept (of training tasks
    always, where the curriculum goes by them), and the controls are run: the same center without
    plasticity, and a random genome of another seed.

    Raises:
        StopRequested: the run shall stop.
    """
    began = time.monotonic()
    config, generations = experiment.config.evaluation, experiment.config.evolution.generations
    conditions: list[Condition] = ["plastic"]
    if has_controls(config, generation, generations):
        conditions += ["plasticity_off", "random_genome"]
    entries: list[TaskEvaluation] = []
    for condition in conditions:
        genome_G = (
            experiment.control_genome().center_G if condition == "random_genome" else center_G
        )
        entries += _evaluate(
            experiment,
            genome_G,
            generation,
            condition,
            executor,
            should_stop,
            with_curve=generation in (0, generations),
            with_train_curve=isinstance(experiment.curriculum, Informed),
        )
    return tuple(entries), time.monotonic() - began


def _evaluate(
    experiment: Experiment,
    genome_G: Tensor,
    generation: int,
    condition: Condition,
    executor: Executor,
    should_stop: ShouldStop,
    *,
    with_curve: bool,
    with_train_curve: bool,
) -> list[TaskEvaluation]:
    plans = _plans(experiment)
    per_task = [
        _replicate_shards(
            generation,
            task,
            lifetimes,
            experiment.config.evaluation.lifetimes_per_shard,
            plastic=condition != "plasticity_off",
        )
        for task, (_, _, lifetimes) in enumerate(plans)
    ]
    shards = [shard for shards in per_task for shard in shards]
    answers = iter(executor.map(experiment.evaluation_problem, genome_G, shards, should_stop))
    return [
        _entry(
            experiment,
            name,
            role,
            condition,
            [_replicates(next(answers)) for _ in shards],
            with_curve=with_curve or (with_train_curve and role == "train"),
        )
        for (name, role, _), shards in zip(plans, per_task, strict=True)
        if shards
    ]


def _plans(experiment: Experiment) -> list[tuple[str, Role, int]]:
    """Task, role and lifetimes, in the order in which shards count tasks."""
    config, suite = experiment.config.evaluation, experiment.suite
    train: list[tuple[str, Role, int]] = [
        (task.name, "train", config.train_lifetimes) for task in suite.train
    ]
    return train + [(task.name, "held_out", config.held_out_lifetimes) for task in suite.held_out]


def _replicate_shards(
    generation: int, task: int, lifetimes: int, size: int, *, plastic: bool
) -> list[ReplicateShard]:
    return [
        ReplicateShard(generation, task, first, min(size, lifetimes - first), plastic)
        for first in range(0, lifetimes, size)
    ]


def _replicates(result: object) -> ReplicateResult:
    assert isinstance(result, ReplicateResult)
    return result


def _entry(
    experiment: Experiment,
    task: str,
    role: Role,
    condition: Condition,
    results: Sequence[ReplicateResult],
    *,
    with_curve: bool,
) -> TaskEvaluation:
    accuracy_L = np.concatenate([result.accuracy_L for result in results])
    loss_L = np.concatenate([result.loss_L for result in results])
    reward_L = np.concatenate([result.reward_L for result in results])
    curve_K = np.concatenate([result.correct_LK for result in results]).mean(0)
    reward_K = np.concatenate([result.reward_LK for result in results]).mean(0)
    answered = not np.isnan(accuracy_L).any()
    levels = experiment.levels[task]
    return TaskEvaluation(
        task=task,
        role=role,
        condition=condition,
        accuracy=_rounded(accuracy_L) if answered else (),
        loss_mean=float(loss_L.mean()),
        chance=levels.chance,
        fixed_policy_level=levels.fixed_policy,
        curve=_rounded(curve_K) if with_curve and answered else None,
        reward=_rounded(reward_L),
        reward_chance=levels.reward_chance,
        reward_fixed_policy=levels.reward_fixed_policy,
        reward_oracle=levels.reward_oracle,
        reward_curve=_rounded(reward_K) if with_curve else None,
        reward_adaptive=levels.reward_adaptive,
        stream=_stream(experiment, task, results),
        group=experiment.suite.groups.get(task),
    )


def _stream(
    experiment: Experiment, task: str, results: Sequence[ReplicateResult]
) -> StreamRecord | None:
    course = experiment.suite.sample(task).course
    if course is None:
        return None
    return stream_record(course, np.concatenate([result.correct_LK for result in results]))


def _rounded(values: NDArray[np.floating]) -> tuple[float, ...]:
    return tuple(values.astype(np.float64).round(DECIMALS).tolist())
