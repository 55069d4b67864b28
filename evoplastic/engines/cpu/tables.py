"""What a compiled lifetime reads (`Banks`, `Individuals`) and what it leaves behind (`Record`)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from evoplastic.engines.courses import course_rows
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.stacked import StackedTables
from evoplastic.trials.wiring import NO_LINE


class Banks(NamedTuple):
    """Trial tables as flat arrays; rows R are trials M of fixed timing, or states V else."""

    stimulus: NDArray[np.float32]  # [M * T * I], or [V * I]
    target_action: NDArray[np.int64]  # [R], the target action
    reward: NDArray[np.float32]  # [R * O]
    kind: NDArray[np.int64]  # [M]
    course: NDArray[np.int64]  # [B * (K + 1) * COLUMNS], from where each trial of a life is drawn
    # Of fixed timing only, else empty:
    changes: NDArray[np.bool_]  # [M * T], whether the stimulus differs from the step before
    target: NDArray[np.float32]  # [M * O], within [target_low, target_high]
    # Of self-paced trials only, else empty:
    part: NDArray[np.int8]  # [V]
    onward: NDArray[np.int32]  # [V * O], the state that an action leads to
    observation: NDArray[np.int64]  # [V], number of what a state shows
    state_of_observation: NDArray[np.int64]  # [S], first state of each observation
    first: NDArray[np.int64]  # [M]
    channels: NDArray[np.int64]  # [B]
    actions: NDArray[np.int64]  # [B]


def make_banks(batch: LifetimeBatch, config: LifetimeConfig) -> Banks:
    """The trial tables of a batch, flattened."""
    tables = batch.tables
    if batch.self_paced:
        return _flat_states(tables, config)
    fixed = tables.fixed
    stimulus_MTI, target_MO = fixed.stimulus_MTI, fixed.target_MO
    changes_MT = np.ones(stimulus_MTI.shape[:2], dtype=np.bool_)
    changes_MT[:, 1:] = (stimulus_MTI[:, 1:] != stimulus_MTI[:, :-1]).any(axis=2)
    low, high = np.float32(config.target_low), np.float32(config.target_high)
    none = np.zeros(0, dtype=np.int64)
    return Banks(
        stimulus=as_row(stimulus_MTI, np.float32),
        changes=as_row(changes_MT, np.bool_),
        target=as_row(np.where(target_MO > 0, high, low), np.float32),
        target_action=as_row(fixed.target_action_M, np.int64),
        reward=as_row(fixed.reward_MO, np.float32),
        kind=as_row(tables.kind_M, np.int64),
        course=as_row(course_rows(tables, config.num_trials), np.int64),
        part=none.astype(np.int8),
        onward=none.astype(np.int32),
        observation=none,
        state_of_observation=none,
        first=none,
        channels=none,
        actions=none,
    )


def _flat_states(tables: StackedTables, config: LifetimeConfig) -> Banks:
    return Banks(
        stimulus=as_row(tables.observation_VI, np.float32),
        changes=np.zeros(0, dtype=np.bool_),
        target=np.zeros(0, dtype=np.float32),
        target_action=as_row(tables.target_action_V, np.int64),
        reward=as_row(tables.reward_VO, np.float32),
        kind=as_row(tables.kind_M, np.int64),
        course=as_row(course_rows(tables, config.num_trials), np.int64),
        part=as_row(tables.flags_V, np.int8),
        onward=as_row(tables.next_VO, np.int32),
        observation=as_row(tables.observation_id_V, np.int64),
        state_of_observation=as_row(tables.state_of_observation_S, np.int64),
        first=as_row(tables.first_M, np.int64),
        channels=as_row(tables.num_inputs_B, np.int64),
        actions=as_row(tables.num_actions_B, np.int64),
    )


class Individuals(NamedTuple):
    """The individuals: genomes and streams of P of them."""

    w: NDArray[np.float32]  # w of individual p starts at p * w_stride, row by row
    w_stride: int
    alpha: NDArray[np.float32]
    alpha_stride: int
    leak: NDArray[np.float32]  # dt / tau; [N] of individual p from p * intrinsic_stride on
    keep: NDArray[np.float32]  # 1 - leak, likewise
    threshold: NDArray[np.float32]  # likewise
    intrinsic_stride: int
    task: NDArray[np.int64]  # [P]
    trial_stream: NDArray[np.int64]  # [P]
    perturb_stream: NDArray[np.int64]  # [P]
    input_place: NDArray[np.int64]  # [P * I] channel that input line i carries, in a row of rates
    action_line: NDArray[np.int64]  # [P * O] line of action o
    baseline_decay: NDArray[np.float32]  # [P]
    baseline_rest: NDArray[np.float32]  # [P], 1 - baseline_decay


class Record(NamedTuple):
    """What is left of the lives."""

    loss: NDArray[np.float32]  # [P, K]
    correct: NDArray[np.bool_]  # [P, K]
    reward: NDArray[np.float32]  # [P, K]
    steps: NDArray[np.int32]  # [P, K]
    smoothness: NDArray[np.float32]  # [P]


def make_individuals(
    params: PlasticParams, groups: NeuronGroups, batch: LifetimeBatch, config: LifetimeConfig
) -> Individuals:
    """Genomes, tasks, streams and lines of a batch."""
    w, w_stride = lay_flat(params.w_PNN)
    alpha, alpha_stride = lay_flat(params.alpha_PNN)
    input_place, action_line = place_lines(groups, batch)
    evolved_P = params.rule.baseline_decay_P
    if evolved_P is None:
        decay_P = np.full(len(params.w_PNN), config.rule.baseline_decay, dtype=np.float64)
    else:
        decay_P = evolved_P.detach().double().cpu().numpy()
    return Individuals(
        w=w,
        w_stride=w_stride,
        alpha=alpha,
        alpha_stride=alpha_stride,
        **_intrinsic(params, batch, config),
        task=as_row(batch.task_P, np.int64),
        trial_stream=as_row(batch.trial_stream_P, np.int64),
        perturb_stream=as_row(batch.perturb_stream_P, np.int64),
        input_place=input_place,
        action_line=action_line,
        baseline_decay=decay_P.astype(np.float32),
        baseline_rest=(1.0 - decay_P).astype(np.float32),
    )


def _intrinsic(
    params: PlasticParams, batch: LifetimeBatch, config: LifetimeConfig
) -> dict[str, Any]:
    """Leaks and thresholds of neurons: [N] numbers that all share, or [P, N]."""
    intrinsic = params.intrinsic.each(lambda tensor: tensor.detach().double().cpu())
    leak = intrinsic.leak(config.dynamics, batch.tables.dt_ms)
    threshold = intrinsic.threshold(config.dynamics)
    num_individuals, size = params.w_PNN.shape[:2]
    own = bool(config.dynamics.evolved)
    shape = (num_individuals if own else 1, size)

    def laid(value: float | torch.Tensor) -> NDArray[np.float32]:
        return as_row(np.broadcast_to(np.asarray(value, dtype=np.float64), shape), np.float32)

    return {
        "leak": laid(leak),
        "keep": laid(1.0 - leak),
        "threshold": laid(threshold),
        "intrinsic_stride": size if own else 0,
    }


def make_record(num_individuals: int, num_trials: int) -> Record:
    """Room for what is left of the lives."""
    shape = (num_individuals, num_trials)
    return Record(
        loss=np.empty(shape, dtype=np.float32),
        correct=np.empty(shape, dtype=np.bool_),
        reward=np.empty(shape, dtype=np.float32),
        steps=np.empty(shape, dtype=np.int32),
        smoothness=np.zeros(num_individuals, dtype=np.float32),
    )


def place_lines(groups: NeuronGroups, batch: LifetimeBatch) -> tuple[NDArray, NDArray]:
    """Flat [P * I], the place of each input line among the clamped columns, and flat [P * O], the
    response line of each action.

    A task's channels take the first places, in the task's order; lines that it leaves out follow.
    """
    num_individuals, I, O = len(batch.task_P), groups.num_inputs, groups.num_outputs
    place_PI = np.tile(np.arange(I, dtype=np.int64), (num_individuals, 1))
    action_PO = np.tile(np.arange(O, dtype=np.int64), (num_individuals, 1))
    if batch.self_paced:
        wiring = batch.wiring
        assert wiring is not None, "self-paced lifetimes need batch.wiring"
        channel_PI = np.full((num_individuals, I), I, dtype=np.int64)
        individual, channel = np.nonzero(wiring.input_PI != NO_LINE)
        channel_PI[individual, wiring.input_PI[individual, channel]] = channel
        place_PI = np.argsort(np.argsort(channel_PI, axis=1, kind="stable"), axis=1)
        there = min(O, wiring.action_PO.shape[1])
        action_PO[:, :there] = np.maximum(wiring.action_PO[:, :there], 0)
    return as_row(place_PI, np.int64), as_row(action_PO, np.int64)


def as_row(array: NDArray, dtype: type) -> NDArray:
    """A flat array that can be written: compiled functions know no other kind.

    A copy only where it must be; for a read-only array, they would be compiled anew.
    """
    return np.require(array, dtype, ["C", "W"]).reshape(-1)


def lay_flat(tensor: torch.Tensor) -> tuple[NDArray[np.float32], int]:
    """All numbers of a tensor [P, ...] as one row, without a copy where possible, and the distance
    from one individual to the next.

    A population's w and alpha usually are views of one array of genomes, its replicates of one
    genome: copying them would double, or more than double, the memory.
    """
    tensor = tensor.detach().to("cpu", torch.float32)
    one = tensor[0]
    if not one.is_contiguous():
        tensor = tensor.contiguous()
    size = one.numel()
    stride = tensor.stride(0) if len(tensor) > 1 else size
    flat = tensor.as_strided(((len(tensor) - 1) * stride + size,), (1,))
    return flat.numpy(), stride
