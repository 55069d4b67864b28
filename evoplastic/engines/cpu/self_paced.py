"""What a trial that runs freely brings, compiled: an action, a reward and a new sight at each step.

A person stands at a node of its task; the action taken there pays, and leads to the next node or
ends the trial. Channels are clamped in the task's numbering: where the weights of their lines lie
is settled at birth, so that what a node shows is copied as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.cpu.outcome import first_largest, hear_trial
from evoplastic.engines.cpu.simd.compile import inlined
from evoplastic.engines.cpu.simd.philox import one_word
from evoplastic.engines.cpu.simd.vectors import load_first, splat_f32, store

NO_ACTION = -1


@inlined
def enter_bank(plan: Any, room: Any, banks: Any, people: Any, life: Any, person: int) -> None:
    """The first trial of a lifetime, the first of a random block; and what a newborn sees."""
    task = people.task[person]
    word = one_word(0, 0, people.trial_stream[person], plan.trial_purpose, plan.key0, plan.key1)
    block = banks.block[task]
    blocks = np.uint64(banks.size[task] // block)
    room.place[life.slot] = block * np.int64((word * blocks) >> np.uint64(32))
    bias = plan.num_clamped - plan.num_outputs - 1
    room.active[life.clamp] = bias - 2
    room.active[life.clamp + 1] = bias - 1
    _first_node(room, banks, life, task)
    none = np.float32(0)
    clamp_node(plan, room, banks, life, task, plan.num_steps, NO_ACTION, none, none)


@inlined
def _first_node(room: Any, banks: Any, life: Any, task: int) -> None:
    room.node[life.slot] = banks.first[banks.start[task] + room.place[life.slot]]


@inlined
def begin_free_trial(room: Any, banks: Any, people: Any, life: Any, person: int) -> int:
    """The bank entry that a person meets; it stands at its first node already."""
    room.error[:] = np.float32(0)
    room.scored[:] = np.float32(0)
    room.earned[0] = np.float32(0)
    return banks.start[people.task[person]] + room.place[life.slot]


@inlined
def clamp_node(
    plan: Any,
    room: Any,
    banks: Any,
    life: Any,
    task: int,
    row: int,
    line: int,
    first: Any,
    second: Any,
) -> None:
    """Overwrite the clamped rates of a row: what the node shows, feedback, bias, the action.

    Everything is written to the row of rates alone; of the columns that neither channels nor the
    bias take, those that may be active are listed. Whoever sends drive reads single numbers that
    have been written as such. Notes whether anything differs from the row before.
    """
    rate = life.rate + row * plan.row + plan.unclamped_room
    channels = banks.channels[task]
    shown = room.node[life.slot] * plan.bank_inputs
    gain = splat_f32(plan.stimulus_gain, 16)
    for c in range(0, plan.clamped_room, 16):
        sight = load_first(banks.stimulus, shown + c, channels - c, 16)  # 0 behind the channels
        store(room.rate, rate + c, sight * gain)
    bias = plan.num_clamped - plan.num_outputs - 1
    room.rate[rate + bias - 2] = first
    room.rate[rate + bias - 1] = second
    room.rate[rate + bias] = plan.bias_rate
    room.num_active[life.slot] = 2
    if line != NO_ACTION:
        room.rate[rate + bias + 1 + line] = plan.action_gain
        room.active[life.clamp + 2] = bias + 1 + line
        room.num_active[life.slot] = 3
    sight = banks.sight[room.node[life.slot]]
    before = rate - plan.row
    room.clamp_changed[life.slot] = (
        sight != room.sight[life.slot]
        or line != room.line[life.slot]
        or first != room.rate[before + bias - 2]
        or second != room.rate[before + bias - 1]
    )
    room.sight[life.slot] = sight
    room.line[life.slot] = line


@inlined
def act(
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
    """Choose, be paid, move on; whether the trial is over.

    choice = argmax over the task's actions o of the rate of the response neuron of o
    """
    task = people.task[person]
    node = room.node[life.slot]
    asked, part = banks.asked[node], banks.part[node]
    response = life.rate + (step + 1) * plan.row + plan.num_unclamped - plan.num_outputs
    lines = person * plan.num_outputs
    error = np.float32(0)
    for o in range(banks.actions[task]):
        rate = room.rate[response + people.action_line[lines + o]]
        room.activity[o] = rate
        miss = rate - (plan.target_high if o == asked else plan.target_low)
        error += miss * miss
    room.error[part] += error
    room.scored[part] += np.float32(1)
    choice = first_largest(room.activity, banks.actions[task])
    taken = node * plan.bank_outputs + choice
    reward = banks.reward[taken]
    onward = banks.onward[taken]
    room.earned[0] += reward
    first = second = np.float32(0)
    if plan.feedback >= 3:
        first = plan.feedback_gain * reward
        second = -first
    over = onward < 0
    if over:
        first, second = hear_trial(
            plan,
            room,
            life,
            record,
            person,
            trial,
            step + 1,
            banks.kind[entry],
            _trial_loss(room),
            onward == -2,
            room.earned[0],
            reward,
        )
        room.length[life.slot] = step + 1
        place = room.place[life.slot] + 1
        room.place[life.slot] = place if place < banks.size[task] else 0
        _first_node(room, banks, life, task)
    else:
        room.node[life.slot] = onward
    line = people.action_line[lines + choice]
    clamp_node(plan, room, banks, life, task, step + 1, line, first, second)
    return over


@inlined
def _trial_loss(room: Any) -> Any:
    """Mean, over the parts {hold, answer} that there were, of the mean error of their steps."""
    total = np.float32(0)
    parts = np.float32(0)
    for part in range(1, 3):
        if room.scored[part] > 0:
            total += room.error[part] / room.scored[part]
            parts += np.float32(1)
    return total / max(parts, np.float32(1))
