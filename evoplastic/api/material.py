"""What figures of the inside are drawn from: evaluations and recordings, each made once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.api.running import Planned, labelled, require_room, steps_of

if TYPE_CHECKING:
    from analysis.figures.inside.catalogue import Material
    from evoplastic.api.setting import Setting
    from evoplastic.genome.genome import Genome
    from evoplastic.lifetime.imitation.activity import Activity

ENDS = 4  # trials at the begin and at the end of a lifetime that are recorded of many lifetimes
FEW = 4  # lifetimes whose plastic weights are recorded
LAST = 8  # trials at the end of lifetimes that are recorded of each task of the suite
SOME = 16  # lifetimes of each task that are recorded
FEWER = 8  # lifetimes of each task that are lesioned
MOST_BYTES = 1 << 27  # of them


@dataclass(frozen=True, eq=False)
class Making:
    """Of which networks, in which lifetimes."""

    genome: Genome
    first: Genome | None  # that its run began with
    task: str | None
    lifetimes: int
    activity: Activity | None  # recorded elsewhere
    common: dict[str, Any]  # seed, configuration, engine and overrides of everything that is run

    @cached_property
    def setting(self) -> Setting:
        """That of the task."""
        return self._of(self.genome)

    @cached_property
    def suite(self) -> Setting:
        """That of all tasks of the suite, held-out ones last."""
        from evoplastic.api.setting import setting_of

        names = [*self.setting.train, *self.setting.held_out]
        return setting_of(self.genome, names, **self.common)

    @cached_property
    def first_setting(self) -> Setting:
        """That of the task and the first genome."""
        assert self.first is not None
        return self._of(self.first)

    def _of(self, genome: Genome) -> Setting:
        from evoplastic.api.setting import setting_of

        return setting_of(genome, None if self.task is None else [self.task], **self.common)


def with_first(ref: str | Path | Genome, store: str | None) -> tuple[Genome, Genome | None]:
    """A genome, and the one that its run began with, where that lies beside it."""
    from evoplastic.api.references import find_genome
    from evoplastic.genome.genome import Genome
    from evoplastic.records.names import INITIAL_NAME

    if isinstance(ref, Genome):
        return ref, None
    found = find_genome(ref, store)
    loaded = replace(Genome.load(found.path), run_config=found.config)
    beginning = found.path.parent / INITIAL_NAME
    if found.config is None or found.path.name == INITIAL_NAME or not beginning.is_file():
        return loaded, None
    return loaded, replace(Genome.load(beginning), run_config=found.config)


def _evaluation(making: Making, _: Material) -> Any:
    from evoplastic.api.evaluating import evaluated

    tasks = None if making.task is None else [making.task]
    return evaluated(
        making.genome, tasks, making.lifetimes, controls=True, choices=True, **making.common
    )


def _recording(setting: Setting, lifetimes: int, fields: tuple[str, ...], trials: Any) -> Any:
    from evoplastic.lifetime.recording import Recording, trial_numbers

    chosen = trial_numbers(trials, setting.problem.lifetime.num_trials)
    recording = Recording(trials=chosen, fields=fields)
    require_room(recording, lifetimes, steps_of(setting), setting.genome.groups)
    return Planned(setting, recording, lifetimes, True).carry_out()


def _ends(making: Making, setting: Setting) -> Any:
    """Rates of the first and the last trials of lifetimes."""
    some = max(1, min(ENDS, setting.problem.lifetime.num_trials // 2))
    ends = [*range(some), *range(-some, 0)]
    recording = _recording(setting, making.lifetimes, ("rate", "mod"), ends)
    generation = setting.genome.provenance.get("generation")
    return recording if generation is None else recording.assign_attrs(generation=str(generation))


def _first_ends(making: Making, _: Material) -> Any:
    return None if making.first is None else _ends(making, making.first_setting)


def _lives(making: Making, _: Material) -> Any:
    """Plastic weights of all trials of few lifetimes, or of as many trials as are reasonable."""
    setting = making.setting
    num_trials, groups = setting.problem.lifetime.num_trials, setting.genome.groups
    size = 4 * FEW * (groups.num_neurons - groups.num_clamped) * groups.num_neurons
    every = -(-num_trials * size // MOST_BYTES)
    trials = sorted({*range(0, num_trials, every), num_trials - 1})
    return _recording(setting, FEW, ("mod", "p"), trials)


def _connections(making: Making, material: Material) -> Any:
    from evoplastic.api.connections import connections_of

    return connections_of(making.setting, material.lives)


def _dynamics(making: Making, material: Material) -> Any:
    from evoplastic.api.connections import dynamics_of

    return dynamics_of(making.setting, material.connections)


def _tasks(making: Making, _: Material) -> Any:
    """Rates of the last trials of few lifetimes of each task of the suite."""
    from evoplastic.lifetime.recorded import record_replicates
    from evoplastic.lifetime.recording import Recording
    from evoplastic.lifetime.shards import ReplicateShard
    from evoplastic.watching import at

    setting = making.suite
    num_trials, names = setting.problem.lifetime.num_trials, [each.name for each in setting.tasks]
    trials = tuple(range(num_trials))[-LAST:]
    recording = Recording(trials=trials, fields=("rate",))
    lives = min(making.lifetimes, SOME)
    require_room(recording, lives * len(names), steps_of(setting), setting.genome.groups)
    found = {}
    for index, name in enumerate(names):
        at("tasks", index, len(names))
        shard = ReplicateShard(0, index, 0, lives, True)
        kept = record_replicates(setting.problem, setting.genome.center_G, shard, recording)
        found[name] = labelled(
            replace(setting, tasks=(setting.tasks[index],)), kept, recording, True
        )
    return found


def _clusters(_: Making, material: Material) -> Any:
    from analysis.inside.variance import clustered, task_variance

    return clustered(task_variance(material.tasks))


def _lesions(making: Making, material: Material) -> Any:
    """What each task loses without the neurons of each cluster."""
    from evoplastic.api.probing import carry_out, planned_probe

    cluster, hidden = material.clusters.cluster, making.genome.groups.hidden.start
    lesions = [
        "hidden:" + ",".join(str(neuron - hidden) for neuron in cluster.index[cluster == number])
        for number in range(1, material.clusters.number + 1)
    ]
    lives = max(2, min(making.lifetimes, FEWER))
    setting, asked = planned_probe(
        making.genome,
        list(material.tasks),
        lives,
        0.95,
        overrides=making.common["overrides"],
        seed=making.common["seed"],
        config=making.common["config"],
        engine=making.common["engine"],
        store=None,
        lesion=lesions,
        each=True,
        clamp=None,
        freeze_plasticity_after=None,
        shuffle=(),
        shuffle_steps=(),
        another_life=(),
        scale=None,
    )
    return carry_out(setting, asked, lives, 0.95, resamples=999)


def _activity(making: Making, _: Material) -> Any:
    """What was read, once it is known to be of the task's conditions."""
    from evoplastic.lifetime.imitation.activity import order_of
    from evoplastic.trials.shown import kind_names

    assert making.activity is not None
    task = making.setting.tasks[0]
    order_of(making.activity.conditions, list(kind_names(task.trials).values()), task.name)
    return making.activity


MAKERS: dict[str, Callable[[Making, Material], Any]] = {
    "activity": _activity,
    "evaluation": _evaluation,
    "ends": lambda making, _: _ends(making, making.setting),
    "first_ends": _first_ends,
    "lives": _lives,
    "connections": _connections,
    "dynamics": _dynamics,
    "tasks": _tasks,
    "clusters": _clusters,
    "lesions": _lesions,
}
MAKING = {
    "activity": "reading activity",
    "evaluation": "evaluating",
    "ends": "recording first and last trials",
    "first_ends": "recording the first genome",
    "lives": "recording plastic weights",
    "connections": "reading weights",
    "dynamics": "reading dynamics",
    "tasks": "recording all tasks",
    "clusters": "grouping neurons",
    "lesions": "lesioning clusters",
}
