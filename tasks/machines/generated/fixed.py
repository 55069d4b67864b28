"""What can be reached without learning, and by who knows the variables.

Axes: P policies (an action for each state), H values of the variables, S states, O actions, F flag.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from tasks.machines.adaptive.hypotheses import Float64Array, Hypotheses, hypotheses
from tasks.machines.rules import qualities
from tasks.machines.state_machine import StateMachine, StimulusVariable

ORACLE_NODES = 8  # values of each probability variable


def unshown(machine: StateMachine, nodes: int) -> Hypotheses:
    """All values of the variables that rules speak of."""
    blind = replace(machine, stimuli=(None,) * machine.num_states, stimulus_pool=())
    return hypotheses(blind, nodes)


def oracle_level(machine: StateMachine) -> float:
    """Mean reward of a trial for who knows state, flag and variables."""
    known = unshown(machine, ORACLE_NODES)
    best_H = qualities(machine, known.rules)[0, :, 0, :, 0].max(axis=1)
    return float(known.prior_H @ best_H)


def fixed_level(machine: StateMachine) -> float:
    """Mean reward of a trial under the best policy that does not learn; the better of

    - the best map from what is shown to an action, of all that there are; pictures of the pool have
      actions too, so two variable stimuli have the same one or different ones by chance;
    - where no stimulus varies, the best function of step, state and flag (whatever is shown) if
      state variables were drawn anew for each step. That is the best such function wherever flags
      and ends depend on no variable.

    What is paid is linear in each probability variable, so these count with their mean.
    """
    known = unshown(machine, 1)
    paid = known.rules.probability_WSOSF * known.rules.value_WSOSF
    pays_HSOF = np.einsum("sou,hsouf->hsof", machine.transition_SOS, paid)
    moves_HSOFSF = _moves(machine, known)
    worth = _best_map(machine, _worths(machine, known, pays_HSOF, moves_HSOFSF))
    if any(isinstance(each, StimulusVariable) for each in machine.stimuli):
        return worth
    pays_SOF = np.tensordot(known.prior_H, pays_HSOF, 1)
    moves_SOFSF = np.tensordot(known.prior_H, moves_HSOFSF, 1)
    value_SF: Float64Array = np.zeros((machine.num_states, 2))
    for _ in range(machine.num_steps):
        value_SF = (pays_SOF + np.tensordot(moves_SOFSF, value_SF, 2)).max(axis=1)
    return max(worth, float(value_SF[0, 0]))


def _moves(machine: StateMachine, known: Hypotheses) -> Float64Array:
    """Chance of the next state and flag within the trial, [H, S, O, F, S, F]."""
    flag_HSOSF = known.rules.flag_WSOSF
    goes_HSOSFG = flag_HSOSF[..., None] == np.arange(2)
    chance_HSOS = machine.transition_SOS[None] * ~known.rules.ends_WS[:, None, None, :]
    moves: Float64Array = np.einsum("hsou,hsoufg->hsofug", chance_HSOS, goes_HSOSFG)
    return moves


def _worths(
    machine: StateMachine, known: Hypotheses, pays_HSOF: Float64Array, moves: Float64Array
) -> Float64Array:
    """Expected reward of a trial of each policy, [O, ..., O] by the action in each state."""
    S, O = machine.num_states, machine.num_actions
    action_PS = np.array(list(product(range(O), repeat=S)))
    s = np.arange(S)
    pays_HPSF = pays_HSOF[:, s, action_PS]
    moves_HPSFSF = moves[:, s, action_PS]
    H, P = pays_HPSF.shape[:2]
    pays_HPX = pays_HPSF.reshape(H, P, 2 * S, 1)
    moves_HPXX = moves_HPSFSF.reshape(H, P, 2 * S, 2 * S)
    value_HPX: Float64Array = np.zeros((H, P, 2 * S, 1))
    for _ in range(machine.num_steps):
        value_HPX = pays_HPX + moves_HPXX @ value_HPX
    worth_P: Float64Array = known.prior_H @ value_HPX[:, :, 0, 0]
    return worth_P.reshape((O,) * S)


def _best_map(machine: StateMachine, worth: Float64Array) -> float:
    """The best action for each thing that is shown."""
    looks: dict[object, int] = {}
    for stimulus in machine.stimuli:
        if not isinstance(stimulus, StimulusVariable):
            looks.setdefault(_look(machine, stimulus), len(looks))
    L, O, pool = machine.num_stimulus_variables, machine.num_actions, len(machine.stimulus_pool)
    best = -np.inf
    for action_of in product(range(O), repeat=len(looks)):
        for counts in _shares(pool, O) if L else [(0,) * O]:
            total = 0.0
            for drawn in product(range(O), repeat=L):
                chance = _chance(counts, drawn)
                if chance:
                    actions = tuple(
                        drawn[each.number]
                        if isinstance(each, StimulusVariable)
                        else action_of[looks[_look(machine, each)]]
                        for each in machine.stimuli
                    )
                    total += chance * float(worth[actions])
            best = max(best, total)
    return best


def _look(machine: StateMachine, stimulus: int | None) -> bytes:
    code_YI = machine.code_YI
    return (np.zeros_like(code_YI[0]) if stimulus is None else code_YI[stimulus]).tobytes()


def _shares(pool: int, num_actions: int) -> Iterator[tuple[int, ...]]:
    """How many pictures of a pool may have each action."""
    if num_actions == 1:
        yield (pool,)
        return
    for first in range(pool + 1):
        for rest in _shares(pool - first, num_actions - 1):
            yield (first, *rest)


def _chance(counts: tuple[int, ...], drawn: tuple[int, ...]) -> float:
    """Of pictures with these actions, each drawn once."""
    left, chance = list(counts), 1.0
    for action in drawn:
        chance *= left[action] / max(sum(left), 1)
        left[action] -= 1
    return chance
