"""Find out all about a task before it is trusted: the path it can take, and the levels it has.

`build_bank` sees within trials; whether trials repeat from a seed, and whether the next trial
depends on what was answered in this one, shows only when a lifetime runs in it. Both are tried
here.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from evoplastic.trials.step_bank import StepBank
from evoplastic.trials.table import TrialTable
from tasks.baselines.levels import Level, best_constant, best_fixed, chance, oracle
from tasks.machines.adaptive.level import adaptive_level
from tasks.machines.states import machine_nodes
from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.conformance import POLICIES, Difference, find_differences
from tasks.neurogym.environments import EnvSource
from tasks.neurogym.machine_bank import MIN_INSTANCES, ZERO_CUE, is_zero_cue, machine_bank
from tasks.neurogym.refusals import Refusal, Unbankable, refuse
from tasks.neurogym.sources.notes import notes_on

EXAMINED_TRIALS = 32
SPEED_TRIALS = 100


class Examined(NamedTuple):
    """Trials that were compared with the real environment."""

    bank: StepBank | TrialTable  # states of a state machine, or steps that were probed
    known: list[Difference]  # differences that have a name (`ZERO_CUE`), under all policies


def examine(
    source: EnvSource, num_trials: int = EXAMINED_TRIALS, seed: int = 0
) -> Examined | Refusal:
    """Trials that were compared with the real environment, or the reason why there are none.

    A state machine of the user's own is its definition, there is nothing to compare it with.

    Raises:
        UsageError: the id is unknown, or `num_trials` is not at least 1.
    """
    try:
        bank = build_bank(source, num_trials, seed)
        again = build_bank(source, num_trials, seed)
    except Unbankable as error:
        return error.refusal
    if bank.digest != again.digest:
        return refuse(
            "not reproducible",
            source.name,
            "two fresh instances with one seed draw different trials; draw from self.rng",
        )
    known: list[Difference] = []
    if source.machine is not None:  # there is no environment to compare it with
        return Examined(bank, known)
    for policy in POLICIES:
        differences = find_differences(source, bank, seed, policy)
        named = [each for each in differences if isinstance(bank, TrialTable) and is_zero_cue(each)]
        unnamed = [each for each in differences if not any(each is other for other in named)]
        if unnamed:
            return refuse(
                "next trial depends on action",
                source.name,
                f"under the policy {policy!r} the environment leaves the trials it was seen to "
                f"draw: {unnamed[0]}",
            )
        known += named
    return Examined(bank, known)


def build_bank(source: EnvSource, num_trials: int, seed: int) -> StepBank | TrialTable:
    """The trials of a task, by the one of the two ways that it takes.

    Of a meta-task at least `MIN_INSTANCES` instances.

    Raises:
        Unbankable: the task can only be stepped, or not be used at all.
    """
    if source.machine is not None:
        return machine_nodes(source.machine, drawn_trials(source, num_trials), seed)
    machine = machine_bank(source, num_trials, seed)
    return build_step_bank(source, num_trials, seed) if machine is None else machine


def drawn_trials(source: EnvSource, num_trials: int) -> int:
    """How many trials are drawn where so many are asked for: of a meta-task whole instances."""
    if source.meta is None or source.machine is None:
        return num_trials
    block = source.machine.instance_trials
    return block * max(-(-num_trials // block), MIN_INSTANCES)


def build_table(source: EnvSource, num_trials: int, seed: int) -> TrialTable:
    """The trials of a task in the form that engines run.

    Raises:
        Unbankable: the task can only be stepped, or not be used at all.
    """
    bank = build_bank(source, num_trials, seed)
    return bank.table() if isinstance(bank, StepBank) else bank


def report(source: EnvSource, num_trials: int = EXAMINED_TRIALS, seed: int = 0) -> dict[str, Any]:
    """What `evoplastic tasks check` says about one task, as plain data.

    `path` is "machine", "bank", "stepping" or "none"; without trials only the refusal follows.

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
    bank = found.bank
    table = bank.table() if isinstance(bank, StepBank) else bank
    constant, fixed = best_constant(table), best_fixed(table)
    adaptive = None if source.machine is None else adaptive_level(source.machine)
    return {
        "task": source.name,
        "dt_ms": source.dt_ms,
        "path": "bank" if isinstance(bank, StepBank) else "machine",
        "refusal": None,
        "interface": asdict(bank.interface),
        "periods": list(bank.period_names) if isinstance(bank, StepBank) else [],
        "periods_without_steps": _empty_periods(bank) if isinstance(bank, StepBank) else [],
        "trials": len(table.first_M),
        "trials_left_out": len(bank.left_out) if isinstance(bank, StepBank) else 0,
        "trial_steps": _trial_steps(table),
        "deterministic": True,  # else `examine` had refused
        "varies_with_seed": build_bank(source, num_trials, seed + 1).digest != bank.digest,
        "equals_environment": None
        if source.machine is not None
        else {
            "policies": list(POLICIES),
            "trials": len(table.first_M),
            "but_for": [ZERO_CUE] if found.known else [],
        },
        "chance": _plain(chance(table)),
        "best_constant": {"action": constant[0], **_plain(constant[1])},
        "best_fixed": {"answer": fixed[0], **_plain(fixed[1])},
        "oracle": _plain(oracle(table)),
        "best_adaptive": None if adaptive is None else adaptive._asdict(),
        "trials_per_s": _speed(source, seed),
        "notes": notes_on(table, consecutive=isinstance(bank, StepBank)),
        "digest": bank.digest,
    }


def _trial_steps(bank: TrialTable) -> dict[str, float]:
    """Steps of the trials when none is ended before its time."""
    steps_V = np.zeros(len(bank.target_action_V), dtype=np.int64)
    for _ in range(bank.num_steps):
        steps_V = 1 + np.where(bank.next_VO >= 0, steps_V[bank.next_VO], 0).max(axis=1)
    steps_M = steps_V[bank.first_M]
    return {
        "min": int(steps_M.min()),
        "median": float(np.median(steps_M)),
        "max": int(steps_M.max()),
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
    build_bank(source, SPEED_TRIALS, seed)
    return round(SPEED_TRIALS / (time.process_time() - began), 1)
