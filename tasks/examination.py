"""Find out all about a task before it is trusted: the path it can take, and the levels it has.

`build_step_bank` sees within trials; whether trials repeat from a seed, and whether the next trial
depends on what was answered in this one, shows only when the environment is lived. Both are tried
here.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np

from evoplastic.step_bank import StepBank
from tasks.conformance import POLICIES, find_difference
from tasks.environments import EnvSource
from tasks.neurogym_bank import build_step_bank
from tasks.refusals import Refusal, Unbankable, refuse
from tasks.step_levels import Level, best_constant, chance, oracle

EXAMINED_TRIALS = 32
SPEED_TRIALS = 100


def examine(
    source: EnvSource, num_trials: int = EXAMINED_TRIALS, seed: int = 0
) -> StepBank | Refusal:
    """A bank that was compared with the real environment, or the reason why there is none.

    Raises:
        UsageError: the id is unknown, or `num_trials` is not at least 1.
    """
    try:
        bank = build_step_bank(source, num_trials, seed)
        again = build_step_bank(source, num_trials, seed)
    except Unbankable as error:
        return error.refusal
    if bank.digest != again.digest:
        return refuse(
            "not reproducible",
            source.name,
            "two fresh instances with one seed draw different trials; draw from self.rng",
        )
    for policy in POLICIES:
        difference = find_difference(source, bank, seed, policy)
        if difference is not None:
            return refuse(
                "next trial depends on action",
                source.name,
                f"under the policy {policy!r} the environment leaves the trials it was seen to "
                f"draw: {difference}",
            )
    return bank


def report(source: EnvSource, num_trials: int = EXAMINED_TRIALS, seed: int = 0) -> dict[str, Any]:
    """What `evoplastic tasks check` says about one task, as plain data.

    `path` is "bank", "stepping" or "none"; without a bank, only the refusal follows.

    Raises:
        UsageError: the id is unknown, or `num_trials` is not at least 1.
    """
    found = examine(source, num_trials, seed)
    if isinstance(found, Refusal):
        return {
            "task": source.name,
            "dt_ms": source.dt_ms,
            "path": "stepping" if found.can_be_stepped else "none",
            "refusal": {"reason": found.reason, "detail": found.detail},
        }
    action, constant_level = best_constant(found)
    steps_M = found.num_steps_M
    return {
        "task": source.name,
        "dt_ms": source.dt_ms,
        "path": "bank",
        "refusal": None,
        "interface": asdict(found.interface),
        "periods": list(found.period_names),
        "periods_without_steps": _empty_periods(found),
        "trials": len(steps_M),
        "trial_steps": {
            "min": int(steps_M.min()),
            "median": float(np.median(steps_M)),
            "max": int(steps_M.max()),
        },
        "deterministic": True,  # else `examine` had refused
        "varies_with_seed": build_step_bank(source, num_trials, seed + 1).digest != found.digest,
        "equals_environment": {"policies": list(POLICIES), "trials": num_trials},
        "chance": _plain(chance(found)),
        "best_constant": {"action": action, **_plain(constant_level)},
        "oracle": _plain(oracle(found)),
        "trials_per_s": _speed(source, seed),
        "digest": found.digest,
    }


def _empty_periods(bank: StepBank) -> list[str]:
    """Periods that no trial spends a step in: absent by intention, or shorter than a step."""
    length_MQ = bank.period_MQ2[..., 1] - bank.period_MQ2[..., 0]
    return [
        name
        for name, length_M in zip(bank.period_names, length_MQ.T, strict=True)
        if not length_M.any()
    ]


def _plain(level: Level) -> dict[str, float | None]:
    return {
        name: None if value is None else round(value, 6) for name, value in level._asdict().items()
    }


def _speed(source: EnvSource, seed: int) -> float:
    began = time.process_time()  # of one thread, whatever else the machine does
    build_step_bank(source, SPEED_TRIALS, seed)
    return round(SPEED_TRIALS / (time.process_time() - began), 1)
