"""Many lifetimes of one genome on some tasks, with plasticity and without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from evoplastic.api.defaults import EVALUATION_SEED
from evoplastic.api.setting import Setting, as_overrides, setting_of
from evoplastic.api.streams.controls import controlled
from evoplastic.checks import whole_number

if TYPE_CHECKING:
    import xarray as xr

    from evoplastic.api.answers import Answers
    from evoplastic.genome.genome import Genome
    from evoplastic.lifetime.shards import ReplicateResult
    from tasks.suites.measured import MeasuredTask

LIFETIMES_PER_SHARD = 64
PLASTIC, PLASTICITY_OFF = "plastic", "plasticity_off"


class Measured(NamedTuple):
    """One task, and its lifetimes by condition."""

    task: MeasuredTask
    results: dict[str, ReplicateResult]


def measure(setting: Setting, lifetimes: int, conditions: Sequence[str]) -> list[Measured]:
    """All lifetimes of each task under each condition; the same trials under all conditions."""
    return [
        Measured(
            task,
            {
                condition: _lifetimes(setting, index, lifetimes, condition)
                for condition in conditions
            },
        )
        for index, task in enumerate(setting.tasks)
    ]


def _lifetimes(
    setting: Setting,
    task: int,
    lifetimes: int,
    condition: str,
    answers: list[Answers] | None = None,
) -> ReplicateResult:
    """The lifetimes of one task; adds to `answers`, where that is a list, what they chose."""
    import numpy as np

    from evoplastic.api.answers import answering
    from evoplastic.engines import run_lifetimes
    from evoplastic.lifetime.shards import ReplicateResult, ReplicateShard, simulate_replicates

    problem, center_G, own = controlled(setting, condition, task)
    run = own or (run_lifetimes if answers is None else answering(answers))
    plastic = condition != PLASTICITY_OFF
    parts = [
        simulate_replicates(
            problem,
            center_G,
            ReplicateShard(0, task, first, min(LIFETIMES_PER_SHARD, lifetimes - first), plastic),
            run=run,
        )
        for first in range(0, lifetimes, LIFETIMES_PER_SHARD)
    ]
    return ReplicateResult(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def measure_answers(
    setting: Setting, lifetimes: int, conditions: Sequence[str]
) -> tuple[list[Measured], list[list[Answers]]]:
    """As `measure`, and what was asked and answered: of each task, for each condition."""
    from evoplastic.api.answers import joined

    measured, answers = [], []
    for index, task in enumerate(setting.tasks):
        results: dict[str, ReplicateResult] = {}
        of_task = []
        for condition in conditions:
            parts: list[Answers] = []
            results[condition] = _lifetimes(setting, index, lifetimes, condition, parts)
            of_task.append(joined(parts))
        measured.append(Measured(task, results))
        answers.append(of_task)
    return measured, answers


def evaluate(
    genome: str | Path | Genome,
    tasks: str | Sequence[str] | None = None,
    lifetimes: int = 64,
    *,
    seed: int = EVALUATION_SEED,
    controls: bool = True,
    choices: bool = False,
    config: str | Path | None = None,
    engine: str | None = None,
    store: str | None = None,
    **settings: Any,
) -> xr.Dataset:
    """Run many lifetimes of one genome and say what it learns, as `evoplastic evaluate` does.

    Args:
        genome: a genome, or a reference to one, see `load`.
        tasks: a name or several, `my_task.py:MyTask` too; none means the held-out tasks.
        lifetimes: of each task.
        seed: root of trials and perturbations.
        controls: whether the same lifetimes are also run with plasticity off.
        choices: whether what was asked and answered in each trial is kept too, which is recorded
            trial by trial and takes about three times as long.
        config: recipe or file; none means the configuration of the genome's run, where that is
            known, else the published setting.
        engine: none means that of the configuration.
        store: MLflow tracking URI to look the genome up in.
        settings: of the configuration, as in `lifetime={"num_trials": 200}`.

    Returns:
        accuracy(task, condition, life)   share of correct choices of the scored trials
        reward(task, condition, life)     mean reward of a scored trial
        correct(task, condition, life, trial), reward_of_trial(task, condition, life, trial)
        kind, target_action, choice(task, condition, life, trial)   with `choices`: the kind of each
            trial, the last action that it asked for, and the last that was taken; -1 = none. And
            stimulus1, ... as `run` has them, where all tasks have as many.

        with the coordinates role, chance, fixed_policy and reward levels of each task.

    Raises:
        UsageError: no such genome, configuration or task, or some that do not fit each other.
    """
    names = [tasks] if isinstance(tasks, str) else tasks
    return evaluated(
        genome,
        names,
        lifetimes,
        seed=seed,
        controls=controls,
        choices=choices,
        config=config,
        engine=engine,
        store=store,
        overrides=as_overrides(settings),
    )


def evaluated(
    genome: str | Path | Genome,
    tasks: Sequence[str] | None,
    lifetimes: int,
    *,
    seed: int,
    controls: bool,
    choices: bool,
    config: str | Path | None,
    engine: str | None,
    store: str | None = None,
    overrides: Sequence[str] = (),
) -> xr.Dataset:
    """As `evaluate`, with settings as `key=value`."""
    import numpy as np
    import xarray as xr

    lifetimes = whole_number("lifetimes", lifetimes, 1)
    from evoplastic.api.answers import labelled_answers

    setting = setting_of(
        genome,
        tasks,
        config=config,
        overrides=overrides,
        seed=seed,
        engine=engine,
        store=store,
    )
    conditions = [PLASTIC, PLASTICITY_OFF] if controls else [PLASTIC]
    kept: list[list[Answers]] = []
    if choices:
        measured, kept = measure_answers(setting, lifetimes, conditions)
    else:
        measured = measure(setting, lifetimes, conditions)

    def stacked(name: str) -> Any:
        return np.stack([[getattr(each.results[c], name) for c in conditions] for each in measured])

    def levels(name: str) -> Any:
        found = [getattr(each.task.levels, name) for each in measured]
        return "task", np.array([np.nan if level is None else level for level in found])

    lives = ("task", "condition", "life")
    return xr.Dataset(
        {
            "accuracy": (lives, stacked("accuracy_L")),
            "reward": (lives, stacked("reward_L")),
            "correct": ((*lives, "trial"), stacked("correct_LK")),
            "reward_of_trial": ((*lives, "trial"), stacked("reward_LK")),
            **labelled_answers(setting, kept),
        },
        coords={
            "task": [each.task.name for each in measured],
            "condition": conditions,
            "life": np.arange(lifetimes),
            "trial": np.arange(setting.problem.lifetime.num_trials),
            "role": ("task", [each.task.role or "" for each in measured]),
            **{
                name: levels(name)
                for name in (
                    "chance",
                    "fixed_policy",
                    "reward_chance",
                    "reward_fixed_policy",
                    "reward_oracle",
                    "reward_adaptive",
                )
            },
        },
        attrs={
            "genome": setting.genome.digest,
            "config": setting.source,
            "engine": setting.problem.engine,
            "seed": str(seed),  # may be larger than file formats take
            "scored_trials": setting.problem.lifetime.scored_trials,
        },
    )
