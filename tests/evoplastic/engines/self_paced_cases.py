"""Small lifetimes of self-paced trials: random graphs of states, tasks of unequal sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.stacked import stack_tables
from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import ANSWER, OVER_RIGHT, OVER_WRONG, UNSCORED
from evoplastic.trials.wiring import Permute, WiringConfig, draw_wiring
from evoplastic.types import NO_TARGET


def make_node_bank(
    seed: int,
    *,
    task: str = "graph",
    num_entries: int = 6,
    num_inputs: int = 2,
    num_outputs: int = 2,
    num_kinds: int = 3,
    longest: int = 9,
    width: int = 3,
    early_end: float = 0.08,
    scored: float = 0.7,
    block: int = 1,
    dt_ms: float = 20.0,
) -> TrialTable:
    """Random trials whose course, length, rewards and end depend on what is done.

    Args:
        seed: everything random about the bank.
        task: its name.
        num_entries: trials.
        num_inputs: channels.
        num_outputs: actions.
        num_kinds: trial kinds, taken in turn.
        longest: steps of entry 0; the others take 1 to `longest` steps.
        width: most nodes at one step of a trial; 1 makes chains.
        early_end: chance that an action ends its trial before the last step.
        scored: share of nodes at which the task asks for an action.
        block: consecutive entries that belong together.
        dt_ms: time step.
    """
    random = np.random.default_rng([907, seed])
    length_M = random.integers(1, longest + 1, num_entries)
    length_M[0] = longest
    first_M: list[int] = []
    next_rows: list[np.ndarray] = []
    for length in length_M:
        sizes = [1, *random.integers(1, width + 1, length - 1)]
        starts = len(next_rows) + np.concatenate([[0], np.cumsum(sizes)])
        first_M.append(int(starts[0]))
        for step, size in enumerate(sizes):
            ends_VO = random.uniform(size=(size, num_outputs)) < early_end
            ends_VO[:, 0] = False  # whoever takes action 0 throughout lives the whole trial
            over_VO = random.choice([OVER_WRONG, OVER_RIGHT], (size, num_outputs))
            if step + 1 < length:
                onward_VO = random.integers(starts[step + 1], starts[step + 2], ends_VO.shape)
                next_rows.extend(np.where(ends_VO, over_VO, onward_VO))
            else:
                next_rows.extend(over_VO)
    V = len(next_rows)
    target_action_V = random.integers(0, num_outputs, V)
    flags_V = np.where(random.uniform(size=V) < scored, random.integers(1, ANSWER + 1, V), UNSCORED)
    target_action_V[(flags_V == UNSCORED) & (random.uniform(size=V) < 0.5)] = NO_TARGET
    return TrialTable(
        task=task,
        dt_ms=dt_ms,
        observation_VI=random.choice([-1.0, 0.0, 0.5, 1.0], (V, num_inputs)).astype(np.float32),
        target_action_V=target_action_V.astype(np.int64),
        flags_V=flags_V.astype(np.int8),
        reward_VO=random.normal(scale=0.5, size=(V, num_outputs)).astype(np.float32),
        next_VO=np.array(next_rows, dtype=np.int32),
        first_M=np.array(first_M, dtype=np.int64),
        kind_M=(np.arange(num_entries) % num_kinds).astype(np.int64),
        block=block,
    )


def make_free_batch(
    banks: Sequence[TrialTable],
    groups: NeuronGroups,
    num_individuals: int,
    *,
    permute: Permute = "both",
    seed: int = 5,
    epoch: int = 3,
    shared_noise: bool = False,
    evaluation: bool = False,
) -> LifetimeBatch:
    """Individuals that take turns in living the banks, every one on streams and lines of its own.

    Args:
        banks: tasks; they need no more channels and actions than the network has lines.
        groups: the network, for its lines.
        num_individuals: P.
        permute: which lines are exchanged at random.
        seed: run seed.
        epoch: generation.
        shared_noise: one stream of perturbations for all.
        evaluation: draw from the streams of evaluation lifetimes.
    """
    stacked = stack_tables(banks)
    stream_P = 7 + np.arange(num_individuals, dtype=np.int64)
    task_P = np.arange(num_individuals, dtype=np.int64) % len(banks)
    wiring = draw_wiring(
        WiringConfig(interface=groups.interface, permute=permute),
        stacked.num_inputs_B[task_P],
        stacked.num_actions_B[task_P],
        stream_P,
        seed=seed,
        epoch=epoch,
        evaluation=evaluation,
    )
    return LifetimeBatch(
        tasks=stacked,
        task_P=task_P,
        seed=seed,
        epoch=epoch,
        trial_stream_P=stream_P,
        perturb_stream_P=np.zeros_like(stream_P) if shared_noise else stream_P + 100,
        evaluation=evaluation,
        wiring=wiring,
    )
