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


def recording(lives: int = 24, trials: int = 4) -> xr.Dataset:
    """Eight steps: stimulus 1 is told by neuron t at step t alone, stimulus 2 by neuron 8 from step
    4 on; neuron 9 is a response neuron. A little noise; mod(t) = t / 8."""
    rng = np.random.default_rng(1)
    kind = rng.integers(0, 4, (lives, trials))
    first, second = kind // 2, kind % 2
    rate = rng.normal(0, 0.3, (lives, trials, 8, 10))
    for step in range(8):
        rate[:, :, step, step] += 2 * first - 1
    rate[:, :, 4:, 8] += (2 * second - 1)[..., None]
    both = ("life", "trial")
    return xr.Dataset(
        {
            "rate": ((*both, "step", "neuron"), rate.astype(np.float32)),
            "mod": ((*both, "step"), np.broadcast_to(np.arange(8) / 8, (lives, trials, 8))),
        },
        coords={
            "life": np.arange(lives),
            "trial": np.arange(trials),
            "time_ms": ("step", 20.0 * np.arange(8)),
            "group": ("neuron", ["hidden"] * 9 + ["response"]),
            "kind": (both, kind),
            "stimulus1": (both, first),
            "stimulus2": (both, second),
            "target_action": (both, first),
            "correct": (both, first == first),
            "steps": (both, np.full_like(kind, 8)),
        },
        attrs={
            "task": "copy", "dt_ms": 20.0, "genome": "a" * 64, "seed": "1", "engine": "cpu",
            "stimulus1_steps": [0, 2], "response_steps": [5, 6], "feedback_steps": [6, 8],
        },
    )  # fmt: skip


def lives() -> xr.Dataset:
    """Two lifetimes of four trials: each p grows by 1 from trial 1 on, mod is 1/4."""
    p = np.broadcast_to(np.arange(4.0)[None, :, None, None], (2, 4, 7, 8))
    both = ("life", "trial")
    return xr.Dataset(
        {
            "p": ((*both, "target", "source"), p),
            "mod": ((*both, "step"), np.full((2, 4, 8), -0.25)),
        },
        coords={
            "life": [0, 1],
            "trial": np.arange(4),
            "kind": (both, np.zeros((2, 4), dtype=int)),
            "correct": (both, np.ones((2, 4), dtype=bool)),
            "prediction_error": (both, np.broadcast_to([0.5, 0.4, 0.3, 0.2], (2, 4))),
            "target": np.arange(1, 8),
            "source": np.arange(8),
        },
        attrs={"task": "copy", "dt_ms": 20.0},
    )


def connections() -> xr.Dataset:
    """Neuron 0 is a stimulus, 1 to 7 hidden; 1, 3 and 5 have nearly the same weights. What is
    learnt has rank one."""
    rng = np.random.default_rng(2)
    w = rng.normal(size=(7, 8))
    w[[2, 4]] = w[0] + rng.normal(0, 0.01, (2, 8))
    w[:, [3, 5]] = w[:, [1]] + rng.normal(0, 0.01, (7, 2))
    change = np.stack([np.outer(np.arange(7), np.ones(8)) / 10] * 2)
    return xr.Dataset(
        {
            "w": (("target", "source"), w),
            "alpha": (("target", "source"), np.abs(w)),
            "change": (("life", "target", "source"), change),
        },
        coords={
            "target": np.arange(1, 8),
            "source": np.arange(8),
            "target_group": ("target", ["hidden"] * 7),
            "source_group": ("source", ["stimulus"] + ["hidden"] * 7),
        },
        attrs={"task": "copy", "after_trial": 4, "genome": "a" * 64, "seed": "1", "engine": "cpu"},
    )
