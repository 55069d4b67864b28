"""All that the variables of an instance may be, as far as somebody can tell who knows the machine.

A hypothesis is a value of each state variable, of each probability variable (nodes of a
Gauss-Legendre rule, which is exact for posteriors after few enough payments), and which of the
stimuli that are met belongs to which stimulus variable. Stimuli of the pool are alike but for being
told apart, so they are called by the order in which they are met.

Axes: H hypotheses, S states, O actions, F flag, R different rewards.
"""

from __future__ import annotations

import math
from itertools import permutations, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.types import Int64Array
from tasks.machines.draws import Draws
from tasks.machines.rules import Rules, read_rules
from tasks.machines.state_machine import StateMachine

Float64Array = NDArray[np.float64]


class Hypotheses(NamedTuple):
    """The rules under each hypothesis, and how likely each is before anything was seen."""

    rules: Rules  # its worlds are hypotheses
    prior_H: Float64Array
    switched_H: Int64Array  # the hypothesis that it becomes where state variables switch
    reward_R: Float64Array
    # of a reward for a step, given where it led: probability
    likelihood_HSOSFR: Float64Array


def count(machine: StateMachine, nodes: int) -> int:
    """How many hypotheses there are."""
    states = math.prod(len(values) for values in machine.state_ranges)
    orders = math.factorial(machine.num_stimulus_variables)
    return states * orders * nodes ** len(machine.probability_ranges)


def hypotheses(machine: StateMachine, nodes: int) -> Hypotheses:
    """All hypotheses, with `nodes` values of each probability variable."""
    places, weights = np.polynomial.legendre.leggauss(nodes)
    sizes = [len(values) for values in machine.state_ranges]
    orders = list(permutations(range(machine.num_stimulus_variables)))
    parts: list[Any] = [range(size) for size in sizes]
    parts += [range(nodes) for _ in machine.probability_ranges]
    cases: list[tuple[Any, ...]] = list(product(*parts, orders))
    H, X = len(cases), len(sizes)
    chosen_HX = np.array([case[:X] for case in cases], dtype=np.int64).reshape(H, X)
    node_HP = np.array([case[X:-1] for case in cases], dtype=np.int64).reshape(H, -1)
    low_P, high_P = np.array(machine.probability_ranges, dtype=np.float64).reshape(-1, 2).T
    prior_H = np.prod(weights[node_HP] / 2, axis=1) / (math.prod(sizes) * len(orders))
    known = {case: number for number, case in enumerate(cases)}
    switched = [
        known[(*((x + 1) % size for x, size in zip(case, sizes, strict=False)), *case[X:])]
        for case in cases
    ]
    values = [np.array(range_)[chosen_HX[:, x]] for x, range_ in enumerate(machine.state_ranges)]
    rules = read_rules(
        machine,
        Draws(
            moves_MTSO=np.zeros((H, 1, machine.num_states, machine.num_actions)),
            pays_MTS=np.zeros((H, 1, machine.num_states)),
            state_MX=np.stack(values, axis=1) if X else chosen_HX,
            probability_MX=low_P + (places[node_HP] + 1) / 2 * (high_P - low_P),
            stimulus_MX=np.array(machine.stimulus_pool, dtype=np.int64)[
                np.array([case[-1] for case in cases], dtype=np.int64).reshape(H, -1)
            ],
        ),
    )
    reward_R = np.unique([0.0, *(rule.value for rule in machine.rewards)])
    paid = rules.probability_WSOSF[..., None]
    likelihood = paid * (rules.value_WSOSF[..., None] == reward_R) + (1 - paid) * (reward_R == 0)
    return Hypotheses(rules, prior_H, np.array(switched), reward_R, likelihood)
