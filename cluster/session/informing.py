"""What curricula may go by: the center on its training tasks, as recorded evaluations have it.

What counts for generation n is the session of generation n - n % every, which comes before it in
any run, however long that is and wherever it was interrupted.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from cluster.experiment import Experiment
from evoplastic.records.events import EvaluationEvent, Event, TaskEvaluation
from tasks.curricula.informed import Informed, Measured


class Informing:
    """Measurements by the generation of their session; none where the curriculum asks for none."""

    def __init__(self, experiment: Experiment, events: Iterable[Event]) -> None:
        """Take what a journal holds."""
        config = experiment.config
        self._asked = isinstance(experiment.curriculum, Informed)
        self._every, self._scored = config.evaluation.every, config.lifetime.scored_trials
        self._tasks = [task.name for task in experiment.suite.train]
        self._found: dict[int, Measured] = {}
        for event in events:
            if isinstance(event, EvaluationEvent):
                self.take(event)

    def take(self, event: EvaluationEvent) -> None:
        """Take a session."""
        if not self._asked:
            return
        entries = {
            entry.task: entry
            for entry in event.entries
            if entry.role == "train" and entry.condition == "plastic"
        }
        scores = [_scores(entries[task], self._scored) for task in self._tasks]
        early_T, late_T = np.array(scores).T
        self._found[event.generation] = Measured(early_T, late_T)

    def measured(self, generation: int) -> Measured | None:
        """What a generation goes by."""
        return self._found[generation - generation % self._every] if self._asked else None


def _scores(entry: TaskEvaluation, scored: int) -> tuple[float, float]:
    """Of the first and the last trials: 0 as by guessing, 1 as of whoever knows the answers."""
    low, high = entry.reward_chance, entry.reward_oracle
    curve_K = np.array(entry.reward_curve)
    if entry.accuracy:
        curve_K, low, high = np.array(entry.curve), entry.chance, 1.0
    early, late = float(curve_K[:scored].mean()), float(curve_K[-scored:].mean())
    if low is None or high is None or high <= low:
        return early, late
    return (early - low) / (high - low), (late - low) / (high - low)
