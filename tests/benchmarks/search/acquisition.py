"""Time to acquisition: how many lifetimes evolution takes until newborns acquire unseen tasks.

A run has acquired at the first measurement at which held-out accuracy is at least LEVEL and stays
so for STAYS measurements in a row. What counts is what evolution spent until then: lifetimes of its
populations, their trials, and the seconds of its generations, without those of measuring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cluster.config.run import RunConfig
from cluster.experiment import build_experiment
from cluster.journal import read_journal
from evoplastic.records.events import EvaluationEvent, GenerationEvent, StartEvent, TaskEvaluation
from evoplastic.records.names import GENERATION_SECONDS

LEVEL = 0.90
STAYS = 3  # measurements in a row


@dataclass(frozen=True, kw_only=True)
class Point:
    """One measurement of the bare center, and what evolution had spent before it."""

    generation: int
    lifetimes: int
    trials: int
    seconds: float
    held_out: float  # mean accuracy over held-out tasks and lifetimes
    train: float  # the same over training tasks


@dataclass(frozen=True, kw_only=True)
class Run:
    """One seed of a setting, measured to its end."""

    setting: str
    seed: int
    digest: str  # of the configuration
    commit: str
    points: tuple[Point, ...]

    def acquired(self, level: float = LEVEL, stays: int = STAYS) -> Point | None:
        """The first measurement from which on accuracy stays, or None if it never does.

        Args:
            level: accuracy to reach.
            stays: measurements in a row that have to reach it.
        """
        reached = [point.held_out >= level for point in self.points]
        for first in range(len(reached) - stays + 1):
            if all(reached[first : first + stays]):
                return self.points[first]
        return None

    def final(self, stays: int = STAYS) -> float:
        """Held-out accuracy at the end: the mean of the last measurements."""
        return float(np.mean([point.held_out for point in self.points[-stays:]]))

    def to_json(self) -> dict[str, Any]:
        """What a line of the results holds."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Run:
        """The run of a line."""
        return cls(**{**raw, "points": tuple(Point(**point) for point in raw["points"])})


def read_run(setting: str, config: RunConfig, run_dir: Path) -> Run:
    """What the journal of a finished run says.

    Args:
        setting: its name.
        config: of the run.
        run_dir: where it is.
    """
    events, _ = read_journal(run_dir / "journal.ndjson")
    popsize = build_experiment(config).search.popsize
    seconds = {
        event.generation: event.metrics[GENERATION_SECONDS]
        for event in events
        if isinstance(event, GenerationEvent)
    }
    points = [
        Point(
            generation=event.generation,
            lifetimes=event.generation * popsize,
            trials=event.generation * popsize * config.lifetime.num_trials,
            seconds=round(sum(seconds[at] for at in range(event.generation)), 3),
            held_out=_accuracy(event.entries, "held_out"),
            train=_accuracy(event.entries, "train"),
        )
        for event in events
        if isinstance(event, EvaluationEvent)
    ]
    start = next(event for event in events if isinstance(event, StartEvent))
    commit = start.git_commit[:7] + ("+" if start.git_dirty else "")
    return Run(
        setting=setting, seed=config.seed, digest=config.digest, commit=commit, points=tuple(points)
    )


def _accuracy(entries: Sequence[TaskEvaluation], role: str) -> float:
    found = [
        accuracy
        for entry in entries
        if (entry.role, entry.condition) == (role, "plastic")
        for accuracy in entry.accuracy
    ]
    return round(float(np.mean(found)), 4)
