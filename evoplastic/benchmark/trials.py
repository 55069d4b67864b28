"""Random trials to measure engines on: what they ask does not matter, when they show it does."""

from __future__ import annotations

import numpy as np

from evoplastic.trials.stacked import StackedTables, stack_tables
from evoplastic.trials.table import TrialTable, fixed_timing_table
from evoplastic.trials.timing import ANSWER, HOLD, OVER_RIGHT, OVER_WRONG, TrialTiming
from evoplastic.types import Interface

DT_MS = 20.0
TIMING = TrialTiming(dt_ms=DT_MS, num_steps=50, response=(25, 35), feedback=(36, 46))
SHOWN = ((0, 8), (10, 18))  # steps of the two stimuli of a trial of fixed timing, as published
NUM_ENTRIES = 64
LENGTHS = (40, 60)  # steps of a self-paced trial, 50 in the mean


def fixed_trials(interface: Interface) -> StackedTables:
    """Two stimuli, a response and a feedback window at the published times; lines are random."""
    random = np.random.default_rng(0)
    I, O = interface.num_inputs, interface.num_outputs
    stimulus_MTI = np.zeros((NUM_ENTRIES, TIMING.num_steps, I), dtype=np.float32)
    for start, stop in SHOWN:
        stimulus_MTI[:, start:stop] = random.choice([-1.0, 1.0], (NUM_ENTRIES, 1, I))
    target_action_M = random.integers(0, O, NUM_ENTRIES)
    table = fixed_timing_table(
        task="fixed",
        timing=TIMING,
        stimulus_MTI=stimulus_MTI,
        target_action_M=target_action_M,
        reward_MO=np.eye(O, dtype=np.float32)[target_action_M],
        kind_M=np.zeros(NUM_ENTRIES, dtype=np.int64),
    )
    return stack_tables([table])


def self_paced_trials(interface: Interface) -> StackedTables:
    """Chains of 40 to 60 steps with noise on every line at every step, as NeuroGym's tasks are:
    hold action 0, answer within the last ten steps; any answer ends the trial."""
    random = np.random.default_rng(0)
    I, O = interface.num_inputs, interface.num_outputs
    length_M = random.integers(LENGTHS[0], LENGTHS[1] + 1, NUM_ENTRIES)
    first_M = np.concatenate([[0], np.cumsum(length_M)[:-1]]).astype(np.int64)
    entry_V = np.repeat(np.arange(NUM_ENTRIES), length_M)
    step_V = np.arange(len(entry_V)) - first_M[entry_V]
    answer_V = random.integers(1, O, NUM_ENTRIES)[entry_V]
    asks_V = step_V >= length_M[entry_V] - 10
    action_O = np.arange(O)
    right_VO = asks_V[:, None] & (action_O == answer_V[:, None])
    ends_VO = asks_V[:, None] & (action_O > 0)
    ends_VO |= (step_V == length_M[entry_V] - 1)[:, None]
    onward_VO = np.arange(len(entry_V))[:, None] + 1
    over_VO = np.where(right_VO, OVER_RIGHT, OVER_WRONG)
    table = TrialTable(
        task="self-paced",
        dt_ms=DT_MS,
        observation_VI=random.normal(size=(len(entry_V), I)).astype(np.float32),
        target_action_V=np.where(asks_V, answer_V, 0).astype(np.int64),
        flags_V=np.where(asks_V, ANSWER, HOLD).astype(np.int8),
        reward_VO=right_VO.astype(np.float32),
        next_VO=np.where(ends_VO, over_VO, onward_VO).astype(np.int32),
        first_M=first_M,
        kind_M=np.zeros(NUM_ENTRIES, dtype=np.int64),
    )
    return stack_tables([table])
