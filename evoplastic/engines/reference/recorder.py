"""Collects what a `Recording` asks for while the reference engine runs a lifetime."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from evoplastic.lifetime.recording import NO_ACTION, Recorded, Recording, empty_fields
from evoplastic.network.neurons import NeuronGroups
from evoplastic.types import NO_TARGET


class Recorder:
    """What was recorded so far; without a recording, nothing is kept.

    Args:
        recording: what to keep.
        lives: P, individuals.
        steps: T, of the longest trial.
        groups: which neuron does what.
        dtype: of the lifetimes.
    """

    def __init__(
        self,
        recording: Recording | None,
        lives: int,
        steps: int,
        groups: NeuronGroups,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._groups = groups
        self._place: dict[int, int] = {}
        self.recorded: Recorded | None = None
        if recording is not None:
            self._place = {trial: place for place, trial in enumerate(recording.trials)}
            shape = (lives, len(recording.trials))
            exact = np.float64 if dtype == torch.float64 else np.float32
            self.recorded = Recorded(
                empty_fields(recording, lives, steps, groups, exact),
                np.zeros(shape, dtype=np.int64),
                np.full(shape, NO_TARGET, dtype=np.int64),
            )

    def meet(self, trial: int, kind_P: Tensor) -> None:
        """A trial begins."""
        if self.recorded is not None and trial in self._place:
            self.recorded.kind_PR[:, self._place[trial]] = kind_P.cpu().numpy()

    def ask(self, trial: int, target_P: Tensor, alive_P: Tensor | None = None) -> None:
        """A step asks for actions; the last one that is asked for is kept."""
        if self.recorded is not None and trial in self._place:
            asked_P = target_P != NO_TARGET
            if alive_P is not None:
                asked_P = asked_P & alive_P
            who = asked_P.cpu().numpy()
            self.recorded.target_PR[who, self._place[trial]] = target_P.cpu().numpy()[who]

    def step(
        self, trial: int, step: int, name: str, value: Tensor, alive_P: Tensor | None = None
    ) -> None:
        """Keep the value [P, ...] of one step, of those individuals whose trial goes on."""
        if self.recorded is None or trial not in self._place or name not in self.recorded.fields:
            return
        if alive_P is not None:
            nothing = NO_ACTION if name == "choice" else torch.nan
            value = torch.where(alive_P.view(-1, *[1] * (value.ndim - 1)), value, nothing)
        self.recorded.fields[name][:, self._place[trial], step] = value.detach().cpu().numpy()

    def end_trial(self, trial: int, elig_PNN: Tensor, p_PNN: Tensor) -> None:
        """Keep what connections hold at a trial's end."""
        if self.recorded is None or trial not in self._place:
            return
        for name, value in (("elig", elig_PNN), ("p", p_PNN)):
            if name in self.recorded.fields:
                kept = value[:, self._groups.num_clamped :].detach().cpu().numpy()
                self.recorded.fields[name][:, self._place[trial]] = kept
