"""What an experimenter does to networks while they live: lesions, imposed rates, frozen plasticity.

Everything is said per neuron and life, so that engines need to know three things only: which
connections are not there, which rates are overwritten, and from which trial on nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.lifetime.batch import PlasticParams
from evoplastic.network.neurons import NeuronGroups

Float32Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Intervention:
    """An intervention on P lives.

    Rates are overwritten after each step, before anything reads them: the response, the modulatory
    signal, traces, the next step. Response neurons stay silent outside the response window. Traces
    and plastic weights of connections onto such neurons go on, and reach nothing; a rule that
    divides p by its largest magnitude goes on counting them.
    """

    lesioned: tuple[int, ...] = ()  # no connection from or onto them; rate 0 unless set by the task
    held: tuple[int, ...] = ()  # neurons of constant rates
    held_PH: Float32Array | None = None
    played: tuple[int, ...] = ()  # neurons whose rates are given for each trial and step
    played_PKTH: Float32Array | None = None
    frozen_from: int | None = None  # trials from this one on change no weight

    def of_lives(self, first: int, stop: int) -> Intervention:
        """That on lives [first, stop)."""
        part = slice(first, stop)
        return replace(
            self,
            held_PH=None if self.held_PH is None else self.held_PH[part],
            played_PKTH=None if self.played_PKTH is None else self.played_PKTH[part],
        )

    def lesion(self, params: PlasticParams) -> PlasticParams:
        """The networks without the connections of lesioned neurons."""
        if not self.lesioned:
            return params
        there_N = torch.ones(params.w_PNN.shape[1], dtype=params.w_PNN.dtype)
        there_N[list(self.lesioned)] = 0.0
        there_NN = (there_N[:, None] * there_N[None, :]).to(params.w_PNN.device)
        return params._replace(w_PNN=params.w_PNN * there_NN, alpha_PNN=params.alpha_PNN * there_NN)

    def constant(self, life: int, groups: NeuronGroups) -> dict[int, float]:
        """The rates that are constant in a life, those of lesioned neurons included."""
        rates = {neuron: 0.0 for neuron in self.lesioned if neuron >= groups.num_clamped}
        if self.held_PH is not None:
            rates |= dict(zip(self.held, self.held_PH[life].tolist(), strict=True))
        return rates

    def impose(self, rate_PN: Tensor, trial: int, step: int, groups: NeuronGroups) -> None:
        """Overwrite rates after a step, in place."""
        own = [neuron for neuron in self.lesioned if neuron >= groups.num_clamped]
        if own:
            rate_PN[:, own] = 0.0
        if self.held_PH is not None:
            rate_PN[:, list(self.held)] = _like(self.held_PH, rate_PN)
        if self.played_PKTH is not None:
            rate_PN[:, list(self.played)] = _like(self.played_PKTH[:, trial, step], rate_PN)

    def may_change(self, trial: int) -> bool:
        """Whether plastic weights may still change in a trial."""
        return self.frozen_from is None or trial < self.frozen_from


NOTHING = Intervention()


def _like(values: NDArray[Any], rate_PN: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).to(rate_PN)
