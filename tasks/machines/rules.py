"""The rules of a state machine as tables, the variables of each world filled in; what is best.

Axes: W worlds (values of all variables, which many trials have in common), S old state, O action, S
new state, F flag (as it stood before the step).
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
    """What follows from each step, in each world."""

    probability_WSOSF: NDArray[np.float64]  # of being paid
    value_WSOSF: NDArray[np.float64]  # what is paid
    flag_WSOSF: Int64Array  # after the step
    stimulus_WS: Int64Array  # -1 = none
    ends_WS: BoolArray  # whether entering a state ends the trial


def worlds(draws: Draws) -> tuple[Draws, Int64Array]:
    """One trial of each world, [W], and the world of each trial, [M]."""
    values_MX = np.concatenate(
        [draws.state_MX, draws.probability_MX, draws.stimulus_MX, np.zeros((len(draws[0]), 1))],
        axis=1,
    )
    _, first_W, world_M = np.unique(values_MX, axis=0, return_index=True, return_inverse=True)
    some = {name: values[first_W] for name, values in draws._asdict().items()}
    return Draws(**some), world_M.reshape(-1)


def read_rules(machine: StateMachine, draws: Draws) -> Rules:
    """Apply the rules in their order, so that later ones override; a world for each trial drawn."""
    W, _, S, O = draws.moves_MTSO.shape
    shape = (W, S, O, S, 2)
    probability: NDArray[np.float64] = np.zeros(shape)
    value: NDArray[np.float64] = np.zeros(shape)
    flag: Int64Array = np.broadcast_to(np.arange(2), shape).copy()
    for rule in machine.rewards:
        matches = _matches(rule, shape, draws)
        chance_W = np.broadcast_to(_chance(rule.probability, draws), W)
        probability = np.where(matches, chance_W[:, None, None, None, None], probability)
        value = np.where(matches, rule.value, value)
    for each in machine.flags:
        flag = np.where(_matches(each, shape, draws), each.value, flag)
    flag[:, :, :, 0] = DOWN
    return Rules(probability, value, flag, _stimuli(machine, draws), _ends(machine, draws))


def best_actions(machine: StateMachine, rules: Rules) -> BoolArray:
    """Each action of highest expected reward to the trial's end, [T, W, S, O, F]; none where all
    actions are worth the same, or where the machine states another one.
    """
    T, (W, S, O, _, F) = machine.num_steps, rules.flag_WSOSF.shape
    if machine.target_actions is not None:
        best_TWSOF = np.zeros((T, W, S, O, F), dtype=bool)
        for state, action in enumerate(machine.target_actions):
            if action is not None:
                best_TWSOF[:, :, state, action] = True
        return best_TWSOF
    quality_TWSOF = qualities(machine, rules)
    good = quality_TWSOF >= quality_TWSOF.max(axis=3, keepdims=True) - EQUALLY_GOOD
    return good & ~good.all(axis=3, keepdims=True)


def qualities(machine: StateMachine, rules: Rules) -> NDArray[np.float64]:
    """Expected reward to the trial's end of each action, the best ones being taken afterwards:

        Q_t(s, o, f) = sum over s' of  T[s, o, s'] (probability * value + V_t+1(s', f'))

    with V = max over o of Q, 0 after the end; [T, W, S, O, F].
    """
    T, (W, S, O, _, F) = machine.num_steps, rules.flag_WSOSF.shape
    quality_TWSOF = np.zeros((T, W, S, O, F))
    paid = rules.probability_WSOSF * rules.value_WSOSF
    worth_WSF = np.zeros((W, S, F))
    w, new = np.arange(W)[:, None, None, None, None], np.arange(S)[None, None, None, :, None]
    for t in reversed(range(T)):
        later = worth_WSF[w, new, rules.flag_WSOSF]
        quality_TWSOF[t] = np.einsum("sou,wsouf->wsof", machine.transition_SOS, paid + later)
        worth_WSF = quality_TWSOF[t].max(axis=2)
        worth_WSF[rules.ends_WS] = 0.0
    return quality_TWSOF


def _matches(rule: RewardRule | FlagRule, shape: tuple[int, ...], draws: Draws) -> BoolArray:
    _, S, O, _, F = shape
    old_WS, new_WS = (_is_state(state, S, draws) for state in (rule.old, rule.new))
    action_O = np.isin(np.arange(O), rule.action) | (rule.action == ANY)
    flag = rule.flag if isinstance(rule, RewardRule) else ANY
    flag_F = np.isin(np.arange(F), flag) | (flag == ANY)
    return (
        old_WS[:, :, None, None, None]
        & action_O[:, None, None]
        & new_WS[:, None, None, :, None]
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
    drawn_W = draws.probability_MX[:, probability.number]
    return 1.0 - drawn_W if probability.complement else drawn_W


def _stimuli(machine: StateMachine, draws: Draws) -> Int64Array:
    stimulus_WS = np.full((len(draws.moves_MTSO), machine.num_states), -1, dtype=np.int64)
    for state, stimulus in enumerate(machine.stimuli):
        if isinstance(stimulus, StimulusVariable):
            stimulus_WS[:, state] = draws.stimulus_MX[:, stimulus.number]
        elif stimulus is not None:
            stimulus_WS[:, state] = stimulus
    return stimulus_WS


def _ends(machine: StateMachine, draws: Draws) -> BoolArray:
    W, _, S, _ = draws.moves_MTSO.shape
    ends_WS = np.zeros((W, S), dtype=bool)
    for state in machine.ends:
        ends_WS |= _is_state(state, S, draws)
    return ends_WS
