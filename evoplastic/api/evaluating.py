"""Many lifetimes of one genome on some tasks, with plasticity and without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from evoplastic.api.defaults import EVALUATION_SEED
from evoplastic.api.setting import Setting, as_overrides, setting_of
from evoplastic.checks import whole_number

if TYPE_CHECKING:
    import xarray as xr

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
                condition: _lifetimes(setting, index, lifetimes, condition == PLASTIC)
                for condition in conditions
            },
        )
        for index, task in enumerate(setting.tasks)
    ]


def _lifetimes(setting: Setting, task: int, lifetimes: int, plastic: bool) -> ReplicateResult:
    import numpy as np

    from evoplastic.lifetime.shards import ReplicateResult, ReplicateShard, simulate_replicates

    parts = [
        simulate_replicates(
            setting.problem,
            setting.genome.center_G,
            ReplicateShard(0, task, first, min(LIFETIMES_PER_SHARD, lifetimes - first), plastic),
        )
        for first in range(0, lifetimes, LIFETIMES_PER_SHARD)
    ]
    return ReplicateResult(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def evaluate(
    genome: str | Path | Genome,
    tasks: str | Sequence[str] | None = None,
    lifetimes: int = 64,
    *,
    seed: int = EVALUATION_SEED,
    controls: bool = True,
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
        config: recipe or file; none means the configuration of the genome's run, where that is
            known, else the published setting.
        engine: none means that of the configuration.
        store: MLflow tracking URI to look the genome up in.
        settings: of the configuration, as in `lifetime={"num_trials": 200}`.

    Returns:
        accuracy(task, condition, life)   share of correct choices of the scored trials
        reward(task, condition, life)     mean reward of a scored trial
        correct(task, condition, life, trial), reward_of_trial(task, condition, life, trial)

        with the coordinates role, chance, fixed_policy and reward levels of each task.

    Raises:
        UsageError: no such genome, configuration or task, or some that do not fit each other.
    """
    import numpy as np
    import xarray as xr

    lifetimes = whole_number("lifetimes", lifetimes, 1)
    names = [tasks] if isinstance(tasks, str) else tasks
    setting = setting_of(
        genome,
        names,
        config=config,
        overrides=as_overrides(settings),
        seed=seed,
        engine=engine,
        store=store,
    )
    conditions = [PLASTIC, PLASTICITY_OFF] if controls else [PLASTIC]
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
