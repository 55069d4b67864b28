"""Datasets of known content, as `ep.evaluate(..., choices=True)` and `ep.run` return them."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr


def evaluation(lives: int = 6, trials: int = 80, scored: int = 20) -> xr.Dataset:
    """Task "copy": target = stimulus 1. Stimulus 1 is answered well from the start where it is 1,
    and from trial 40 on where it is 0; without plasticity the answer is always 1."""
    rng = np.random.default_rng(0)
    kind_LK = rng.integers(0, 4, (lives, trials))
    first_LK, second_LK = kind_LK // 2, kind_LK % 2
    late = np.arange(trials) >= 40
    choice = np.stack([np.where(late, first_LK, 1), np.ones_like(first_LK)])[None]
    target = np.broadcast_to(first_LK, choice.shape)
    dims = ("task", "condition", "life", "trial")

    def same(values: Any) -> Any:
        return dims, np.broadcast_to(values, choice.shape)

    return xr.Dataset(
        {
            "correct": (dims, choice == target),
            "kind": same(kind_LK),
            "target_action": same(first_LK),
            "choice": (dims, choice),
            "stimulus1": same(first_LK),
            "stimulus2": same(second_LK),
        },
        coords={
            "task": ["copy"],
            "condition": ["plastic", "plasticity_off"],
            "life": np.arange(lives),
            "trial": np.arange(trials),
            "chance": ("task", [0.5]),
        },
        attrs={"scored_trials": scored, "genome": "a" * 64, "seed": "1", "engine": "cpu"},
    )
