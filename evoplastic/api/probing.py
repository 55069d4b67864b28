"""Lifetimes with something done to the network, beside the same lifetimes of the intact one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from evoplastic.api.defaults import EVALUATION_SEED
from evoplastic.api.interventions import Probe, Source, probes
from evoplastic.api.setting import Setting, as_overrides, setting_of
from evoplastic.checks import require, whole_number

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from numpy.typing import NDArray

    from evoplastic.genome.genome import Genome
    from evoplastic.lifetime.intervention import Intervention
    from evoplastic.lifetime.shards import ReplicateResult

INTACT = "intact"
LIVES_AT_A_TIME = 64
BYTES_AT_A_TIME = 1 << 27  # of rates, while those of the intact network are read
RESAMPLES = 9999
SCORES = ("accuracy", "reward")


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


class _Lives(NamedTuple):
    """Lifetimes of one task, and the rates of some neurons in them."""

    result: ReplicateResult
    rate_LKTM: NDArray[np.float32] | None


def carry_out(
    setting: Setting, asked: Sequence[Probe], lifetimes: int, confidence: float
) -> xr.Dataset:
    """Run what was planned; see `probe`."""
    import numpy as np
    import xarray as xr

    measured: list[list[ReplicateResult]] = []
    engines: set[str] = set()
    for task in range(len(setting.tasks)):
        neurons = sorted({neuron for each in asked for neuron in each.from_intact})
        intact = _intact(setting, task, lifetimes, neurons, engines)
        rows = [intact.result]
        for each in asked:
            rows.append(_probed(setting, task, each, intact, neurons, lifetimes, engines))
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
                [interval(row_L, confidence, setting.problem.seed) for row_L in rows]
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


def interval(difference_L: NDArray[Any], confidence: float, seed: int) -> tuple[float, float]:
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
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def _levels(setting: Setting, name: str) -> list[float]:
    found = [getattr(task.levels, name) for task in setting.tasks]
    return [float("nan") if level is None else level for level in found]


def _intact(
    setting: Setting, task: int, lifetimes: int, neurons: Sequence[int], engines: set[str]
) -> _Lives:
    """The lifetimes without an intervention, and the rates [L, K, T, M] of some neurons."""
    import numpy as np

    from evoplastic.engines.intervened import intervene_lifetimes
    from evoplastic.engines.recorded import record_lifetimes
    from evoplastic.lifetime.intervention import NOTHING
    from evoplastic.lifetime.recording import Recording

    num_trials = setting.problem.lifetime.num_trials
    recording = Recording(trials=tuple(range(num_trials)), fields=("rate",))
    kept: dict[int, NDArray[np.float32]] = {}

    def run(first: int, *case: Any, engine: str = "auto", threads: int = 0) -> Any:
        if not neurons:
            result, ran = intervene_lifetimes(*case, NOTHING, engine=engine, threads=threads)
        else:
            result, recorded, ran = record_lifetimes(
                *case, recording, engine=engine, threads=threads
            )
            kept[first] = recorded.fields["rate"][..., list(neurons)]
        engines.add(ran)
        return result

    at_a_time = LIVES_AT_A_TIME
    if neurons:
        _require_room(setting, task, lifetimes, len(neurons))
        size = 4 * num_trials * _steps(setting, task) * setting.genome.groups.num_neurons
        at_a_time = max(1, min(LIVES_AT_A_TIME, BYTES_AT_A_TIME // size))
    result = _lifetimes(setting, task, lifetimes, at_a_time, run, setting.genome.center_G)
    rates = np.concatenate([kept[first] for first in sorted(kept)]) if kept else None
    return _Lives(result, rates)


def _probed(
    setting: Setting,
    task: int,
    each: Probe,
    intact: _Lives,
    neurons: Sequence[int],
    lifetimes: int,
    engines: set[str],
) -> ReplicateResult:
    from evoplastic.engines.intervened import intervene_lifetimes

    rate_LKTM = None
    if each.from_intact:
        assert intact.rate_LKTM is not None
        rate_LKTM = intact.rate_LKTM[..., [neurons.index(n) for n in each.from_intact]]
    whole = _intervention(each, rate_LKTM, lifetimes, setting.problem.seed)

    def run(first: int, *case: Any, engine: str = "auto", threads: int = 0) -> Any:
        part = whole.of_lives(first, first + len(case[0].w_PNN))
        result, ran = intervene_lifetimes(*case, part, engine=engine, threads=threads)
        engines.add(ran)
        return result

    layout, center_G = setting.genome.layout, setting.genome.center_G
    if each.scale:
        values = setting.genome.values
        scaled = {name: values[name] * factor for name, factor in each.scale.items()}
        center_G = layout.join(values | scaled)
    return _lifetimes(setting, task, lifetimes, LIVES_AT_A_TIME, run, center_G)


def _lifetimes(
    setting: Setting, task: int, lifetimes: int, at_a_time: int, run: Any, center_G: Any
) -> ReplicateResult:
    """All lifetimes of a task, some at a time; the reference has a thread for each part."""
    from functools import partial

    import numpy as np

    from evoplastic.engines import usable_threads
    from evoplastic.lifetime.shards import ReplicateResult, ReplicateShard, simulate_replicates

    def part(first: int) -> ReplicateResult:
        number = min(at_a_time, lifetimes - first)
        shard = ReplicateShard(0, task, first, number, True)
        return simulate_replicates(setting.problem, center_G, shard, run=partial(run, first))

    _ = setting.problem.stacked  # made once, not by each thread
    threads = 1
    if setting.problem.engine == "reference":
        threads = usable_threads(setting.problem.threads)
        at_a_time = min(at_a_time, -(-lifetimes // threads))
    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(part, range(0, lifetimes, at_a_time)))
    return ReplicateResult(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _intervention(
    each: Probe, rate_LKTM: NDArray[np.float32] | None, lifetimes: int, seed: int
) -> Intervention:
    """What an engine is told, for all lives."""
    import numpy as np

    from evoplastic.lifetime.intervention import Intervention

    held_PH = played = None
    if each.clamp:
        held_PH = np.empty((lifetimes, len(each.clamp)), dtype=np.float32)
        for column, (neuron, rate) in enumerate(each.clamp.items()):
            if rate is None:
                assert rate_LKTM is not None
                own = rate_LKTM[..., each.from_intact.index(neuron)]
                held_PH[:, column] = np.nanmean(own, axis=(1, 2), dtype=np.float64)
            else:
                held_PH[:, column] = rate
    if each.replay:
        assert rate_LKTM is not None
        columns = [each.from_intact.index(neuron) for neuron in each.replay]
        sources = list(each.replay.values())
        played = np.empty((*rate_LKTM.shape[:3], len(columns)), dtype=np.float32)
        for source in dict.fromkeys(sources):
            which = [place for place, own in enumerate(sources) if own == source]
            taken = rate_LKTM[..., [columns[place] for place in which]]
            played[..., which] = elsewhere(taken, source, seed)
    return Intervention(
        lesioned=each.lesion,
        held=tuple(each.clamp),
        held_PH=held_PH,
        played=tuple(each.replay),
        played_PKTH=played,
        frozen_from=each.frozen_from,
    )


def elsewhere(rate_LKTM: NDArray[np.float32], source: Source, seed: int) -> NDArray[np.float32]:
    """Rates in another order: of trials, of steps, or of lives; neurons stay together.

    Where a trial lasts longer than the one whose rates it has, the last rates stay.
    """
    import numpy as np

    if source == "life":
        found = np.roll(rate_LKTM, -1, axis=0)
    else:
        found = rate_LKTM.copy()
        for life, own_KTM in enumerate(found):
            random = np.random.default_rng([seed, life])
            if source == "trials":
                own_KTM[:] = own_KTM[random.permutation(len(own_KTM))]
            else:
                there = ~np.isnan(own_KTM[..., 0])
                values = own_KTM[there]
                own_KTM[there] = values[random.permutation(len(values))]
    for step in range(1, found.shape[2]):
        over = np.isnan(found[:, :, step])
        found[:, :, step] = np.where(over, found[:, :, step - 1], found[:, :, step])
    return found


def _steps(setting: Setting, task: int) -> int:
    from evoplastic.trials.table import TrialTable

    trials = setting.tasks[task].trials
    return trials.num_steps if isinstance(trials, TrialTable) else trials.max_trial_steps


def _require_room(setting: Setting, task: int, lifetimes: int, neurons: int) -> None:
    """Refuse more rates than fit into memory.

    Raises:
        UsageError: with their size.
    """
    import psutil

    num_trials, steps = setting.problem.lifetime.num_trials, _steps(setting, task)
    size = 3 * 4 * lifetimes * num_trials * steps * neurons  # theirs, in another order, in between
    room = psutil.virtual_memory().available // 2
    require(
        size <= room,
        f"the rates of {neurons} neurons in {lifetimes} lifetimes take {size / 2**30:.1f} GiB, "
        f"{room / 2**30:.1f} GiB are at hand; probe fewer lifetimes",
    )
