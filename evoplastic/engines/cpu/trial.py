"""What happens once in a lifetime, a trial or a step around a network: birth, trials, the world."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from evoplastic.engines.cpu.fixed_timing import clamp_rates, drawn_entry, hear_outcome
from evoplastic.engines.cpu.self_paced import act, begin_free_trial, enter_bank
from evoplastic.engines.cpu.simd.compile import inlined
from evoplastic.engines.cpu.simd.vectors import load, store


class Life(NamedTuple):
    """Where one of the two lives of a room lies in its arrays."""

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
    matrix = index * plan.row * plan.unclamped_room
    return Life(
        index,
        matrix,
        matrix,
        index * (plan.num_steps + 1) * plan.row,
        index * plan.unclamped_room,
        index * plan.clamped_room,
        index * plan.num_kinds,
    )


@inlined
def place_in_tiles(matrix: int, row: int, n: int, j: int) -> int:
    """Where number j of row n of a matrix lies that is laid out in tiles."""
    return matrix + (n & ~15) * row + (j & ~15) * 16 + (n & 15) * 16 + (j & 15)


@inlined
def _lay_columns(plan: Any, room: Any, people: Any, person: int) -> None:
    """Where the neurons of a person's network lie in a row: its channels in their own order."""
    for neuron in range(plan.num_clamped):
        room.column[neuron] = plan.unclamped_room + neuron
    for line in range(plan.num_inputs):
        place = people.input_place[person * plan.num_inputs + line]
        room.column[line] = plan.unclamped_room + place
    for n in range(plan.num_unclamped):
        room.column[plan.num_clamped + n] = n


@inlined
def birth(plan: Any, room: Any, banks: Any, people: Any, life: Any, person: int) -> None:
    """A newborn: innate weights, no trace, initial activation; surplus room at 0."""
    wide, size = plan.unclamped_room, plan.num_clamped + plan.num_unclamped
    area = plan.row * wide
    room.weight[life.weight : life.weight + area] = np.float32(0)
    room.alpha[life.matrix : life.matrix + area] = np.float32(0)
    room.elig[life.matrix : life.matrix + area] = np.float32(0)
    _lay_columns(plan, room, people, person)
    for n in range(plan.num_unclamped):
        source = (plan.num_clamped + n) * size
        for neuron in range(size):
            j = room.column[neuron]
            alpha = people.alpha[person * people.alpha_stride + source + neuron]
            w = plan.leak * people.w[person * people.w_stride + source + neuron]
            if plan.internal:
                at = place_in_tiles(life.matrix, plan.row, n, j)
                room.weight[at] = w
            else:
                at = life.matrix + n * plan.row + j
                room.weight[life.weight + j * wide + n] = w
            room.alpha[at] = plan.leak * alpha
    room.x[life.state : life.state + wide] = np.float32(0)
    room.x[life.state : life.state + plan.num_unclamped] = plan.initial_activation
    room.length[life.slot] = plan.num_steps
    rate = life.rate + plan.num_steps * plan.row
    room.rate[life.rate : life.rate + (plan.num_steps + 1) * plan.row] = np.float32(0)
    room.rate[rate : rate + plan.num_unclamped] = plan.initial_activation
    room.baseline[life.baseline : life.baseline + plan.num_kinds] = np.float32(0)
    room.mean_correct[life.slot] = np.float32(1.0 / plan.num_outputs)
    room.mean_reward[life.slot] = np.float32(0)
    if plan.free:
        enter_bank(plan, room, banks, people, life, person)
        return
    bias = plan.num_clamped - plan.num_outputs - 1
    room.rate[rate + wide + bias] = plan.bias_rate
    for neuron in range(bias + 1, plan.num_clamped):
        room.rate[rate + wide + neuron] = plan.initial_activation
    room.clamp[life.clamp : life.clamp + plan.clamped_room] = np.float32(0)
    room.clamp[life.clamp + bias] = plan.bias_rate
    for c in range(plan.num_clamped):
        room.active[life.clamp + c] = c
    room.num_active[life.slot] = plan.num_clamped


@inlined
def begin_trial(
    plan: Any, room: Any, banks: Any, people: Any, life: Any, person: int, trial: int
) -> int:
    """The bank entry that a person meets; rates carry over from the trial before."""
    last = life.rate + room.length[life.slot] * plan.row
    for j in range(0, plan.row, 16):
        store(room.rate, life.rate + j, load(room.rate, last + j, 16))
    if plan.free:
        return begin_free_trial(room, banks, people, life, person)
    return drawn_entry(plan, banks, people, person, trial)


@inlined
def meet_world(
    plan: Any,
    room: Any,
    banks: Any,
    people: Any,
    life: Any,
    record: Any,
    person: int,
    trial: int,
    entry: int,
    step: int,
) -> bool:
    """Clamp what the next step finds, given what was just done; whether the outcome is known now:
    at the first feedback step of a paced trial, at the end of one that runs freely."""
    if plan.free:
        return act(plan, room, banks, people, life, record, person, trial, entry, step)
    clamp_rates(plan, room, banks, life, entry, step)
    if step != plan.feedback_start:
        return False
    hear_outcome(plan, room, banks, life, entry, record, person, trial)
    return True
