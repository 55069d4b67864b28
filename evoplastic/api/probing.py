"""Lifetimes with something done to the network, beside the same lifetimes of the intact one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.api.defaults import EVALUATION_SEED
from evoplastic.api.interventions import Probe, probes
from evoplastic.api.probed_lives import intact_lives, probed_lives
from evoplastic.api.setting import Setting, as_overrides, setting_of
from evoplastic.checks import require, whole_number

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from evoplastic.genome.genome import Genome
    from evoplastic.lifetime.shards import ReplicateResult

INTACT = "intact"
RESAMPLES = 9999


def probe(
    genome: str | Path | Genome,
    tasks: str | Sequence[str] | None = None,
    lifetimes: int = 64,
    *,
    lesion: str | Sequence[str] = (),
    clamp: Mapping[str, float | str] | None = None,
    freeze_plasticity_after: int | None = None,
    shuffle: str | Sequence[str] = (),
    shuffle_steps: str | Sequence[str] = (),
    another_life: str | Sequence[str] = (),
    scale: Mapping[str, float] | None = None,
    each: bool = False,
    confidence: float = 0.95,
    seed: int = EVALUATION_SEED,
    config: str | Path | None = None,
    engine: str | None = None,
    store: str | None = None,
    **settings: Any,
) -> xr.Dataset:
    """Run lifetimes with interventions, and the same lifetimes of the intact network.

    All that is given is done at once; with `each`, one after the other. The lifetimes are those of
    `evaluate` with the same seed: both networks meet the same trials and perturbations, so that

        difference = mean over lives of (score of the probed network - score of the intact one)

    is a paired comparison; its interval is a bootstrap over lives (BCa, Efron 1987).

    Lesions, clamps, frozen plasticity and scaled fields run on the CPU engine, as fast as any
    lifetime. Shuffled and foreign rates run trial by trial on the reference engine (about half a
    second for a lifetime of 400 trials of 70 neurons on one core); so then does the intact network,
    and all that is probed in the same call.

    Args:
        genome: a genome, or a reference to one, see `load`.
        tasks: a name or several; none means the held-out tasks.
        lifetimes: of each task, at least 2.
        lesion: neurons that are taken out, as "hidden:0-19" or "feedback".
        clamp: rates that are imposed, as {"modulators": 0}; "mean" is each neuron's own mean rate
            in the same life of the intact network.
        freeze_plasticity_after: trials after which no plastic weight changes.
        shuffle: neurons that have the rates of other trials of the same life of the intact network,
            the trials in random order.
        shuffle_steps: the same, all steps of the life in random order.
        another_life: neurons that have their rates of the next life.
        scale: factors of fields of the genome, as {"alpha": 0.5}.
        each: whether every intervention is a condition of its own.
        confidence: of the intervals.
        seed: root of trials and perturbations, and of what is shuffled.
        config: recipe or file, see `run`.
        engine: cpu or reference; none means the fastest that can do it.
        store: MLflow tracking URI to look the genome up in.
        settings: of the configuration, as in `lifetime={"num_trials": 200}`.

    Returns:
        accuracy, reward(task, condition, life)   mean of the scored trials; "intact" comes first
        accuracy_difference, reward_difference(task, intervention), with _low and _high
        correct, reward_of_trial(task, condition, life, trial)

    Raises:
        UsageError: as `evaluate`; nothing to do, neurons or fields that are not there, a rate that
            a neuron cannot have, two things done to one neuron.
    """
    setting, asked = planned_probe(
        genome,
        [tasks] if isinstance(tasks, str) else tasks,
        lifetimes,
        confidence,
        overrides=as_overrides(settings),
        seed=seed,
        config=config,
        engine=engine,
        store=store,
        lesion=lesion,
        clamp=clamp,
        freeze_plasticity_after=freeze_plasticity_after,
        shuffle=shuffle,
        shuffle_steps=shuffle_steps,
        another_life=another_life,
        scale=scale,
        each=each,
    )
    return carry_out(setting, asked, lifetimes, confidence)


def planned_probe(
    genome: str | Path | Genome,
    tasks: Sequence[str] | None,
    lifetimes: int,
    confidence: float,
    *,
    overrides: Sequence[str],
    seed: int,
    config: str | Path | None,
    engine: str | None,
    store: str | None,
    **interventions: Any,
) -> tuple[Setting, list[Probe]]:
    """Everything checked before anything is run; arguments and errors are those of `probe`."""
    lifetimes = whole_number("lifetimes", lifetimes, 2)
    require(
        isinstance(confidence, float) and 0 < confidence < 1,
        f"confidence is {confidence!r}, expected a share between 0 and 1, as 0.95",
    )
    setting = setting_of(
        genome,
        tasks,
        config=config,
        overrides=overrides,
        seed=seed,
        engine=engine,
        store=store,
    )
    lifetime = setting.problem.lifetime
    asked = probes(setting.genome.layout, lifetime.num_trials, **interventions)
    slow = setting.problem.engine == "reference" or any(each.replay for each in asked)
    gains = lifetime.modulation.onto("gain") is not None
    slow = slow or (gains and any(each.overwrites or each.lesion for each in asked))
    problem = replace(setting.problem, engine="reference" if slow else "cpu")
    return replace(setting, problem=problem), asked


def carry_out(
    setting: Setting,
    asked: Sequence[Probe],
    lifetimes: int,
    confidence: float,
    resamples: int = RESAMPLES,
) -> xr.Dataset:
    """Run what was planned; see `probe`.

    Args:
        setting: of `planned_probe`, as `asked`.
        asked: what is done.
        lifetimes: of each task.
        confidence: of the intervals.
        resamples: of the bootstrap.
    """
    import numpy as np
    import xarray as xr

    measured: list[list[ReplicateResult]] = []
    engines: set[str] = set()
    for task in range(len(setting.tasks)):
        neurons = sorted({neuron for each in asked for neuron in each.from_intact})
        intact = intact_lives(setting, task, lifetimes, neurons, engines)
        rows = [intact.result]
        for each in asked:
            rows.append(probed_lives(setting, task, each, intact, neurons, lifetimes, engines))
        measured.append(rows)

    def stacked(name: str) -> NDArray[Any]:
        return np.stack([[getattr(each, name) for each in rows] for rows in measured])

    scores = {"accuracy": stacked("accuracy_L"), "reward": stacked("reward_L")}
    lives = ("task", "condition", "life")
    variables: dict[str, Any] = {name: (lives, values) for name, values in scores.items()}
    variables["correct"] = ((*lives, "trial"), stacked("correct_LK"))
    variables["reward_of_trial"] = ((*lives, "trial"), stacked("reward_LK"))
    for name, values in scores.items():
        difference = values[:, 1:] - values[:, :1]
        bounds = np.array(
            [
                [interval(row_L, confidence, setting.problem.seed, resamples) for row_L in rows]
                for rows in difference
            ]
        )
        variables[f"{name}_difference"] = ("task", "intervention"), difference.mean(-1)
        variables[f"{name}_low"] = ("task", "intervention"), bounds[..., 0]
        variables[f"{name}_high"] = ("task", "intervention"), bounds[..., 1]
    names = [each.name for each in asked]
    lifetime = setting.problem.lifetime
    return xr.Dataset(
        variables,
        coords={
            "task": [task.name for task in setting.tasks],
            "condition": [INTACT, *names],
            "intervention": names,
            "life": np.arange(lifetimes),
            "trial": np.arange(lifetime.num_trials),
            "role": ("task", [task.role or "" for task in setting.tasks]),
            **{
                level: ("task", _levels(setting, level))
                for level in ("chance", "fixed_policy", "reward_chance", "reward_fixed_policy")
            },
        },
        attrs={
            "genome": setting.genome.digest,
            "config": setting.source,
            "engine": ", ".join(sorted(engines)),
            "seed": str(setting.problem.seed),
            "confidence": confidence,
            "scored_trials": lifetime.scored_trials,
        },
    )


def _levels(setting: Setting, name: str) -> list[float]:
    found = [getattr(task.levels, name) for task in setting.tasks]
    return [float("nan") if level is None else level for level in found]


def interval(
    difference_L: NDArray[Any], confidence: float, seed: int, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Bootstrap interval of the mean of paired differences, over lives.

    >>> import numpy as np
    >>> interval(np.zeros(8), 0.95, 0)
    (0.0, 0.0)
    """
    import numpy as np
    from scipy.stats import bootstrap

    if np.isnan(difference_L).any():
        return np.nan, np.nan
    if (difference_L == difference_L[0]).all():  # BCa divides by the spread
        return float(difference_L[0]), float(difference_L[0])
    found = bootstrap(
        (difference_L,),
        np.mean,
        confidence_level=confidence,
        n_resamples=resamples,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)
