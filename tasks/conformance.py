"""Live trials in the real environment, step by step, and compare them with a bank.

A bank claims what each step shows and pays. Here a fresh instance with the bank's seed is stepped
under a policy, its own next trials following its own trial ends, and every observation, reward and
end is compared with the claim, bit for bit (in float32, in which the engines compute).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from evoplastic.checks import require
from evoplastic.step_bank import StepBank
from tasks.environments import TRIALS, EnvSource, isolated

Policy = Callable[[StepBank, int, int, np.random.Generator], int]  # bank, trial, step, rng


def act_at_random(bank: StepBank, trial: int, step: int, rng: np.random.Generator) -> int:
    """Any action, anew at each step."""
    return int(rng.integers(bank.reward_MTO.shape[2]))


def act_on_ground_truth(bank: StepBank, trial: int, step: int, rng: np.random.Generator) -> int:
    """What is asked for; action 0 where nothing is."""
    return max(int(bank.ground_truth_MT[trial, step]), 0)


def act_constantly(bank: StepBank, trial: int, step: int, rng: np.random.Generator) -> int:
    """One action throughout a trial, another one in the next."""
    return trial % bank.reward_MTO.shape[2]


POLICIES: dict[str, Policy] = {
    "random": act_at_random,
    "ground truth": act_on_ground_truth,
    "constant": act_constantly,
}


def find_difference(
    source: EnvSource, bank: StepBank, seed: int, policy: str, num_trials: int | None = None
) -> str | None:
    """The first step at which the environment does something else than the bank says, or None.

    Raises:
        UsageError: the environment cannot be made, or the bank has fewer trials.
    """
    num_trials = len(bank.num_steps_M) if num_trials is None else num_trials
    require(
        num_trials <= len(bank.num_steps_M),
        f"the bank has {len(bank.num_steps_M)} trials, {num_trials} were asked for",
    )
    choose, rng = POLICIES[policy], np.random.default_rng(seed)
    top = source.make(seed)
    with isolated(seed, TRIALS):
        top.new_trial()
        env = top.unwrapped
        env.performance = 0  # as step() does before each further trial
        shown = np.array(env.ob[0])
        for trial in range(num_trials):
            for step in range(int(bank.num_steps_M[trial])):
                where = f"trial {trial}, step {step}"
                expected = bank.observation_MTI[trial, step]
                if not _same(shown, expected):
                    return f"{where}: shows {shown}, the bank says {expected}"
                action = choose(bank, trial, step, rng)
                shown, reward, terminated, truncated, info = top.step(action)
                paid = bank.reward_MTO[trial, step, action]
                if np.float32(reward) != paid or terminated or truncated:
                    return f"{where}, action {action}: pays {reward}, the bank says {paid}"
                over = bool(bank.ends_MTO[trial, step, action])
                if info["new_trial"] != over:
                    said = "ends" if over else "goes on"
                    return f"{where}, action {action}: the bank says the trial {said}"
                if over:
                    break
    return None


def _same(shown: Any, expected: Any) -> bool:
    return np.asarray(shown, dtype=np.float32).tobytes() == expected.tobytes() or bool(
        np.array_equal(np.asarray(shown, dtype=np.float32), expected)  # zeros of either sign
    )
