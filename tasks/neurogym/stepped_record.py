"""What comes of a task that must be stepped, under simple policies: its trials and its levels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import OVER_RIGHT, OVER_WRONG
from evoplastic.types import Float32Array
from tasks.baselines.levels import Level, TaskLevels
from tasks.neurogym.environments import quietly
from tasks.neurogym.stepped_life import SteppedLife
from tasks.neurogym.stepped_world import SteppedEnv

PLAYED_TRIALS, PLAYED_STEPS = 100, 5000  # a policy is played until either is reached
Choose = Callable[[SteppedLife], int]


def recorded(task: SteppedEnv, seed: int, num_trials: int) -> TrialTable:
    """The trials of one environment as whoever takes the target actions meets them.

    They tell a task from others; they are no table to run, because other actions would have led
    elsewhere. Rewards of actions that were not taken are 0.

    Raises:
        Unbankable: the environment breaks down.
    """
    observation: list[Float32Array] = []
    reward: list[NDArray[np.float64]] = []
    onward: list[list[int]] = []
    target: list[int] = []
    flags: list[int] = []
    first: list[int] = []
    kind: list[int] = []
    with quietly():
        life = task.begin(seed)
        for _ in range(num_trials):
            first.append(len(target))
            kind.append(life.kind)
            over = False
            while not over:
                observation.append(life.observation_I.copy())
                target.append(life.target_action)
                flags.append(life.flags)
                action = max(life.target_action, 0)
                paid, over, right = life.act(action)
                reward.append(np.eye(task.interface.num_outputs)[action] * paid)
                ends = OVER_RIGHT if right else OVER_WRONG
                onward.append([ends if over else len(target)] * task.interface.num_outputs)
    return TrialTable(
        task=task.task,
        dt_ms=task.dt_ms,
        observation_VI=np.array(observation, dtype=np.float32),
        target_action_V=np.array(target, dtype=np.int64),
        flags_V=np.array(flags, dtype=np.int8),
        reward_VO=np.array(reward, dtype=np.float32),
        next_VO=np.array(onward, dtype=np.int32),
        first_M=np.array(first, dtype=np.int64),
        kind_M=np.unique(kind, return_inverse=True)[1].astype(np.int64),
    )


def played_levels(task: SteppedEnv, seed: int = 0) -> TaskLevels:
    """What chance, the best single action and whoever takes the target actions reach, by playing.

    The best fixed policy of a bank knows when an answer is due; here it is the better of two: the
    single action throughout that scores best, and chance.

    Raises:
        Unbankable: the environment breaks down.
    """
    rng, O = np.random.default_rng(seed), task.interface.num_outputs

    def always(action: int) -> Choose:
        return lambda life: action

    chance = _play(task, lambda life: int(rng.integers(O)), seed)
    constant = [_play(task, always(action), seed) for action in range(O)]
    oracle = _play(task, lambda life: max(life.target_action, 0), seed)
    best = max([*constant, chance], key=lambda level: (level.accuracy or 0.0, level.reward))
    return TaskLevels(chance, best, oracle)


def _play(task: SteppedEnv, choose: Choose, seed: int) -> Level:
    rewards: list[float] = []
    rights: list[bool] = []
    steps = 0
    with quietly():
        life = task.begin(seed)
        while len(rewards) < PLAYED_TRIALS and steps < PLAYED_STEPS:
            total, over = 0.0, False
            while not over:
                paid, over, right = life.act(choose(life))
                total += paid
                steps += 1
            rewards.append(total)
            rights.append(right)
    return Level(float(np.mean(rights)) if task.has_answers else None, float(np.mean(rewards)))
