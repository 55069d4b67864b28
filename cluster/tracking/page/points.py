"""The metrics of a run's page: some sixty of them, those that answer a reader's questions first.

MLflow sorts groups of metrics by name and draws a card for each, so what is asked first is called
`_summary/...`, a task has the numbers that differ from each other, and controls are means over
tasks. Everything that a run records is in its journal, and in `details/metrics.parquet`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cluster.tracking.mlflow_store import Point
from evoplastic.records.events import EvaluationEvent, Event, GenerationEvent, TaskEvaluation
from evoplastic.records.names import (
    GENERATION_SECONDS,
    SUMMARY,
    TRAIN_ACCURACY,
    TRAIN_REWARD,
    Condition,
    Role,
    task_metric,
)

Pair = tuple[str, str]

SOLVED = 0.90  # held-out accuracy whose time is told
MOST_TASKS = 24  # of a role; those of a larger suite are told by their mean and their worst
HELD_OUT = ("accuracy_mean", "accuracy_q25", "accuracy_q75", "above_fixed_policy")
TRAINING = ("accuracy_mean",)
REWARD = ("reward_mean",)
STREAM = ("acquisition_mean", "retention_mean", "forgetting_mean", "savings_mean")
CONTROLS: tuple[Condition, ...] = ("plasticity_off", "random_genome")
ROLES: tuple[Role, ...] = ("held_out", "train")


@dataclass
class Told:
    """What was told of a run so far, as far as later points depend on it."""

    generations: int = 0  # those whose seconds are counted; one that is simulated again is not
    seconds: float = 0.0  # of evolution, without evaluations and pauses
    solved: bool = False


def points_of(
    events: Iterable[Event], told: Told, halves: bool, negations: Sequence[Pair] = ()
) -> list[Point]:
    """The points that a page gets of these events.

    Args:
        events: in the order of the journal.
        told: brought up to date in place.
        halves: whether generations meet one half of the training tasks and the other in turn.
        negations: see `summary`.
    """
    points: list[Point] = []
    for event in events:
        if isinstance(event, GenerationEvent):
            if event.generation >= told.generations:
                told.generations = event.generation + 1
                told.seconds += event.metrics.get(GENERATION_SECONDS, 0.0)
            values = _by_half(event) if halves else event.metrics
        elif isinstance(event, EvaluationEvent):
            values = evaluation_metrics(event, negations) | _progress(event, told)
        else:
            continue
        points += [
            Point(name, value, event.time_ms, event.generation) for name, value in values.items()
        ]
    return points


def evaluation_metrics(event: EvaluationEvent, negations: Sequence[Pair] = ()) -> dict[str, float]:
    """An evaluation in the numbers of a page: summary, tasks, levels and controls."""
    found = summary(event, negations) | event.group_metrics()
    for role in ROLES:
        entries = _entries(event, role, "plastic")
        if len(entries) <= MOST_TASKS:
            for entry in entries:
                found |= _of_task(entry)
        for condition in CONTROLS:
            found |= _means(f"control/{condition}/{role}", _entries(event, role, condition))
    training = _entries(event, "train", "plastic")
    found |= _levels("train/level", training)
    return found


def summary(event: EvaluationEvent, negations: Sequence[Pair] = ()) -> dict[str, float]:
    """What is asked first: held-out means and the worst task, training, and their levels.

    Args:
        event: an evaluation.
        negations: pairs of tasks that show the same and want opposite answers; where two held-out
            tasks are such, half of what their accuracies differ by is told beside their mean.
    """
    held_out, training = (_entries(event, role, "plastic") for role in ROLES)
    accuracies = [mean for entry in held_out if (mean := _mean(entry.accuracy)) is not None]
    above = [
        share
        for entry in held_out
        if (share := entry.statistics().get("above_fixed_policy")) is not None
    ]
    found = _means(f"{SUMMARY}/held_out", held_out) | _means(f"{SUMMARY}/train", training)
    found |= _levels(f"{SUMMARY}/held_out", held_out)
    if accuracies:
        found[f"{SUMMARY}/held_out_accuracy_worst_task"] = min(accuracies)
    bias = event.held_out_bias(negations)
    if bias is not None:
        found[f"{SUMMARY}/held_out_bias"] = bias
    if above:
        found[f"{SUMMARY}/held_out_above_fixed_policy"] = sum(above) / len(above)
    return found


def _progress(event: EvaluationEvent, told: Told) -> dict[str, float]:
    found = {
        f"{SUMMARY}/number_of_generations": float(event.generation),
        f"{SUMMARY}/seconds_of_evolution": told.seconds,
    }
    accuracy = summary(event).get(f"{SUMMARY}/held_out_accuracy")
    if not told.solved and accuracy is not None and accuracy >= SOLVED:
        told.solved = True
        found[f"{SUMMARY}/seconds_to_held_out_0.90"] = told.seconds
    return found


def _by_half(event: GenerationEvent) -> dict[str, float]:
    """Fitness under the half of the training tasks that the generation met (two in turn)."""
    half = f"half{event.generation // 2 % 2 + 1}"
    kept: dict[str, float] = {}
    for name, value in event.metrics.items():
        group, _, statistic = name.partition("/")
        if group == "fitness":
            kept[f"{group}/{half}/{statistic}"] = value
        elif name in (TRAIN_ACCURACY, TRAIN_REWARD):
            kept[f"fitness/{half}/{statistic}"] = value
        else:
            kept[name] = value
    return kept


def _of_task(entry: TaskEvaluation) -> dict[str, float]:
    """The numbers of one task; those of reward where it says something else than accuracy."""
    held_out = entry.role == "held_out"
    wanted: tuple[str, ...] = HELD_OUT if held_out else TRAINING
    if reward_tells(entry):
        wanted += REWARD
    if entry.stream is not None:
        wanted += STREAM
    numbers = entry.statistics()
    if held_out:
        levels = {"level_chance": entry.chance, "level_fixed_policy": entry.fixed_policy_level}
        numbers |= {name: value for name, value in levels.items() if value is not None}
        wanted += tuple(levels)
    return {
        task_metric(entry.role, entry.condition, entry.task, name): numbers[name]
        for name in wanted
        if name in numbers
    }


def reward_tells(entry: TaskEvaluation) -> bool:
    """Whether a task pays otherwise than one for what is correct and nothing for the rest."""
    if not entry.accuracy:
        return True
    return entry.reward_chance is not None and entry.reward_chance != entry.chance


def _entries(event: EvaluationEvent, role: Role, condition: Condition) -> list[TaskEvaluation]:
    return [each for each in event.entries if (each.role, each.condition) == (role, condition)]


def _means(prefix: str, entries: Sequence[TaskEvaluation]) -> dict[str, float]:
    """Means over tasks of their means over lifetimes."""
    found = {}
    accuracies = [mean for entry in entries if (mean := _mean(entry.accuracy)) is not None]
    rewards = [mean for entry in entries if (mean := _mean(entry.reward)) is not None]
    if accuracies:
        found[f"{prefix}_accuracy"] = sum(accuracies) / len(accuracies)
    if rewards and any(map(reward_tells, entries)):
        found[f"{prefix}_reward"] = sum(rewards) / len(rewards)
    return found


def _levels(prefix: str, entries: Sequence[TaskEvaluation]) -> dict[str, float]:
    """Means over tasks of the levels that accuracy stands beside."""
    found = {}
    for name, key in (("chance", "chance"), ("fixed_policy", "fixed_policy_level")):
        values: list[Any] = [getattr(entry, key) for entry in entries]
        known = [value for value in values if value is not None]
        if known:
            found[f"{prefix}_{name}"] = sum(known) / len(known)
    return found


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
