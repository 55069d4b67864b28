"""The level of the best adaptive policy of a machine: exact where small, else a lower bound."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from tasks.machines.adaptive.exact import MOST_NODES, exact_adaptive
from tasks.machines.adaptive.sampling import Policy, can_play, play
from tasks.machines.state_machine import StateMachine

TRIED, MEASURED = 60, 300  # instances to choose a policy by, and to measure it by
TRY_SEED, MEASURE_SEED = 1_000, 1_001


class Adaptive(NamedTuple):
    """Mean reward per trial over an instance, the finding out included."""

    reward: float
    how: Literal["exact", "at least"]
    standard_error: float  # 0 where exact


def adaptive_level(
    machine: StateMachine,
    tried: int = TRIED,
    measured: int = MEASURED,
    most_nodes: int = MOST_NODES,
) -> Adaptive | None:
    """What the best adaptive policy reaches; None for a machine of too many hypotheses.

    Exactly, by dynamic programming over beliefs (`exact.py`); where that takes more than
    `most_nodes`, or where what is shown does not tell the state, what the better of two policies
    reaches (`sampling.py`): chosen on `tried` instances, measured on `measured` others.
    """
    if not (machine.state_ranges or machine.probability_ranges or machine.stimulus_pool):
        return None  # nothing to find out
    value = exact_adaptive(machine, most_nodes)
    if value is not None:
        return Adaptive(value, "exact", 0.0)
    if not can_play(machine):
        return None
    policies: tuple[Policy, ...] = get_args(Policy)
    best = max(policies, key=lambda policy: play(machine, policy, tried, TRY_SEED).reward)
    found = play(machine, best, measured, MEASURE_SEED)
    return Adaptive(found.reward, "at least", found.standard_error)
