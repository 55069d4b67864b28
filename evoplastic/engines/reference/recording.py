"""What of a lifetime can be recorded step by step (reference engine only)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from evoplastic.checks import require_known

RECORDABLE = ("rate", "mod", "elig", "p")


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Which quantities to keep, at which trials.

    rate  firing rates                     [P, R, T, N]   R = number of recorded trials
    mod   modulatory signal                [P, R, T]
    elig  eligibility at the trial's end   [P, R, N, N]
    p     plastic weights at the trial's end [P, R, N, N]
    """

    trials: tuple[int, ...]
    fields: tuple[str, ...] = ("rate",)

    def __post_init__(self) -> None:
        for name in self.fields:
            require_known("recorded quantity", name, RECORDABLE)


class Recorder:
    """Collects what a `Recording` asks for while a lifetime runs."""

    def __init__(self, recording: Recording | None) -> None:
        self._recording = recording
        self._steps: dict[str, list[Tensor]] = {}
        self._trials: dict[str, list[Tensor]] = {}

    def wants(self, trial: int, name: str) -> bool:
        """Whether this quantity of this trial is to be kept."""
        chosen = self._recording
        return chosen is not None and trial in chosen.trials and name in chosen.fields

    def step(self, trial: int, name: str, value: Tensor) -> None:
        """Keep the value of one step."""
        if self.wants(trial, name):
            self._steps.setdefault(name, []).append(value.detach().cpu().clone())

    def end_trial(self, trial: int, name: str, value: Tensor) -> None:
        """Keep the value at a trial's end."""
        if self.wants(trial, name):
            self._trials.setdefault(name, []).append(value.detach().cpu().clone())

    def close_trial(self) -> None:
        """Join the steps of the trial that has just ended."""
        for name, values in self._steps.items():
            if values:
                self._trials.setdefault(name, []).append(torch.stack(values, dim=1))
        self._steps = {}

    def result(self) -> dict[str, Tensor]:
        """What was recorded, trials on axis 1."""
        return {name: torch.stack(values, dim=1) for name, values in self._trials.items()}
