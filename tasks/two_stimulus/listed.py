"""What suites ask of any task whose few trials of fixed timing are all known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

from evoplastic.trials.table import TrialTable
from tasks.baselines.levels import TaskLevels, table_levels

DT_MS = 20


class ListedTask(ABC):
    """A task that lists its trials."""

    @abstractmethod
    def trials(self, seed: int = 0, num_trials: int = 0) -> TrialTable:
        """All trials; neither seed nor number is used."""

    @property
    def about(self) -> str:
        """Suite files say nothing about it."""
        return ""

    @property
    def pacing(self) -> Literal["fixed_timing"]:
        """Its trials have fixed timing."""
        return "fixed_timing"

    @property
    def dt_ms(self) -> float:
        """Time step."""
        return float(DT_MS)

    @property
    def path(self) -> Literal["bank"]:
        """All its trials are known."""
        return "bank"

    @property
    def stepped(self) -> bool:
        """It fits into a table."""
        return False

    def sample(self, num_trials: int = 0) -> TrialTable:
        """All its trials, by which it is compared with others; their number is not used."""
        return self.trials(0, num_trials)

    def levels(self) -> TaskLevels:
        """What simple policies reach."""
        return table_levels(self.trials())
