"""Runs of the published setting as a run writes them, with made-up numbers."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from cluster.config.run import load_config
from cluster.rundir import RunDirectory
from evoplastic.records.events import (
    EndEvent,
    EvaluationEvent,
    Event,
    GenerationEvent,
    StartEvent,
    TaskEvaluation,
)
from evoplastic.records.names import (
    BANKS_SECONDS,
    CENTER_NORM,
    CHECKPOINT_SECONDS,
    EVALUATE_SECONDS,
    FAILED_INDIVIDUALS,
    GENERATION_SECONDS,
    GRADIENT_NORM,
    RAISED_TRIALS,
    RETRIED_SHARDS,
    SEARCH_STDEV,
    TRAIN_ACCURACY,
    TRAIN_REWARD,
    UPDATE_NORM,
    UPDATE_SECONDS,
    Condition,
    Role,
    loss_metric,
)
from tasks.suites.loading import load_suite
from tests.cluster import written_runs

SECONDS = 2.0  # of a generation
EVERY = 10


def write(
    run_dir: Path,
    seed: int,
    generations: int = 40,
    overrides: tuple[str, ...] = (),
    *,
    reached: float = 1.0,
) -> Path:
    """A finished run of `miconi2023` whose held-out accuracy comes to 0.92 if `reached` is 1."""
    experiment = f"tracking.experiment={written_runs.EXPERIMENT}"
    config = load_config("miconi2023", [f"seed={seed}", experiment, *overrides])
    run_id = f"miconi2023-{seed}-{len(overrides)}"
    with closing(RunDirectory.create(run_dir, run_id, config.to_yaml(), "cpu")) as directory:
        start = StartEvent(
            time_ms=written_runs.FIRST_MS,
            run_id=run_id,
            name=config.name,
            seed=seed,
            config_digest=config.digest,
            suite_digest="5017e",
            engine="cpu",
        )
        written_runs.append(run_dir, start, *_events(seed, generations, reached))
        directory.set_status("done")
    return run_dir


def _events(seed: int, generations: int, reached: float) -> list[Event]:
    rng = np.random.default_rng(seed)
    events: list[Event] = []
    for number in range(generations + 1):
        if number % EVERY == 0:
            events.append(evaluation(number, reached * number / generations, rng))
        if number < generations:
            events.append(generation(number, rng))
    last = written_runs.FIRST_MS + int(2000 * (generations + 2))
    return [*events, EndEvent(time_ms=last, generation=generations, status="done")]


def generation(number: int, rng: np.random.Generator) -> GenerationEvent:
    """A generation whose loss depends on the half of the tasks that it met."""
    loss = 0.6 - 0.005 * number + 0.1 * (number // 2 % 2) + 0.01 * float(rng.random())
    metrics = {
        loss_metric("mean"): loss,
        loss_metric("median"): loss,
        loss_metric("best"): loss - 0.2,
        loss_metric("std"): 0.05,
        TRAIN_ACCURACY: 1 - loss,
        TRAIN_REWARD: 1 - loss,
        **dict.fromkeys(
            (CENTER_NORM, GRADIENT_NORM, UPDATE_NORM, SEARCH_STDEV),
            1.0,
        ),
        **dict.fromkeys((FAILED_INDIVIDUALS, RETRIED_SHARDS, RAISED_TRIALS), 0.0),
        **dict.fromkeys(
            (
                BANKS_SECONDS,
                EVALUATE_SECONDS,
                UPDATE_SECONDS,
                CHECKPOINT_SECONDS,
            ),
            0.1,
        ),
        GENERATION_SECONDS: SECONDS,
    }
    time_ms = written_runs.FIRST_MS + int(1000 * SECONDS * (number + 1))
    return GenerationEvent(time_ms=time_ms, generation=number, metrics=metrics)


def evaluation(number: int, progress: float, rng: np.random.Generator) -> EvaluationEvent:
    """All tasks of the suite under all conditions; `progress` goes from 0 to 1."""
    suite = load_suite("miconi2023")
    names = {"train": [task.name for task in suite.train]}
    names["held_out"] = [name for name in suite.task_names if name not in names["train"]]
    return EvaluationEvent(
        time_ms=written_runs.FIRST_MS + int(1000 * SECONDS * number) + 500,
        generation=number,
        genome_digest=f"{number:064x}",
        parent_digest=f"{max(number - EVERY, 0):064x}" if number else "",
        seconds=0.5,
        entries=tuple(
            _entry(task, role, condition, progress, rng)
            for condition in ("plastic", "plasticity_off", "random_genome")
            for role in ("train", "held_out")
            for task in names[role]
        ),
    )


def _entry(
    task: str, role: Role, condition: Condition, progress: float, rng: np.random.Generator
) -> TaskEvaluation:
    lifetimes = 64 if role == "held_out" else 16
    reached = 0.5 + (0.42 * progress if condition == "plastic" else 0.0)
    accuracy = np.clip(reached + 0.02 * rng.uniform(-1, 1, lifetimes), 0, 1)
    return TaskEvaluation(
        task=task,
        role=role,
        condition=condition,
        accuracy=tuple(map(float, accuracy)),
        reward=tuple(map(float, accuracy)),
        loss_mean=1 - reached,
        chance=0.5,
        fixed_policy_level=0.75 if role == "held_out" else 0.5,
        reward_chance=0.5,
        reward_fixed_policy=0.75 if role == "held_out" else 0.5,
        reward_oracle=1.0,
        curve=(0.5, 0.7) if condition == "plastic" else None,
    )
