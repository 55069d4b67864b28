"""How an action is chosen from activity: the largest, or drawn with chances that it gives."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.random.counters import Purpose, philox, purpose_word, seed_key


class Choice(NamedTuple):
    """An action of each individual, and how it came about where it was drawn."""

    action_P: Tensor
    log_chance_P: Tensor | None = None  # of the action that was drawn
    entropy_P: Tensor | None = None  # of all that could have been


class Choose(Protocol):
    """From the activity of response neurons to an action."""

    def __call__(self, activity_PO: Tensor, steps: int, trial: int, step: int) -> Choice:
        """The choice of each individual.

        Args:
            activity_PO: rates, summed over steps; -inf where a task has no such action.
            steps: over how many.
            trial: of the lifetime.
            step: of the trial.
        """
        ...


def largest(activity_PO: Tensor, steps: int, trial: int, step: int) -> Choice:
    """The action whose neuron is the most active."""
    return Choice(activity_PO.argmax(1))


class Sampled:
    """Drawn with the chances softmax(activity / (steps * temperature)), from counters; final.

    The draw of an individual has the address (seed, ACTION | epoch, stream, trial, step), so that
    a trial that is lived again has the same actions.
    """

    def __init__(self, batch: LifetimeBatch, temperature: float) -> None:
        """Take whose streams the individuals have, and how sharp their choices are."""
        self._stream_P = batch.trial_stream_P.astype(np.int64)
        self._purpose = purpose_word(Purpose.ACTION, batch.epoch)
        self._key = seed_key(batch.seed)
        self._temperature = temperature

    def __call__(self, activity_PO: Tensor, steps: int, trial: int, step: int) -> Choice:
        """See `Choose`."""
        logits_PO = activity_PO / (steps * self._temperature)
        log_PO = torch.log_softmax(logits_PO, dim=1)
        chance_PO = log_PO.exp()
        word_P = philox((step, trial, self._stream_P, self._purpose), self._key)[0]
        below_P = torch.from_numpy((np.asarray(word_P) + 0.5) * 2.0**-32)
        summed_PO = chance_PO.detach().double().cpu().cumsum(1)
        there_PO = ~torch.isneginf(activity_PO.detach().cpu())
        last_P = there_PO.long().sum(1) - 1  # rounding may leave the last sum below 1
        action_P = (summed_PO <= below_P[:, None]).long().sum(1).minimum(last_P)
        action_P = action_P.to(activity_PO.device)
        log_chance_P = log_PO.gather(1, action_P[:, None])[:, 0]
        finite_PO = torch.where(torch.isneginf(log_PO), 0.0, log_PO)
        return Choice(action_P, log_chance_P, -(chance_PO * finite_PO).sum(1))
