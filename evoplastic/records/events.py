"""What a run records, by type: the one language of the writer and the readers.

A run's journal is a file of JSON objects, one event per line. Generation g's events describe
the center before its update: generation 0 is the first genome, and after the last update one more
evaluation carries the number of generations.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args

import numpy as np

from evoplastic.checks import UsageError, require
from evoplastic.records.names import CHAIN, Condition, Role, Status, group_metric, task_metric

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
