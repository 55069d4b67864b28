"""The rules of a state machine as tables, the variables of each trial filled in; what is best.

Axes: M trials, S old state, O action, S new state, F flag (as it stood before the step).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.types import BoolArray, Int64Array
from tasks.machines.draws import Draws
from tasks.machines.state_machine import (
    ANY,
    DOWN,
    FlagRule,
    ProbabilityVariable,
    RewardRule,
    State,
    StateMachine,
    StateVariable,
    StimulusVariable,
)

EQUALLY_GOOD = 1e-9  # expected rewards that differ by less are worth the same


class Rules(NamedTuple):
    """What follows from each step, for each trial."""

    probability_MSOSF: NDArray[np.float64]  # of being paid
    value_MSOSF: NDArray[np.float64]  # what is paid
    flag_MSOSF: Int64Array  # after the step
    stimulus_MS: Int64Array  # -1 = none


def read_rules(machine: StateMachine, draws: Draws) -> Rules:
    """Apply the rules in their order, so that later ones override."""
    M, _, S, O = draws.moves_MTSO.shape
    shape = (M, S, O, S, 2)
    probability: NDArray[np.float64] = np.zeros(shape)
    value: NDArray[np.float64] = np.zeros(shape)
    flag: Int64Array = np.broadcast_to(np.arange(2), shape).copy()
    for rule in machine.rewards:
        matches = _matches(rule, shape, draws)
        chance_M = np.broadcast_to(_chance(rule.probability, draws), M)
        probability = np.where(matches, chance_M[:, None, None, None, None], probability)
        value = np.where(matches, rule.value, value)
    for each in machine.flags:
        flag = np.where(_matches(each, shape, draws), each.value, flag)
    flag[:, :, :, 0] = DOWN
    return Rules(probability, value, flag, _stimuli(machine, draws))


def best_actions(machine: StateMachine, rules: Rules) -> BoolArray:
    """Each action of highest expected reward to the trial's end, [T, M, S, O, F]:

        Q_t(s, o, f) = sum over s' of  T[s, o, s'] (probability * value + V_t+1(s', f'))

    with V = max over o of Q, 0 after the end; none where all actions are worth the same, or where
    the machine states another one.
    """
    T, (M, S, O, _, F) = machine.num_steps, rules.flag_MSOSF.shape
    best_TMSOF = np.zeros((T, M, S, O, F), dtype=bool)
    if machine.target_actions is not None:
        for state, action in enumerate(machine.target_actions):
            if action is not None:
                best_TMSOF[:, :, state, action] = True
        return best_TMSOF
    paid = rules.probability_MSOSF * rules.value_MSOSF
    worth_MSF = np.zeros((M, S, F))
    m, new = np.arange(M)[:, None, None, None, None], np.arange(S)[None, None, None, :, None]
    for t in reversed(range(T)):
        later = worth_MSF[m, new, rules.flag_MSOSF]
        quality_MSOF = np.einsum("sou,msouf->msof", machine.transition_SOS, paid + later)
        most = quality_MSOF.max(axis=2, keepdims=True)
        good = quality_MSOF >= most - EQUALLY_GOOD
        best_TMSOF[t] = good & ~good.all(axis=2, keepdims=True)
        worth_MSF = most[:, :, 0]
        worth_MSF[:, list(machine.ends)] = 0.0
    return best_TMSOF


def _matches(rule: RewardRule | FlagRule, shape: tuple[int, ...], draws: Draws) -> BoolArray:
    _, S, O, _, F = shape
    old_MS, new_MS = (_is_state(state, S, draws) for state in (rule.old, rule.new))
    action_O = np.isin(np.arange(O), rule.action) | (rule.action == ANY)
    flag = rule.flag if isinstance(rule, RewardRule) else ANY
    flag_F = np.isin(np.arange(F), flag) | (flag == ANY)
    return (
        old_MS[:, :, None, None, None]
        & action_O[:, None, None]
        & new_MS[:, None, None, :, None]
        & flag_F
    )


def _is_state(state: State, num_states: int, draws: Draws) -> BoolArray:
    number = np.arange(num_states)[None]
    if isinstance(state, StateVariable):
        return np.asarray(number == draws.state_MX[:, state.number, None])
    return np.asarray((number == state) | (state == ANY))


def _chance(probability: float | ProbabilityVariable, draws: Draws) -> float | NDArray[np.float64]:
    if not isinstance(probability, ProbabilityVariable):
        return probability
    drawn_M = draws.probability_MX[:, probability.number]
    return 1.0 - drawn_M if probability.complement else drawn_M


def _stimuli(machine: StateMachine, draws: Draws) -> Int64Array:
    stimulus_MS = np.full((len(draws.moves_MTSO), machine.num_states), -1, dtype=np.int64)
    for state, stimulus in enumerate(machine.stimuli):
        if isinstance(stimulus, StimulusVariable):
            stimulus_MS[:, state] = draws.stimulus_MX[:, stimulus.number]
        elif stimulus is not None:
            stimulus_MS[:, state] = stimulus
    return stimulus_MS
