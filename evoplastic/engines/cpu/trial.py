"""What happens once in a lifetime, a trial or a step around a network: birth, trials, the world."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from evoplastic.engines.cpu.fixed_timing import clamp_rates, conclude_outcome, drawn_entry
from evoplastic.engines.cpu.self_paced import act, begin_free_trial, enter_bank
from evoplastic.engines.cpu.simd.compile import inlined
from evoplastic.engines.cpu.simd.vectors import load, store


class Life(NamedTuple):
    """Where one of the two lives of a workspace lies in its arrays."""

    slot: int  # 0 or 1
    weight: int
    matrix: int  # alpha and elig
    rate: int
    state: int  # x and drive
    clamp: int  # clamp and active
    baseline: int


@inlined
def place_life(plan: Any, index: int) -> Life:
    """Offsets of life 0 or 1."""
    matrix = index * plan.row * plan.unclamped_width
    return Life(
        index,
        matrix,
        matrix,
        index * (plan.num_steps + 1) * plan.row,
        index * plan.unclamped_width,
        index * plan.clamped_width,
        index * plan.num_kinds,
    )


@inlined
def place_in_tiles(matrix: int, row: int, n: int, j: int) -> int:
    """Where number j of row n of a matrix lies that is laid out in tiles."""
    return matrix + (n & ~15) * row + (j & ~15) * 16 + (n & 15) * 16 + (j & 15)


@inlined
def _lay_columns(plan: Any, workspace: Any, individuals: Any, individual: int) -> None:
    """Where the neurons of a individual's network lie in a row: its channels in their own order."""
    for neuron in range(plan.num_clamped):
        workspace.column[neuron] = plan.unclamped_width + neuron
    for line in range(plan.num_inputs):
        place = individuals.input_place[individual * plan.num_inputs + line]
        workspace.column[line] = plan.unclamped_width + place
    for n in range(plan.num_unclamped):
        workspace.column[plan.num_clamped + n] = n


@inlined
def birth(
    plan: Any, workspace: Any, banks: Any, individuals: Any, life: Any, individual: int
) -> None:
    """A newborn: innate weights, no trace, initial activation; surplus workspace at 0."""
    wide, size = plan.unclamped_width, plan.num_clamped + plan.num_unclamped
    area = plan.row * wide
    workspace.weight[life.weight : life.weight + area] = np.float32(0)
    workspace.alpha[life.matrix : life.matrix + area] = np.float32(0)
    workspace.elig[life.matrix : life.matrix + area] = np.float32(0)
    _lay_columns(plan, workspace, individuals, individual)
    for n in range(plan.num_unclamped):
        source = (plan.num_clamped + n) * size
        for neuron in range(size):
            j = workspace.column[neuron]
            alpha = individuals.alpha[individual * individuals.alpha_stride + source + neuron]
            w = plan.leak * individuals.w[individual * individuals.w_stride + source + neuron]
            if plan.in_tiles:
                at = place_in_tiles(life.matrix, plan.row, n, j)
                workspace.weight[at] = w
            else:
                at = life.matrix + n * plan.row + j
                workspace.weight[life.weight + j * wide + n] = w
            workspace.alpha[at] = plan.leak * alpha
    workspace.x[life.state : life.state + wide] = np.float32(0)
    workspace.x[life.state : life.state + plan.num_unclamped] = plan.initial_activation
    workspace.length[life.slot] = plan.num_steps
    rate = life.rate + plan.num_steps * plan.row
    workspace.rate[life.rate : life.rate + (plan.num_steps + 1) * plan.row] = np.float32(0)
    workspace.rate[rate : rate + plan.num_unclamped] = plan.initial_activation
    workspace.baseline[life.baseline : life.baseline + plan.num_kinds] = np.float32(0)
    workspace.mean_correct[life.slot] = np.float32(1.0 / plan.num_outputs)
    workspace.mean_reward[life.slot] = np.float32(0)
    workspace.baseline_decay[life.slot] = individuals.baseline_decay[individual]
    workspace.baseline_rest[life.slot] = individuals.baseline_rest[individual]
    if plan.free:
        enter_bank(plan, workspace, banks, individuals, life, individual)
        return
    bias = plan.num_clamped - plan.num_outputs - 1
    workspace.rate[rate + wide + bias] = plan.bias_rate
    for neuron in range(bias + 1, plan.num_clamped):
        workspace.rate[rate + wide + neuron] = plan.initial_activation
    workspace.clamp[life.clamp : life.clamp + plan.clamped_width] = np.float32(0)
    workspace.clamp[life.clamp + bias] = plan.bias_rate
    for c in range(plan.num_clamped):
        workspace.active[life.clamp + c] = c
    workspace.num_active[life.slot] = plan.num_clamped


@inlined
def begin_trial(
    plan: Any, workspace: Any, banks: Any, individuals: Any, life: Any, individual: int, trial: int
) -> int:
    """The bank entry that a individual meets; rates carry over from the trial before."""
    last = life.rate + workspace.length[life.slot] * plan.row
    for j in range(0, plan.row, 16):
        store(workspace.rate, life.rate + j, load(workspace.rate, last + j, 16))
    if plan.free:
        return begin_free_trial(workspace, banks, individuals, life, individual)
    return drawn_entry(plan, banks, individuals, individual, trial)


@inlined
def meet_world(
    plan: Any,
    workspace: Any,
    banks: Any,
    individuals: Any,
    life: Any,
    record: Any,
    individual: int,
    trial: int,
    entry: int,
    step: int,
) -> bool:
    """Clamp what the next step finds, given what was just done; whether the outcome is known now:
    at the first feedback step of a paced trial, at the end of one that runs freely."""
    if plan.free:
        return act(
            plan, workspace, banks, individuals, life, record, individual, trial, entry, step
        )
    clamp_rates(plan, workspace, banks, life, entry, step)
    if step != plan.feedback_start:
        return False
    conclude_outcome(plan, workspace, banks, life, entry, record, individual, trial)
    return True
