"""Play NeuroGym environments step by step: slow, and always right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import neurogym
import numpy as np
from numpy.typing import NDArray

Policy = Callable[[Any], int]  # the environment, before the step -> action


class Played(NamedTuple):
    """What happened, step by step and trial by trial; S steps, K trials."""

    observation_SI: NDArray[np.float32]  # seen after each step
    ground_truth_S: NDArray[np.int64]
    reward_S: NDArray[np.float64]
    correct_K: NDArray[np.bool_]  # the action at the end of the response was the ground truth
    reward_K: NDArray[np.float64]  # summed over the trial
    performance_K: NDArray[np.float64]  # what the environment itself says


def oracle(env: Any) -> int:
    """The policy that knows the ground truth."""
    return int(env.gt_now)


def play(env_id: str, policy: Policy, *, seed: int, num_trials: int, **settings: Any) -> Played:
    """Run `num_trials` trials of a fresh environment.

    Correctness is scored here, from the ground truth at the last step of the period `response`;
    the performance that an environment reports is handed on beside it.
    """
    made = neurogym.make(env_id, **settings)
    made.get_wrapper_attr("seed")(seed)  # reset(seed=...) would not seed the trials
    made.reset()
    env = made.unwrapped
    observations, truths, rewards = [], [], []
    correct: list[bool] = []
    performance: list[float] = []
    paid = [0.0]
    while len(performance) < num_trials:
        action = policy(env)
        if env.t_ind == env.end_ind["response"] - 1:
            correct.append(action == env.gt_now)
        observation, reward, _, _, info = made.step(action)
        observations.append(observation.copy())  # a view into a buffer that will change
        truths.append(info["gt"])
        rewards.append(reward)
        paid[-1] += reward
        if info["new_trial"]:
            performance.append(info["performance"])
            paid.append(0.0)
    return Played(
        observation_SI=np.stack(observations),
        ground_truth_S=np.array(truths, dtype=np.int64),
        reward_S=np.array(rewards),
        correct_K=np.array(correct, dtype=bool),
        reward_K=np.array(paid[:-1]),
        performance_K=np.array(performance, dtype=np.float64),
    )
