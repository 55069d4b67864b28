"""What of a lifetime can be recorded, at which trials, and what then comes out of an engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require, require_known, whole_number
from evoplastic.network.neurons import NeuronGroups
from evoplastic.types import Int64Array

NO_ACTION = -1
RECORDABLE = {
    "rate": "firing rates after each step",
    "mod": "modulatory signal after each step",
    "choice": "action chosen at each step, -1 where none is",
    "p": "plastic weights at the end of a trial",
    "elig": "eligibility traces at the end of a trial",
}
OF_STEPS = ("rate", "mod", "choice")
OF_CONNECTIONS = ("p", "elig")


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Which quantities to keep, at which trials (from 0 on, ascending).

    Raises:
        UsageError: a quantity that is not recorded, or trials that are not in order.
    """

    trials: tuple[int, ...]
    fields: tuple[str, ...] = ("rate",)

    def __post_init__(self) -> None:
        for name in self.fields:
            require_known("recorded quantity", name, RECORDABLE)
        require(len(self.fields) > 0, f"nothing to record; name some of {', '.join(RECORDABLE)}")
        ascending = all(a < b for a, b in pairwise(self.trials))
        require(
            len(self.trials) > 0 and ascending and self.trials[0] >= 0,
            f"recorded trials are {list(self.trials)[:8]}, expected numbers from 0 on, ascending, "
            "each once",
        )

    @property
    def of_connections(self) -> bool:
        """Whether quantities of connections are kept: the engine has to follow all trials."""
        return any(name in OF_CONNECTIONS for name in self.fields)

    def shapes(self, lives: int, steps: int, groups: NeuronGroups) -> dict[str, tuple[int, ...]]:
        """The shape of each quantity, as `Recorded` has them."""
        trials, neurons = len(self.trials), groups.num_neurons
        listed = {
            "rate": (lives, trials, steps, neurons),
            "mod": (lives, trials, steps),
            "choice": (lives, trials, steps),
            "p": (lives, trials, neurons - groups.num_clamped, neurons),
            "elig": (lives, trials, neurons - groups.num_clamped, neurons),
        }
        return {name: listed[name] for name in self.fields}

    def num_bytes(self, lives: int, steps: int, groups: NeuronGroups) -> int:
        """Memory that the recorded numbers take."""
        return 4 * sum(int(np.prod(shape)) for shape in self.shapes(lives, steps, groups).values())


class Recorded(NamedTuple):
    """R recorded trials of P lifetimes; T steps of the longest trial, U neurons not clamped.

    What lies behind the end of a trial is NaN, or `NO_ACTION`. What clamped neurons receive never
    reaches anything, so connections onto them are left out.
    """

    fields: dict[str, NDArray[Any]]
    # rate    float32 [P, R, T, N]
    # mod     float32 [P, R, T]
    # choice  int32 [P, R, T]  in the task's numbering; of fixed timing, when the outcome is known
    # p, elig float32 [P, R, U, N]
    kind_PR: Int64Array  # kind of each trial
    target_PR: Int64Array  # the last action that it asked for, NO_TARGET = none


def empty_fields(
    recording: Recording,
    lives: int,
    steps: int,
    groups: NeuronGroups,
    dtype: type[np.floating] = np.float32,
) -> dict[str, NDArray[Any]]:
    """Room for what will be recorded, filled with what stands for nothing."""
    shapes = recording.shapes(lives, steps, groups)
    return {
        name: np.full(shape, NO_ACTION, dtype=np.int32)
        if name == "choice"
        else np.full(shape, np.nan, dtype=dtype)
        for name, shape in shapes.items()
    }


def trial_numbers(trials: Sequence[int] | slice | range | None, num_trials: int) -> tuple[int, ...]:
    """The trials of a lifetime that someone asks for: numbers, from the end if negative.

    >>> trial_numbers([0, 1, -1], 400)
    (0, 1, 399)
    >>> trial_numbers(slice(0, 6, 2), 400)
    (0, 2, 4)

    Raises:
        UsageError: trials that the lifetime does not have.
    """
    if trials is None:
        return tuple(range(num_trials))
    if isinstance(trials, slice):
        return tuple(range(num_trials)[trials])
    require(
        isinstance(trials, Iterable) and not isinstance(trials, str),
        f"trials is {trials!r}, expected numbers of trials, a slice, or None for all",
    )
    trials = [whole_number("a recorded trial", trial) for trial in trials]
    outside = [trial for trial in trials if not -num_trials <= trial < num_trials]
    require(
        not outside,
        f"trials {outside[:8]} are asked for, a lifetime has trials 0 to {num_trials - 1} "
        "(lifetime.num_trials)",
    )
    return tuple(sorted({trial % num_trials for trial in trials}))


def numbers_written(text: str, what: str = "trials") -> list[int]:
    """The trials, or neurons, that a text lists: numbers and ranges, both ends included.

    >>> numbers_written("0-2,7,-1")
    [0, 1, 2, 7, -1]

    Raises:
        UsageError: anything else, or a range that runs backwards.
    """
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(-?\d{1,9})(?:-(\d{1,9}))?\s*", part, re.ASCII)
        first = int(match[1]) if match else 0
        last = int(match[2]) if match and match[2] else first
        require(
            match is not None and (first == last or 0 <= first <= last),
            f"{what} {text!r} are asked for, expected numbers and ranges from 0 on, as in "
            "0-24,375-399",
        )
        found += range(first, last + 1)
    return found
