"""All that is random in the trials of a state machine, drawn before any lifetime.

Draws are uniform numbers, one for each way a trial can go: whoever stands in state s at step t of a
trial and takes action o moves by `moves_MTSO[m, t, s, o]`, and is paid by `pays_MTS[m, t, s']` for
where it came to. A trial goes one way only, so what it meets is independent from step to step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require
from evoplastic.random.counters import Purpose, philox, purpose_word, seed_key
from evoplastic.types import Int64Array
from tasks.machines.state_machine import StateMachine

Float64Array = NDArray[np.float64]


class Draws(NamedTuple):
    """Uniform numbers in [0, 1) and the values of variables; M trials, T steps, S states."""

    moves_MTSO: Float64Array
    pays_MTS: Float64Array  # by the state that was come to
    state_MX: Int64Array  # value of each state variable
    probability_MX: Float64Array
    stimulus_MX: Int64Array


def draw(machine: StateMachine, num_trials: int, seed: int) -> Draws:
    """At least `num_trials` trials, in whole instances; an instance depends on seed and number.

    Raises:
        UsageError: `num_trials` is not at least 1.
    """
    require(num_trials >= 1, f"num_trials is {num_trials}, expected at least 1")
    T, S, O = machine.num_steps, machine.num_states, machine.num_actions
    block = machine.instance_trials
    instances = -(-num_trials // block)
    instance_M, trial_M = np.divmod(np.arange(instances * block, dtype=np.int64), block)
    moves, pays = T * S * O, T * S
    trial_MX = _uniform(seed, instance_M, trial_M + 1, moves + pays + 1)
    return Draws(
        moves_MTSO=trial_MX[:, :moves].reshape(-1, T, S, O),
        pays_MTS=trial_MX[:, moves : moves + pays].reshape(-1, T, S),
        **_variables(machine, seed, instances, trial_MX[:, -1]),
    )


def _variables(
    machine: StateMachine, seed: int, instances: int, switch_M: Float64Array
) -> dict[str, NDArray]:
    ranges, chances, pool = (
        machine.state_ranges,
        machine.probability_ranges,
        np.array(machine.stimulus_pool, dtype=np.int64),
    )
    counts = (len(ranges), len(chances), len(pool))
    instance_B = np.arange(instances, dtype=np.int64)
    row_BX = _uniform(seed, instance_B, np.zeros_like(instance_B), sum(counts) or 1)
    states_BX, chances_BX, order_BX = np.split(row_BX[:, : sum(counts)], np.cumsum(counts)[:2], 1)
    block = machine.instance_trials
    switched_BK = (switch_M < machine.switch).reshape(instances, block).cumsum(axis=1)
    state_MX = np.empty((instances * block, len(ranges)), dtype=np.int64)
    for x, values in enumerate(ranges):
        first_B = (states_BX[:, x] * len(values)).astype(np.int64)
        state_MX[:, x] = np.array(values)[(first_B[:, None] + switched_BK).ravel() % len(values)]
    low_X, high_X = np.array(chances, dtype=np.float64).reshape(-1, 2).T
    stimulus_BX = pool[np.argsort(order_BX, axis=1)][:, : machine.num_stimulus_variables]
    return {
        "state_MX": state_MX,
        "probability_MX": (low_X + chances_BX * (high_X - low_X)).repeat(block, axis=0),
        "stimulus_MX": stimulus_BX.repeat(block, axis=0),
    }


def _uniform(seed: int, stream_M: Int64Array, trial_M: Int64Array, count: int) -> Float64Array:
    """Rows of uniform numbers of 53 bits, each a function of seed, stream, trial and place."""
    position = np.arange(-(-count // 2), dtype=np.uint64)[None]
    word = purpose_word(Purpose.BANK, 0)
    trial_M1, stream_M1 = (each[:, None].astype(np.uint64) for each in (trial_M, stream_M))
    counter = (position, trial_M1, stream_M1, word)
    a, b, c, d = (
        np.broadcast_to(w, (len(stream_M), position.shape[1]))
        for w in philox(counter, seed_key(seed))
    )
    both = np.concatenate([(a << 21) | (b >> 11), (c << 21) | (d >> 11)], axis=1)
    return both[:, :count] * 2.0**-53
