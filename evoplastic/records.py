"""What a run records, by name and type: the one language of the writer and the readers.

A run's journal is a file of JSON objects, one event per line. The folders `cluster` (writing) and
`analysis` (reading) know each other through these types alone. Generation g's events describe
the center before its update: generation 0 is the first genome, and after the last update one more
evaluation carries the number of generations.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from evoplastic.checks import UsageError, require
from evoplastic.metric_names import metric_word

Role = Literal["train", "held_out"]
Condition = Literal["plastic", "plasticity_off", "random_genome"]
Status = Literal["done", "preempted", "interrupted", "failed"]

LOSS_STATISTICS = ("mean", "median", "best", "std")
ACCURACY_STATISTICS = ("mean", "median", "q25", "q75")

# Metric names; "/" groups charts in MLflow.
TRAIN_ACCURACY = "train/accuracy_mean"
TRAIN_REWARD = "train/reward_mean"
CLIPPED_LIFETIMES = "search/clipped_lifetimes"  # share whose gradient was larger than allowed
GRADIENT_NORM = "search/gradient_norm"
CENTER_NORM = "search/center_norm"
UPDATE_NORM = "search/update_norm"
FLAT_GENERATIONS = "search/flat_generations"  # in a row that told the search nothing
SEARCH_STDEV = "search/stdev"  # of the individuals, in units of their fields' scales
ARCHIVE_COVERAGE = "archive/coverage"  # share of cells that have an elite
ARCHIVE_QD_SCORE = "archive/qd_score"  # sum over elites of what their loss is better than the worst
POET_ACTIVE = "poet/active_pairs"
POET_CREATED = "poet/created"  # environments that were not there from the start
POET_SOLVED = "poet/solved"
POET_ANNECS = "poet/annecs"  # novel ones that were created and solved
POET_TRANSFERS = "poet/transfers"  # genomes that moved
POET_SCORE = "poet/score_mean"  # latest score of each genome in its own environment
SUMMARY = "_summary"  # what is asked first; MLflow sorts groups, and this one before all others
FAILED_INDIVIDUALS = "fault/failed_individuals"
RETRIED_SHARDS = "fault/retried_shards"
RAISED_TRIALS = "fault/raised_trials"  # of users' tasks, left out where they were drawn or lived
GENERATION_SECONDS = "time/generation_s"
EVALUATE_SECONDS = "time/evaluate_s"
UPDATE_SECONDS = "time/update_s"
CHECKPOINT_SECONDS = "time/checkpoint_s"
BANKS_SECONDS = "time/banks_s"
RENEW_SECONDS = "time/renew_s"  # making and judging environments, lifetimes apart

# Tag names of a run in the tracking store.
TAG_RUN_ID = "evoplastic.run_id"
TAG_CONFIG = "evoplastic.config_digest"
TAG_SUITE = "evoplastic.suite_digest"
TAG_GIT_COMMIT = "evoplastic.git_commit"
TAG_GIT_DIRTY = "evoplastic.git_dirty"
TAG_ENGINE = "evoplastic.engine"
TAG_GENOME = "genome.sha"
TAG_GENOME_PARENT = "genome.parent_sha"
TAG_RESUMES = "evoplastic.resumes"
TAG_SWEEP = "evoplastic.sweep_id"
TAG_SETTING = "evoplastic.setting_digest"  # of all settings but seed, name and machinery
TAG_OVERRIDES = "evoplastic.overrides"  # what differs from the recipe
TAG_RECIPE = "evoplastic.recipe"

# Tag names of a kept genome, a logged model of the tracking store.
MODEL_TYPE = "evoplastic genome"
MODEL_TAG_DIGEST = "genome_digest"
MODEL_TAG_PARENT = "parent_digest"  # of the first parent
MODEL_TAG_PARENT_RUN = "parent_run"  # of a first parent in another run
MODEL_TAG_PARENTS = "parents"  # all, as JSON
MODEL_TAG_OPERATOR = "operator"
MODEL_TAG_RUN = "run_id"
MODEL_TAG_GENERATION = "generation"
MODEL_TAG_USER = "user"
MODEL_TAG_CELL = "cell"  # of an elite: its bins along the axes of the archive
MODEL_HELD_OUT = "held_out/accuracy_mean"  # over all held-out lifetimes; metric of such a model

# File of a run directory: {"uri": the store last delivered to, "stores": {uri: how far it is}}.
JOURNAL_NAME = "journal.ndjson"
CONFIG_NAME = "config.resolved.yaml"
GENOME_SUFFIX = ".safetensors"
TRACKING_NAME = "tracking.json"
INITIAL_NAME = "initial.safetensors"  # these two in the folder genomes/
START_NAME = f"start{GENOME_SUFFIX}"  # the genome of another run that a run began with
CENTER_NAME = "center.safetensors"
SWEEP_NAME = "sweep.json"  # beside the directories of the runs of a sweep
ARCHIVE_NAME = "archive.json"  # what the elites of a run do, if it keeps any
PEDIGREE_NAME = "pedigree.parquet"  # who descends from whom, of a search that keeps individuals
PEDIGREE_LOG_NAME = "pedigree.ndjson"  # what it is made of, a line for each generation
PEDIGREE_SCHEMA = "evoplastic/pedigree/1"
NOT_RECORDED = "not recorded"  # operator of an individual of whose birth nothing is known
ELITES = "elites"  # folder of them in genomes/
ENVIRONMENTS_NAME = "environments.parquet"  # that evolve: of whom, when, solved by whom
TRANSFERS_NAME = "transfers.parquet"  # genomes that were tried in other environments than theirs
ENVIRONMENTS_FILE = "environments.yaml"  # the same environments as a collection of meta-tasks
PAIRS = "pairs"  # folder in genomes/ of the genome of each environment
POET_SCHEMA = "evoplastic/poet/1"
SOURCES = "sources"  # folder of what a run was made from


def kept_name(generation: int) -> str:
    """File of an evaluated center, in the folder genomes/ too.

    >>> kept_name(40)
    'gen_00000040.safetensors'
    """
    return f"gen_{generation:08d}{GENOME_SUFFIX}"


def generation_of(file: Path) -> int:
    """The generation of a file that is named by `kept_name`."""
    return int(file.stem.removeprefix("gen_"))


CHAIN = "chain"  # key of the running digest in a line of the journal


def loss_metric(statistic: str) -> str:
    """Metric of the population's losses: mean, median, best or std.

    >>> loss_metric("mean")
    'fitness/loss_mean'
    """
    return f"fitness/loss_{statistic}"


def group_metric(group: str, statistic: str) -> str:
    """Metric of the bare center over the held-out tasks of one group.

    >>> group_metric("3 new together", "accuracy_mean")
    'held_out_group/3 new together/accuracy_mean'
    """
    return f"held_out_group/{metric_word(group)}/{statistic}"


def task_metric(role: Role, condition: Condition, task: str, statistic: str) -> str:
    """Metric of the bare center on one task.

    >>> task_metric("held_out", "plastic", "dms", "accuracy_median")
    'held_out/dms/accuracy_median'
    >>> task_metric("train", "plasticity_off", "and", "accuracy_mean")
    'control/plasticity_off/and/accuracy_mean'
    >>> task_metric("train", "plastic", "lights@2", "reward_mean")
    'train/lights_x40_2/reward_mean'
    """
    group = role if condition == "plastic" else f"control/{condition}"
    return f"{group}/{metric_word(task)}/{statistic}"


Rows = tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, kw_only=True)
class StreamRecord:
    """What L lifetimes that are a stream knew of each task after each part."""

    parts: tuple[str, ...]  # what was taught; the first may be birth
    tasks: tuple[str, ...]
    matrices: tuple[Rows, ...]  # [L][part][task], share of right probes; None without probes
    scores: dict[str, tuple[float, ...]]  # of each lifetime, see `lifetime.streams.measures`


def _stream_record(raw: dict[str, Any]) -> StreamRecord:
    return StreamRecord(
        parts=tuple(raw["parts"]),
        tasks=tuple(raw["tasks"]),
        matrices=tuple(tuple(map(tuple, matrix)) for matrix in raw["matrices"]),
        scores={name: tuple(values) for name, values in raw["scores"].items()},
    )


@dataclass(frozen=True, kw_only=True)
class TaskEvaluation:
    """Lifetimes of one genome on one task under one condition."""

    task: str
    role: Role
    condition: Condition
    accuracy: tuple[
        float, ...
    ]  # of each lifetime, over its scored trials; () = a task without answers
    loss_mean: float
    chance: float | None  # accuracy of guessing
    fixed_policy_level: float | None  # accuracy that needs no learning within the lifetime
    curve: tuple[float, ...] | None = None  # mean correctness per trial over the lifetimes
    reward: tuple[float, ...] = ()  # of each lifetime, mean of a scored trial
    reward_chance: float | None = None
    reward_fixed_policy: float | None = None
    reward_oracle: float | None = None  # of whoever always takes the target action
    reward_curve: tuple[float, ...] | None = None  # mean reward per trial over the lifetimes
    reward_adaptive: float | None = None  # of the best policy that learns a meta-task's variables
    stream: StreamRecord | None = None  # of a task that is a stream
    group: str | None = None
    """Of a held-out task, what scores are told apart by: its family, where several are held out, or
    how many levels of a withheld combination are new together."""

    def __post_init__(self) -> None:
        require(self.role in get_args(Role), f"role is {self.role!r}, expected train or held_out")
        require(
            self.condition in get_args(Condition),
            f"condition is {self.condition!r}, expected one of {get_args(Condition)}",
        )
        require(self.lifetimes > 0, f"evaluation of task {self.task!r} holds no lifetime")

    @property
    def lifetimes(self) -> int:
        """Number of lifetimes."""
        return len(self.accuracy or self.reward)

    def statistics(self) -> dict[str, float]:
        """Mean, median and quartiles of accuracy and of reward, as far as there are any, and the
        share of lifetimes more accurate than the best fixed policy."""
        found: dict[str, float] = {}
        for name, values in (("accuracy", self.accuracy), ("reward", self.reward)):
            if values:
                q25, median, q75 = np.quantile(values, (0.25, 0.5, 0.75))
                found[f"{name}_mean"] = float(np.mean(values))
                found[f"{name}_median"] = float(median)
                found[f"{name}_q25"], found[f"{name}_q75"] = float(q25), float(q75)
            if name == "accuracy" and values and self.fixed_policy_level is not None:
                above = np.array(values) > self.fixed_policy_level
                found["above_fixed_policy"] = float(above.mean())
        for name, values in self.stream.scores.items() if self.stream else ():
            found.setdefault(f"{name}_mean", float(np.mean(values)))
        return found

    def metrics(self) -> dict[str, float]:
        """The statistics under their metric names."""
        return {
            task_metric(self.role, self.condition, self.task, name): value
            for name, value in self.statistics().items()
        }


@dataclass(frozen=True, kw_only=True)
class StartEvent:
    """A run begins."""

    event: ClassVar[str] = "start"
    time_ms: int
    run_id: str
    name: str
    seed: int
    config_digest: str
    suite_digest: str
    git_commit: str = ""
    git_dirty: bool = False
    engine: str = ""  # lifetime engine that runs, never "auto"
    versions: dict[str, str] = field(default_factory=dict)
    negations: tuple[tuple[str, str], ...] | None = None
    """Tasks of one role that show the same and want other answers; None = of an older version."""


@dataclass(frozen=True, kw_only=True)
class ResumeEvent:
    """A run goes on from a checkpoint."""

    event: ClassVar[str] = "resume"
    time_ms: int
    generation: int  # the first one to be done again or anew
    engine: str = ""  # lifetime engine that runs from here on


@dataclass(frozen=True, kw_only=True)
class GenerationEvent:
    """One generation was simulated and the center updated."""

    event: ClassVar[str] = "generation"
    time_ms: int
    generation: int
    metrics: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class EvaluationEvent:
    """The bare center of a generation met training and held-out tasks."""

    event: ClassVar[str] = "evaluation"
    time_ms: int
    generation: int
    genome_digest: str
    parent_digest: str  # of the center evaluated before, or "" for the first
    seconds: float
    entries: tuple[TaskEvaluation, ...]

    @property
    def held_out_accuracy(self) -> float | None:
        """Mean of the plastic center over all held-out lifetimes, if tasks have answers."""
        found = [
            accuracy
            for entry in self.entries
            if entry.role == "held_out" and entry.condition == "plastic"
            for accuracy in entry.accuracy
        ]
        return float(np.mean(found)) if found else None

    def held_out_bias(self, negations: Sequence[tuple[str, str]]) -> float | None:
        """Half of what held-out tasks differ by that show the same and want opposite answers, in
        accuracy and without its sign; the mean over such pairs, None without one."""
        reached = {
            entry.task: float(np.mean(entry.accuracy))
            for entry in self.entries
            if entry.role == "held_out" and entry.condition == "plastic" and entry.accuracy
        }
        found = [
            abs(reached[first] - reached[second]) / 2
            for first, second in negations
            if first in reached and second in reached
        ]
        return float(np.mean(found)) if found else None

    def by_group(self) -> dict[str, dict[str, float]]:
        """Means of the plastic center over all lifetimes of each group of held-out tasks."""
        groups: dict[str, list[TaskEvaluation]] = {}
        for entry in self.entries:
            if entry.group is not None and entry.condition == "plastic":
                groups.setdefault(entry.group, []).append(entry)
        found: dict[str, dict[str, float]] = {}
        for group, entries in groups.items():
            accuracies = [value for entry in entries for value in entry.accuracy]
            rewards = [value for entry in entries for value in entry.reward]
            found[group] = {
                name: float(np.mean(values))
                for name, values in (("accuracy_mean", accuracies), ("reward_mean", rewards))
                if values
            }
        return found

    def group_metrics(self) -> dict[str, float]:
        """`by_group` under metric names."""
        return {
            group_metric(group, name): value
            for group, means in self.by_group().items()
            for name, value in means.items()
        }

    def metrics(self) -> dict[str, float]:
        """Metrics of all entries, and of groups of held-out tasks."""
        of_entries = (entry.metrics() for entry in self.entries)
        own = {name: value for metrics in of_entries for name, value in metrics.items()}
        return own | self.group_metrics()


@dataclass(frozen=True, kw_only=True)
class FaultEvent:
    """Something went wrong and was survived."""

    event: ClassVar[str] = "fault"
    time_ms: int
    generation: int
    kind: str
    message: str


@dataclass(frozen=True, kw_only=True)
class EndEvent:
    """A process left the run, whatever the reason."""

    event: ClassVar[str] = "end"
    time_ms: int
    generation: int  # the next one to be simulated
    status: Status


Event = StartEvent | ResumeEvent | GenerationEvent | EvaluationEvent | FaultEvent | EndEvent
EVENTS: dict[str, type[Event]] = {kind.event: kind for kind in get_args(Event)}


def to_line(event: Event) -> str:
    """One line of JSON, without the line feed."""
    return json.dumps({"event": event.event, **dataclasses.asdict(event)}, separators=(",", ":"))


def from_line(line: str, where: str) -> Event:
    """Read an event back.

    Args:
        line: one line of a journal.
        where: file and line number, for the message.

    Raises:
        UsageError: the line is no event.
    """
    try:
        raw = json.loads(line)
        raw.pop(CHAIN, None)  # the file's, not the event's: see evoplastic/chain.py
        kind = EVENTS[raw.pop("event")]
        return kind(**_typed(kind, raw))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{where} holds no event of a run ({error}); restore the file") from error


def _typed(kind: type[Event], raw: dict[str, Any]) -> dict[str, Any]:
    for name in ("time_ms", "generation"):
        if not isinstance(raw.get(name, 0), int):
            raise TypeError(f"{name} is {raw[name]!r}, expected a whole number")
    for name, value in raw.get("metrics", {}).items():
        if not isinstance(value, int | float):
            raise TypeError(f"metric {name} is {value!r}, expected a number")
    if raw.get("negations") is not None:
        raw["negations"] = tuple((str(first), str(second)) for first, second in raw["negations"])
    if kind is EvaluationEvent:
        raw["entries"] = tuple(_task_evaluation(entry) for entry in raw["entries"])
    return raw


def _task_evaluation(raw: dict[str, Any]) -> TaskEvaluation:
    series = ("accuracy", "reward", "curve", "reward_curve")
    typed: dict[str, Any] = {
        name: tuple(value) if name in series and value is not None else value
        for name, value in raw.items()
    }
    if typed.get("stream") is not None:
        typed["stream"] = _stream_record(typed["stream"])
    return TaskEvaluation(**typed)


def metric_events(events: Iterable[Event]) -> list[tuple[int, int, dict[str, float]]]:
    """(time_ms, generation, metrics) of every event that holds any."""
    points = []
    for event in events:
        if isinstance(event, GenerationEvent):
            points.append((event.time_ms, event.generation, event.metrics))
        elif isinstance(event, EvaluationEvent):
            points.append((event.time_ms, event.generation, event.metrics()))
    return points
