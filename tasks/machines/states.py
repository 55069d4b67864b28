"""The table of a state machine: where its trials can come to, given all that was drawn for them.

A trial state is a trial, a step, a state of the machine, the flag, and whether all target actions
so far were taken; those that no actions lead to are left out. A trial is right if at each state
with a target one of the best actions was taken, and one of these states is not a hold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import ANSWER, HOLD, OVER_RIGHT, OVER_WRONG, UNSCORED
from evoplastic.types import NO_TARGET, BoolArray, Int64Array
from tasks.machines.draws import Draws, draw
from tasks.machines.rules import Rules, best_actions, read_rules, worlds
from tasks.machines.state_machine import DOWN, StateMachine

WRONG, NOTHING_ASKED, RIGHT = 0, 1, 2  # what was done so far
WORDS = 3


class _Layer(NamedTuple):
    """The trial states of one step: V of them, with O actions each."""

    key_V: Int64Array  # trial, state, flag and doings, ravelled
    reward_VO: NDArray[np.float64]
    next_VO: Int64Array  # key at the next step, or OVER_*
    best_VO: BoolArray


def machine_nodes(machine: StateMachine, num_trials: int, seed: int) -> TrialTable:
    """At least `num_trials` trials of a machine, in whole instances; a function of the arguments.

    Raises:
        UsageError: `num_trials` is not at least 1.
    """
    return realise(machine, draw(machine, num_trials, seed))


def realise(machine: StateMachine, draws: Draws) -> TrialTable:
    """The trials that given draws make of a machine."""
    M, T, S, _ = draws.moves_MTSO.shape
    some, world_M = worlds(draws)
    rules = read_rules(machine, some)
    best_TWSOF = best_actions(machine, rules)
    moved_MTSO = _moves(machine, draws)
    shape = (M, S, 2, WORDS)
    start = (np.arange(M), 0, DOWN, NOTHING_ASKED)
    key_V = np.ravel_multi_index(np.broadcast_arrays(*start), shape)
    layers = []
    for t in range(T):
        layer = _step(machine, draws, rules, world_M, best_TWSOF[t], moved_MTSO[:, t], key_V, t)
        layers.append(layer)
        key_V = np.unique(layer.next_VO[layer.next_VO >= 0])
    stimulus_MS = rules.stimulus_WS[world_M]
    return _bank(machine, stimulus_MS, layers, shape)


def _moves(machine: StateMachine, draws: Draws) -> Int64Array:
    """The state that each action leads to at each step, the likelier states first:

    next = likely[rank],  rank = number of cumulated probabilities <= u
    """
    likely_SOS = np.argsort(-machine.transition_SOS, axis=2, kind="stable")
    sorted_SOS = np.take_along_axis(machine.transition_SOS, likely_SOS, axis=2)
    last_SO = np.count_nonzero(sorted_SOS, axis=2) - 1
    s, o = np.indices(last_SO.shape)
    moved_MTSO = np.broadcast_to(likely_SOS[:, :, 0], draws.moves_MTSO.shape).copy()
    chancy = last_SO > 0  # where a state leads to one other alone there is nothing to draw
    bounds_SC = np.moveaxis(sorted_SOS.cumsum(axis=2), 2, 0)[:, chancy]
    drawn_MTC = draws.moves_MTSO[:, :, chancy]
    passed_MTC = sum((drawn_MTC >= bound_C for bound_C in bounds_SC), np.zeros((), dtype=np.int64))
    rank_MTC = np.minimum(passed_MTC, last_SO[chancy])
    moved_MTSO[:, :, chancy] = likely_SOS[s[chancy], o[chancy], rank_MTC]
    return moved_MTSO


def _step(
    machine: StateMachine,
    draws: Draws,
    rules: Rules,
    world_M: Int64Array,
    best_WSOF: BoolArray,
    moved_MSO: Int64Array,
    key_V: Int64Array,
    t: int,
) -> _Layer:
    """What every action does at the trial states of one step."""
    M, S, O = moved_MSO.shape
    shape = (M, S, 2, WORDS)
    m, s, flag, done = (each[:, None] for each in np.unravel_index(key_V, shape))
    o = np.arange(O)[None]
    new = moved_MSO[m, s, o]
    w = world_M[m]
    cell = (w, s, o, new, flag)
    paid = draws.pays_MTS[m, t, new] < rules.probability_WSOSF[cell]
    best_VO = best_WSOF[w, s, o, flag]
    has_target = best_VO.any(axis=1, keepdims=True)
    answers = has_target & ~np.isin(s, machine.holds)
    done = np.where(has_target & ~best_VO, WRONG, np.where(answers & (done != WRONG), RIGHT, done))
    over = rules.ends_WS[w, new] | (t + 1 == machine.num_steps)
    onward = np.ravel_multi_index((m + 0 * new, new, rules.flag_WSOSF[cell], done), shape)
    return _Layer(
        key_V=key_V,
        reward_VO=paid * rules.value_WSOSF[cell],
        next_VO=np.where(over, np.where(done == RIGHT, OVER_RIGHT, OVER_WRONG), onward),
        best_VO=best_VO,
    )


def _bank(
    machine: StateMachine, stimulus_MS: Int64Array, layers: list[_Layer], shape: tuple[int, ...]
) -> TrialTable:
    """Number the trial states trial by trial, and show each state as long as it dwells."""
    M = shape[0]
    step_V = np.concatenate([np.full(len(layer.key_V), t) for t, layer in enumerate(layers)])
    m_V, s_V, _, _ = np.unravel_index(np.concatenate([each.key_V for each in layers]), shape)
    order_V = np.lexsort((step_V, m_V))  # stable: within a step, by key
    number_V = np.empty_like(order_V)
    number_V[order_V] = np.arange(len(order_V))
    first = np.cumsum([0, *(len(layer.key_V) for layer in layers)])
    next_VO = np.concatenate(
        [
            np.where(
                layer.next_VO >= 0,
                number_V[(first[t + 1] + np.searchsorted(later, layer.next_VO)) % len(number_V)],
                layer.next_VO,
            )
            for t, (layer, later) in enumerate(
                zip(
                    layers, [*(each.key_V for each in layers[1:]), layers[0].key_V[:0]], strict=True
                )
            )
        ]
    )[order_V]
    best_VO = np.concatenate([layer.best_VO for layer in layers])[order_V]
    target_action_V = np.where(best_VO.any(axis=1), best_VO.argmax(axis=1), NO_TARGET)
    flags_V = np.where(np.isin(s_V[order_V], machine.holds), HOLD, ANSWER)
    reward_VO = np.concatenate([layer.reward_VO for layer in layers])[order_V]
    code_YI = np.pad(machine.code_YI, ((0, 1), (0, 0)))  # stimulus -1 shows zeros
    # each trial state D times: all but the last copy lead on to the next one, whatever the action
    D = machine.dwell_steps
    acts_V = np.tile(np.arange(D) == D - 1, len(order_V))
    onward_V1 = np.arange(1, len(acts_V) + 1)[:, None]
    next_VO = np.where(next_VO >= 0, next_VO * D, next_VO).repeat(D, axis=0)
    target_action_V = np.where(acts_V, target_action_V.repeat(D), NO_TARGET)
    return TrialTable(
        task=machine.name,
        dt_ms=machine.dt_ms,
        observation_VI=code_YI[stimulus_MS[m_V, s_V][order_V]].repeat(D, axis=0),
        target_action_V=target_action_V,
        flags_V=np.where(target_action_V >= 0, flags_V.repeat(D), UNSCORED).astype(np.int8),
        reward_VO=np.where(acts_V[:, None], reward_VO.repeat(D, axis=0), 0).astype(np.float32),
        next_VO=np.where(acts_V[:, None], next_VO, onward_V1).astype(np.int32),
        first_M=number_V[:M] * D,
        kind_M=np.zeros(M, dtype=np.int64),
        block=machine.instance_trials,
    )
