"""A task as plain data, and a check that plays a task before it is trusted."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from tasks.baselines.levels import best_constant
from tasks.suites.levels import fixed_policy_level
from tasks.suites.loading import known_suites, load_suite, two_stimulus_suites
from tasks.suites.suite import Suite
from tasks.two_stimulus.combinations.task import combination
from tasks.two_stimulus.task import CONDITIONS, PERIODS_MS, TwoStimulusTask, parity_half

CHECKED_TRIALS = 64


def describe_task(name: str, table: str = "intended") -> dict[str, Any]:
    """All about one task: truth table, interface, timing, and the levels to judge accuracies by.

    Raises:
        UsageError: unknown task or table.
    """
    task = TwoStimulusTask(name, table)
    bank = task.trials()
    timing = bank.fixed.timing
    suites = [load_suite(suite, table) for suite in two_stimulus_suites()]
    return {
        "name": name,
        "table": table,
        "description": task.description,
        "suites": _roles(name, suites),
        "parity_half": parity_half(name),
        "truth_table": [
            {"stimulus1": first, "stimulus2": second, "action": action}
            for (first, second), action in zip(CONDITIONS, task.actions, strict=True)
        ],
        "interface": asdict(bank.interface),
        "timing": {
            "dt_ms": timing.dt_ms,
            "num_steps": timing.num_steps,
            "trial_ms": timing.num_steps * timing.dt_ms,
            "response": list(timing.response),
            "feedback": list(timing.feedback),
            "periods_ms": dict(PERIODS_MS),
        },
        "chance": 1.0 / bank.interface.num_outputs,
        "fixed_policy_level": _levels(name, suites),
        "digest": bank.digest,
    }


def check_task(name: str, table: str = "intended") -> dict[str, Any]:
    """Play the NeuroGym environment of a task and compare it with the trials evolution uses.

    `oracle` is the mean reward per trial for giving the ground truth of each step, `constant` the
    best accuracy of a single action. `deterministic`: two fresh environments that are seeded alike
    agree at every step. NeuroGym is imported, which takes seconds.

    Raises:
        UsageError: unknown task or table.
    """
    description = describe_task(name, table)
    from tasks.neurogym.stepping import oracle, play
    from tasks.two_stimulus.env import bank_from_env, env_id

    first, again = (
        play(env_id(name), oracle, seed=1, num_trials=CHECKED_TRIALS, table=table) for _ in range(2)
    )
    return {
        "name": name,
        "table": table,
        "environment": env_id(name),
        "path": "bank",
        "interface": description["interface"],
        "trial_ms": description["timing"]["trial_ms"],
        "bank_equals_environment": bank_from_env(name, table).digest == description["digest"],
        "deterministic": all(
            np.array_equal(getattr(first, field), getattr(again, field)) for field in first._fields
        ),
        "chance": description["chance"],
        "constant": best_constant(TwoStimulusTask(name, table).trials())[1].accuracy,
        "fixed_policy_level": description["fixed_policy_level"],
        "oracle": float(first.reward_K.mean()),
    }


def describe_combination(name: str) -> dict[str, Any]:
    """All about one combination of factors, uncued, and its role in our suites.

    Raises:
        UsageError: no such combination.
    """
    task = combination(name)
    bank = task.trials()
    levels = task.levels()
    suites = [load_suite(suite) for suite in known_suites("fixed_timing")]
    return {
        "name": name,
        "description": task.description,
        "factors": task.of._asdict(),
        "answers": {
            f"{first} {second}": answer
            for (first, second), answer in zip(CONDITIONS, task.truth_table, strict=True)
        },
        "trials": len(bank.kind_M),
        "trial_ms": bank.num_steps * bank.dt_ms,
        "periods_ms": {
            period: [start * bank.dt_ms, stop * bank.dt_ms]
            for period, (start, stop) in task.periods().items()
        },
        "num_inputs": bank.interface.num_inputs,
        "num_actions": bank.interface.num_outputs,
        "levels": {"chance": levels.chance.accuracy, "fixed": levels.best_fixed.accuracy},
        "suites": {
            suite.name: {"role": suite.role(name), "group": suite.groups.get(name)}
            for suite in suites
            if name in suite.task_names
        },
        "digest": bank.digest,
    }


def _roles(name: str, suites: list[Suite]) -> dict[str, str]:
    return {suite.name: suite.role(name) for suite in suites if name in suite.task_names}


def _levels(name: str, suites: list[Suite]) -> dict[str, float | None]:
    return {
        suite.name: fixed_policy_level(suite, name) for suite in suites if name in suite.task_names
    }
