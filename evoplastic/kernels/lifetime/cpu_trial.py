"""What happens once in a lifetime or a trial: birth, drawing a trial, hearing its outcome."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from evoplastic.kernels.simd.compile import inlined
from evoplastic.kernels.simd.philox import one_word
from evoplastic.kernels.simd.vectors import load, store


class Life(NamedTuple):
    """Where one of the two lives of a room lies in its arrays."""

    slot: int  # 0 or 1
    weight: int
    matrix: int  # alpha and elig
    rate: int
    state: int  # x and drive
    clamp: int
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
def column_of(plan: Any, neuron: int) -> int:
    """Where a neuron of the network lies in a row."""
    if neuron >= plan.num_clamped:
        return neuron - plan.num_clamped
    return plan.unclamped_room + neuron


@inlined
def birth(plan: Any, room: Any, people: Any, life: Any, person: int) -> None:
    """A newborn: innate weights, no trace, initial activation; surplus room at 0."""
    wide, size = plan.unclamped_room, plan.num_clamped + plan.num_unclamped
    area = plan.row * wide
    room.weight[life.weight : life.weight + area] = np.float32(0)
    room.alpha[life.matrix : life.matrix + area] = np.float32(0)
    room.elig[life.matrix : life.matrix + area] = np.float32(0)
    for n in range(plan.num_unclamped):
        source = (plan.num_clamped + n) * size
        for neuron in range(size):
            j = column_of(plan, neuron)
            alpha = people.alpha[person * people.alpha_stride + source + neuron]
            w = plan.leak * people.w[person * people.w_stride + source + neuron]
            if plan.internal:
                room.weight[life.weight + n * plan.row + j] = w
            else:
                room.weight[life.weight + j * wide + n] = w
            room.alpha[life.matrix + n * plan.row + j] = plan.leak * alpha
    room.x[life.state : life.state + wide] = np.float32(0)
    room.x[life.state : life.state + plan.num_unclamped] = plan.initial_activation
    rate = life.rate + plan.num_steps * plan.row
    room.rate[life.rate : life.rate + (plan.num_steps + 1) * plan.row] = np.float32(0)
    room.rate[rate : rate + plan.num_unclamped] = plan.initial_activation
    bias = plan.num_clamped - plan.num_outputs - 1
    room.rate[rate + wide + bias] = plan.bias_rate
    for neuron in range(bias + 1, plan.num_clamped):
        room.rate[rate + wide + neuron] = plan.initial_activation
    room.clamp[life.clamp : life.clamp + plan.clamped_room] = np.float32(0)
    room.clamp[life.clamp + bias] = plan.bias_rate
    room.baseline[life.baseline : life.baseline + plan.num_kinds] = np.float32(0)
    room.mean_correct[life.slot] = np.float32(1.0 / plan.num_outputs)


@inlined
def begin_trial(
    plan: Any, room: Any, banks: Any, people: Any, life: Any, person: int, trial: int
) -> int:
    """The bank entry that a person meets; rates carry over from the trial before."""
    last = life.rate + plan.num_steps * plan.row
    for j in range(0, plan.row, 16):
        store(room.rate, life.rate + j, load(room.rate, last + j, 16))
    word = one_word(0, trial, people.trial_stream[person], plan.trial_purpose, plan.key0, plan.key1)
    task = people.task[person]
    return banks.start[task] + np.int64((word * np.uint64(banks.size[task])) >> np.uint64(32))


@inlined
def clamp_rates(plan: Any, room: Any, banks: Any, life: Any, entry: int, step: int) -> None:
    """Overwrite the rates of the clamped neurons at a step; notes whether they changed."""
    changed = banks.changes[entry * plan.num_steps + step]
    if changed:
        shown = (entry * plan.num_steps + step) * plan.num_inputs
        for line in range(plan.num_inputs):
            room.clamp[life.clamp + line] = plan.stimulus_gain * banks.stimulus[shown + line]
    if step == 0 or step == plan.feedback_stop:
        changed = True
        bias = plan.num_clamped - plan.num_outputs - 1
        for line in range(plan.num_inputs, bias):
            room.clamp[life.clamp + line] = np.float32(0)
        for line in range(bias + 1, plan.num_clamped):
            room.clamp[life.clamp + line] = np.float32(0)
    room.clamp_changed[life.slot] = changed
    _write_clamped(plan, room, life, step)


@inlined
def _write_clamped(plan: Any, room: Any, life: Any, step: int) -> None:
    rate = life.rate + (step + 1) * plan.row + plan.unclamped_room
    for c in range(0, plan.clamped_room, 16):
        store(room.rate, rate + c, load(room.clamp, life.clamp + c, 16))


@inlined
def hear_outcome(
    plan: Any, room: Any, banks: Any, life: Any, entry: int, record: Any, person: int, trial: int
) -> Any:
    """Judge the response, record it, clamp the feedback; returns the gate of external plasticity.

    gate = b (L - b), or L without a baseline; b the running mean of L before this trial
    """
    outputs = plan.num_outputs
    loss = np.float32(0)
    share = np.float32(plan.response_stop - plan.response_start)
    room.activity[:] = np.float32(0)
    for step in range(plan.response_start, plan.response_stop):
        rate = life.rate + (step + 1) * plan.row + plan.num_unclamped - outputs
        error = np.float32(0)
        for o in range(outputs):
            response = room.rate[rate + o]
            room.activity[o] += response
            miss = response - banks.target[entry * outputs + o]
            error += miss * miss
        loss += error / share
    choice = 0
    for o in range(1, outputs):
        best, here = room.activity[choice], room.activity[o]
        # as torch.argmax: the first of equals, and what is not a number counts as the largest
        if here > best or (np.isnan(here) and not np.isnan(best)):
            choice = o
    correct = choice == banks.asked[entry]
    record.loss[person, trial] = loss
    record.correct[person, trial] = correct
    record.reward[person, trial] = banks.reward[entry * outputs + choice]

    seen = loss
    if plan.binary:
        seen = plan.binary_correct if correct else plan.binary_wrong
    right = np.float32(1) if correct else np.float32(0)
    mean = room.mean_correct[life.slot]
    if plan.feedback == 0:
        first = plan.feedback_gain * seen
        second = first
    else:
        expected = np.float32(0.5) if plan.feedback == 1 else mean
        first = np.float32(2) * plan.feedback_gain * (right - expected)
        second = -first
    bias = plan.num_clamped - outputs - 1
    room.clamp[life.clamp + bias - 2] = first
    room.clamp[life.clamp + bias - 1] = second
    room.clamp[life.clamp + bias + 1 + choice] = plan.action_gain
    room.clamp_changed[life.slot] = True
    _write_clamped(plan, room, life, plan.feedback_start)

    decay = plan.baseline_decay
    rest = plan.baseline_rest
    kind = life.baseline + (banks.kind[entry] if plan.per_kind else 0)
    before = room.baseline[kind]
    room.baseline[kind] = decay * before + rest * seen
    room.mean_correct[life.slot] = decay * mean + rest * right
    return before * (seen - before) if plan.with_baseline else seen


@inlined
def quiet(plan: Any, room: Any) -> None:
    """No perturbation in this trial."""
    room.xi[:] = np.float32(0)
    room.hit_start[:] = 0
