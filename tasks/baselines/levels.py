"""What simple policies reach on trials that run freely: the levels to judge scores by, exactly.

Each policy says how likely it takes each action at each node; its mass is sent through the nodes:

    mass(first node of an entry) += 1 / M,      reward += mass(v) policy(v, o) reward(v, o)
    mass(next(v, o)) += mass(v) policy(v, o),   accuracy += the same where next(v, o) is OVER_RIGHT

All trials count, as they do in a lifetime; a task that can never be right has no accuracy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require
from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import HOLD, OVER_RIGHT, UNSCORED


class Level(NamedTuple):
    """Means over trials; accuracy is None for a task without right and wrong."""

    accuracy: float | None
    reward: float  # summed over a trial


class TaskLevels(NamedTuple):
    """What simple policies reach on a task."""

    chance: Level  # any action at each step
    best_fixed: Level  # one answer whenever one is due
    oracle: Level  # what is asked for


def table_levels(table: TrialTable) -> TaskLevels:
    """The levels of a task from its trials."""
    return TaskLevels(chance(table), best_fixed(table)[1], oracle(table))


def level_of(bank: TrialTable, policy_VO: NDArray[np.float64]) -> Level:
    """What a policy reaches that takes action o at node v with probability `policy_VO[v, o]`.

    Raises:
        UsageError: probabilities that do not fit the bank, or do not add up to 1.
    """
    require(
        policy_VO.shape == bank.reward_VO.shape and bool(np.allclose(policy_VO.sum(axis=1), 1.0)),
        f"expected probabilities that add up to 1, of shape {bank.reward_VO.shape}, came shape "
        f"{policy_VO.shape}",
    )
    node_V, count_V = np.unique(bank.first_M, return_counts=True)
    mass_V: NDArray[np.float64] = count_V.astype(
        np.float64
    )  # of whole trials, so that sums of them are exact
    reward = right = 0.0
    while len(node_V):
        flow_VO = mass_V[:, None] * policy_VO[node_V]
        next_VO = bank.next_VO[node_V]
        reward += float((flow_VO * bank.reward_VO[node_V]).sum())
        right += float(flow_VO[next_VO == OVER_RIGHT].sum())
        onward = (next_VO >= 0) & (flow_VO > 0.0)
        node_V, where_V = np.unique(next_VO[onward], return_inverse=True)
        mass_V = np.bincount(where_V.ravel(), weights=flow_VO[onward]).astype(np.float64)
    M = len(bank.first_M)
    return Level(right / M if bank.has_answers else None, reward / M)


def chance(bank: TrialTable) -> Level:
    """Any action with equal probability at each node."""
    return level_of(bank, np.full(bank.reward_VO.shape, 1.0 / bank.reward_VO.shape[1]))


def oracle(bank: TrialTable) -> Level:
    """What is asked at each node; action 0 where nothing is."""
    return level_of(bank, _taking(bank, np.maximum(bank.target_action_V, 0)))


def constant(bank: TrialTable, action: int) -> Level:
    """One action at each node."""
    return level_of(bank, _taking(bank, np.full_like(bank.target_action_V, action)))


def best_constant(bank: TrialTable) -> tuple[int, Level]:
    """The single action with the best accuracy (reward, where nothing is asked), and its level."""
    return _best([constant(bank, action) for action in range(bank.reward_VO.shape[1])])


def fixed(bank: TrialTable, answer: int) -> Level:
    """One answer whenever an answer is due; until then what is asked, action 0 where nothing is.

    So it knows when to hold and when to answer, but nothing of what the stimuli say.
    """
    held_V = np.where(bank.flags_V == HOLD, bank.target_action_V, answer)
    return level_of(bank, _taking(bank, np.where(bank.flags_V == UNSCORED, 0, held_V)))


def best_fixed(bank: TrialTable) -> tuple[int, Level]:
    """The answer with which `fixed` has the best accuracy (or reward), and its level.

    Of fixed timing the best response to all trials.
    """
    if bank.timing is not None:
        return best_constant(bank)
    return _best([fixed(bank, answer) for answer in range(bank.reward_VO.shape[1])])


def best_exchanged(bank: TrialTable) -> Level:
    """`best_fixed` where actions beyond 0 stand for one another at random, anew in each lifetime.

    Nobody can know by birth which of them an answer is, so a fixed one is right as often as they
    are on average; action 0, which stays, may serve better.
    """
    others = [fixed(bank, answer) for answer in range(1, bank.reward_VO.shape[1])]
    rights = [level.accuracy for level in others if level.accuracy is not None]
    mean = Level(
        float(np.mean(rights)) if rights else None,
        float(np.mean([level.reward for level in others])),
    )
    return _best([fixed(bank, 0), mean])[1]


def _taking(bank: TrialTable, action_V: NDArray[np.int64]) -> NDArray[np.float64]:
    policy_VO = np.zeros(bank.reward_VO.shape)
    policy_VO[np.arange(len(action_V)), action_V] = 1.0
    return policy_VO


def _best(levels: list[Level]) -> tuple[int, Level]:
    scores = [level.reward if level.accuracy is None else level.accuracy for level in levels]
    best = int(np.argmax(np.round(scores, 12)))
    return best, levels[best]
