"""Lifetimes seen from inside, as labelled arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from evoplastic.api.defaults import EVALUATION_SEED
from evoplastic.api.setting import Setting, as_overrides, setting_of
from evoplastic.checks import require, whole_number

if TYPE_CHECKING:
    import xarray as xr

    from evoplastic.genome.genome import Genome
    from evoplastic.lifetime.recorded import RecordedLives
    from evoplastic.lifetime.recording import Recording
    from evoplastic.network.neurons import NeuronGroups
    from evoplastic.trials.world import Task
    from evoplastic.types import Int64Array

SHARE_OF_MEMORY = 0.5  # of what is free, for what is recorded


def run(
    genome: str | Path | Genome,
    task: str | None = None,
    lifetimes: int = 32,
    record: str | Sequence[str] = ("rate", "mod", "choice"),
    trials: Sequence[int] | slice | None = None,
    *,
    seed: int = EVALUATION_SEED,
    plastic: bool = True,
    config: str | Path | None = None,
    engine: str | None = None,
    store: str | None = None,
    **settings: Any,
) -> xr.Dataset:
    """Run lifetimes of one genome on one task and keep what happens inside.

    They are those of `evaluate` with the same seed. Rates, modulation and choices are kept of each
    step of the chosen trials, p and elig of the end of each chosen trial.

    Args:
        genome: a genome, or a reference to one, see `load`.
        task: its name, `my_task.py:MyTask` too; none means the first held-out task.
        lifetimes: how many.
        record: any of rate, mod, choice, p, elig.
        trials: numbers from 0 on (negative: from the end), or a slice; none means all.
        seed: root of trials and perturbations.
        plastic: False runs with alpha = 0.
        config: recipe or file; none means the configuration of the genome's run, where that is
            known, else the published setting.
        engine: none means that of the configuration; a task that fits into no table is recorded on
            the reference engine, which is said.
        store: MLflow tracking URI to look the genome up in.
        settings: of the configuration, as in `lifetime={"num_trials": 200}`.

    Returns:
        rate(life, trial, step, neuron)   after each step
        mod(life, trial, step)            signal of the modulatory neurons
        choice(life, trial, step)         action, -1 where none is chosen
        p, elig(life, trial, target, source)   of connections onto neurons that are not clamped

        with coordinates kind, correct, reward, loss, target_action, steps of each life and trial;
        which value its stimuli have (stimulus1, ...), where trials of a kind show the same;
        prediction_error (outcome less its running mean), if all trials are recorded; time_ms of
        each step; group of each neuron. Steps behind a trial's end are NaN.

    Raises:
        UsageError: no such genome, configuration or task; an unknown quantity (with the nearest
            one); trials that a lifetime does not have; a recording that does not fit into memory
            (with its size).
    """
    plan = planned(
        genome,
        task,
        lifetimes,
        record,
        trials,
        seed=seed,
        plastic=plastic,
        config=config,
        engine=engine,
        store=store,
        settings=settings,
    )
    return plan.carry_out()


class Planned(NamedTuple):
    """A recording that is known to fit, before anything is run."""

    setting: Setting
    recording: Recording
    lifetimes: int
    plastic: bool

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each quantity."""
        return self.recording.shapes(self.lifetimes, steps_of(self.setting), self._groups)

    @property
    def num_bytes(self) -> int:
        """Memory that the recorded numbers take."""
        return self.recording.num_bytes(self.lifetimes, steps_of(self.setting), self._groups)

    @property
    def _groups(self) -> NeuronGroups:
        return self.setting.genome.groups

    def carry_out(self) -> xr.Dataset:
        """Run the lifetimes; what was recorded, labelled."""
        from evoplastic.lifetime.recorded import record_replicates
        from evoplastic.lifetime.shards import ReplicateShard

        shard = ReplicateShard(0, 0, 0, self.lifetimes, self.plastic)
        center_G = self.setting.genome.center_G
        lives = record_replicates(self.setting.problem, center_G, shard, self.recording)
        return labelled(self.setting, lives, self.recording, self.plastic)


def planned(
    genome: str | Path | Genome,
    task: str | None,
    lifetimes: int,
    record: str | Sequence[str],
    trials: Sequence[int] | slice | None,
    *,
    seed: int,
    plastic: bool,
    config: str | Path | None,
    engine: str | None,
    store: str | None,
    settings: Mapping[str, Any],
    overrides: Sequence[str] = (),
) -> Planned:
    """What `run` will do, checked; arguments and errors are those of `run`.

    Args:
        overrides: `key=value`, beside the settings.
    """
    from evoplastic.lifetime.recording import RECORDABLE, Recording, trial_numbers

    lifetimes = whole_number("lifetimes", lifetimes, 1)
    require(
        isinstance(record, str | Sequence),
        f"record is {record!r}, expected some of {', '.join(RECORDABLE)}",
    )
    setting = setting_of(
        genome,
        None if task is None else [task],
        config=config,
        overrides=[*overrides, *as_overrides(settings)],
        seed=seed,
        engine=engine,
        store=store,
    )
    fields = (record,) if isinstance(record, str) else tuple(record)
    chosen = trial_numbers(trials, setting.problem.lifetime.num_trials)
    recording = Recording(trials=chosen, fields=fields)
    require_room(recording, lifetimes, steps_of(setting), setting.genome.groups)
    return Planned(setting, recording, lifetimes, plastic)


def steps_of(setting: Setting) -> int:
    """Steps of the longest trial of the first task."""
    from evoplastic.trials.table import TrialTable

    task = setting.tasks[0].trials
    return task.num_steps if isinstance(task, TrialTable) else task.max_trial_steps


def require_room(recording: Recording, lifetimes: int, steps: int, groups: NeuronGroups) -> None:
    """Refuse a recording that does not fit into memory.

    Raises:
        UsageError: with its size, and how to ask for less.
    """
    import psutil

    size = recording.num_bytes(lifetimes, steps, groups)
    room = SHARE_OF_MEMORY * psutil.virtual_memory().available
    shapes = recording.shapes(lifetimes, steps, groups)
    listed = ", ".join(f"{name} {' x '.join(map(str, shape))}" for name, shape in shapes.items())
    require(
        size <= room,
        f"the recording takes {size / 2**30:.1f} GiB ({listed}), {room / 2**30:.1f} GiB are at "
        "hand; ask for fewer lifetimes=, trials= or record=",
    )


def labelled(
    setting: Setting, lives: RecordedLives, recording: Recording, plastic: bool
) -> xr.Dataset:
    """What was recorded as one dataset."""
    import numpy as np
    import xarray as xr

    groups = setting.genome.groups
    result, recorded = lives.result, lives.recorded
    trial = np.array(recording.trials)
    neuron_group = np.array(_groups_of(groups))
    dims = {
        "rate": ("life", "trial", "step", "neuron"),
        "mod": ("life", "trial", "step"),
        "choice": ("life", "trial", "step"),
        "p": ("life", "trial", "target", "source"),
        "elig": ("life", "trial", "target", "source"),
    }
    of_trials = {
        "kind": recorded.kind_PR,
        "target_action": recorded.target_PR,
        **{
            name: getattr(result, f"{name}_PK").numpy()[:, trial]
            for name in ("correct", "reward", "loss", "steps")
        },
    }
    coords: dict[str, Any] = {
        "life": np.arange(len(recorded.kind_PR)),
        "trial": trial,
        **{name: (("life", "trial"), values) for name, values in of_trials.items()},
    }
    coords |= stimuli_of(setting.tasks[0].trials, ("life", "trial"), recorded.kind_PR)
    if len(trial) == setting.problem.lifetime.num_trials:
        coords["prediction_error"] = ("life", "trial"), _prediction_errors(setting, lives)
    used = {dim for name in recording.fields for dim in dims[name]}
    if "step" in used:
        step = np.arange(next(a.shape[2] for n, a in recorded.fields.items() if "step" in dims[n]))
        coords |= {"step": step, "time_ms": ("step", step * _dt_ms(setting))}
    if "neuron" in used:
        coords |= {"neuron": np.arange(groups.num_neurons), "group": ("neuron", neuron_group)}
    if "target" in used:
        target = np.arange(groups.num_clamped, groups.num_neurons)
        coords |= {
            "target": target,
            "source": np.arange(groups.num_neurons),
            "target_group": ("target", neuron_group[target]),
            "source_group": ("source", neuron_group),
        }
    return xr.Dataset(
        {name: (dims[name], recorded.fields[name]) for name in recording.fields},
        coords=coords,
        attrs=_attributes(setting, lives, plastic),
    )


def _prediction_errors(setting: Setting, lives: RecordedLives) -> Any:
    from evoplastic.lifetime.prediction import prediction_errors
    from evoplastic.rules.coefficients import Evolvable

    config = setting.problem.lifetime
    decay = config.rule.baseline_decay
    if not isinstance(decay, Evolvable):
        return prediction_errors(lives.result, lives.recorded.kind_PR, config, decay)
    evolved_P = setting.problem.params(setting.genome.center_G[None]).rule.baseline_decay_P
    assert evolved_P is not None
    return prediction_errors(lives.result, lives.recorded.kind_PR, config, evolved_P)


def stimuli_of(task: Task, dims: tuple[str, ...], kind: Int64Array) -> dict[str, Any]:
    """Which value of its stimuli each trial shows, by its kind: stimulus1, stimulus2, ..."""
    from evoplastic.trials.shown import shown_periods
    from evoplastic.trials.table import TrialTable

    periods = shown_periods(task) if isinstance(task, TrialTable) else []
    return {
        f"stimulus{number}": (dims, shown.of_kind[kind])
        for number, shown in enumerate(periods, start=1)
    }


def _dt_ms(setting: Setting) -> float:
    return float(setting.tasks[0].trials.dt_ms)


def _groups_of(groups: NeuronGroups) -> list[str]:
    """The name of each neuron's group."""
    names = ["hidden"] * groups.num_neurons
    for name in ("stimulus", "feedback", "action", "modulators", "response"):
        part = getattr(groups, name)
        names[part] = [name] * (part.stop - part.start)
    names[groups.bias] = "bias"
    return names


def _attributes(setting: Setting, lives: RecordedLives, plastic: bool) -> dict[str, Any]:
    """Where the numbers come from, in words and numbers that any file format takes."""
    from evoplastic.trials.shown import shown_periods
    from evoplastic.trials.table import TrialTable

    task = setting.tasks[0].trials
    timing = task.timing
    windows: dict[str, list[int]] = {}
    if timing is not None:
        windows = {"response": list(timing.response), "feedback": list(timing.feedback)}
        assert isinstance(task, TrialTable)
        for number, shown in enumerate(shown_periods(task), start=1):
            windows[f"stimulus{number}"] = list(shown.steps)
    return {
        "task": setting.tasks[0].name,
        "pacing": "self_paced" if timing is None else "fixed_timing",
        "genome": setting.genome.digest,
        "config": setting.source,
        "rule": setting.problem.lifetime.rule.name,
        "modulator": setting.problem.lifetime.rule.table.modulator,
        "engine": lives.engine,
        "plasticity": "on" if plastic else "off",
        "seed": str(setting.problem.seed),
        "num_trials": setting.problem.lifetime.num_trials,
        "dt_ms": _dt_ms(setting),
        **{f"{name}_steps": steps for name, steps in windows.items()},
    }
