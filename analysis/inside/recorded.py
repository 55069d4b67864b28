"""What analyses of recordings have in common: which neurons, which trials, which steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evoplastic.checks import require

CLAMPED = ("stimulus", "feedback", "bias", "action")  # set from outside
PARTS = ("first", "last")


def require_fields(recording: Any, *names: str) -> None:
    """Refuse a recording without some quantity.

    Raises:
        UsageError: naming it.
    """
    missing = [name for name in names if name not in recording.variables]
    require(
        not missing,
        f"the recording holds no {', '.join(missing)}; record it with "
        f"--fields {','.join(missing)} (record={tuple(missing)!r})",
    )


def neurons_of(recording: Any, groups: Sequence[str]) -> Any:
    """The recording of the neurons of some groups.

    Raises:
        UsageError: no rates, or no such neuron.
    """
    require_fields(recording, "rate")
    there = np.isin(recording["group"].values, list(groups))
    known = sorted(set(recording["group"].values.tolist()))
    require(
        bool(there.any()),
        f"the recording has no neuron of {', '.join(groups)}; its groups are {', '.join(known)}",
    )
    return recording.isel(neuron=np.flatnonzero(there))


def first_and_last(recording: Any, most: int = 4) -> dict[str, Any]:
    """The first and the last recorded trials, at most so many of each, and never the same ones.

    Raises:
        UsageError: fewer than two trials.
    """
    trials = recording.sizes["trial"]
    require(
        trials >= 2,
        f"the recording has {trials} trial, expected some first and some last ones; record more, "
        "as in --trials 0-3,396-399",
    )
    number = min(most, trials // 2)
    parts = (recording.isel(trial=slice(0, number)), recording.isel(trial=slice(-number, None)))
    return dict(zip(PARTS, parts, strict=True))


def trials_phrase(recording: Any) -> str:
    """Which trials, counted from 1, in words.

    >>> import numpy as np
    >>> class Some(dict): sizes = {"trial": 4}
    >>> trials_phrase(Some(trial=type("T", (), {"values": np.arange(4)})))
    'trials 1 to 4'
    """
    trial = recording["trial"].values
    if len(trial) == 1:
        return f"trial {int(trial[0]) + 1}"
    return f"trials {int(trial[0]) + 1} to {int(trial[-1]) + 1}"


def steps_with_all(rate: np.ndarray) -> int:
    """Steps [.., step, neuron] that all trials have: self-paced ones end sooner or later."""
    there = ~np.isnan(rate).any(-1)
    return int(there.reshape(-1, there.shape[-1]).all(0).cumprod().sum())


def periods_ms(recording: Any) -> dict[str, tuple[float, float]]:
    """Begin and end of each period of a trial of fixed timing; of a self-paced one, none."""
    dt_ms = float(recording.attrs["dt_ms"])
    found = {}
    for name in [*(f"stimulus{number}" for number in range(1, 9)), "response", "feedback"]:
        steps = recording.attrs.get(f"{name}_steps")
        if steps is not None:
            found[name] = (float(steps[0]) * dt_ms, float(steps[1]) * dt_ms)
    return found
