"""What a self-paced trial brings, compiled: an action, a reward and a new observation at a step.

An individual is in a state of its trial; the action taken there pays, and leads to the next state
or ends the trial. Channels are clamped in the task's numbering: where the weights of their
lines lie is settled at birth, so that what a state shows is copied as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.codes import FEEDBACK_REWARD
from evoplastic.engines.cpu.outcome import conclude_trial, first_largest
from evoplastic.engines.cpu.simd.compile import inlined
from evoplastic.engines.cpu.simd.philox import one_word
from evoplastic.engines.cpu.simd.vectors import load_first, splat_f32, store

NO_ACTION = -1


@inlined
def enter_bank(
    plan: Any, workspace: Any, banks: Any, individuals: Any, life: Any, individual: int
) -> None:
    """The first trial of a lifetime, the first of a random block; and what a newborn sees."""
    task = individuals.task[individual]
    word = one_word(
        0, 0, individuals.trial_stream[individual], plan.trial_purpose, plan.key0, plan.key1
    )
    block = banks.block[task]
    blocks = np.uint64(banks.size[task] // block)
    workspace.place[life.slot] = block * np.int64((word * blocks) >> np.uint64(32))
    bias = plan.num_clamped - plan.num_outputs - 1
    workspace.active[life.clamp] = bias - 2
    workspace.active[life.clamp + 1] = bias - 1
    _first_node(workspace, banks, life, task)
    none = np.float32(0)
    clamp_node(plan, workspace, banks, life, task, plan.num_steps, NO_ACTION, none, none)


@inlined
def _first_node(workspace: Any, banks: Any, life: Any, task: int) -> None:
    workspace.node[life.slot] = banks.first[banks.start[task] + workspace.place[life.slot]]


@inlined
def begin_free_trial(
    workspace: Any, banks: Any, individuals: Any, life: Any, individual: int
) -> int:
    """The bank entry that a individual meets; it stands at its first node already."""
    workspace.error[:] = np.float32(0)
    workspace.scored[:] = np.float32(0)
    workspace.earned[0] = np.float32(0)
    return banks.start[individuals.task[individual]] + workspace.place[life.slot]


@inlined
def clamp_node(
    plan: Any,
    workspace: Any,
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
    rate = life.rate + row * plan.row + plan.unclamped_width
    channels = banks.channels[task]
    shown = workspace.node[life.slot] * plan.bank_inputs
    gain = splat_f32(plan.stimulus_gain, 16)
    for c in range(0, plan.clamped_width, 16):
        observation = load_first(
            banks.stimulus, shown + c, channels - c, 16
        )  # 0 behind the channels
        store(workspace.rate, rate + c, observation * gain)
    bias = plan.num_clamped - plan.num_outputs - 1
    workspace.rate[rate + bias - 2] = first
    workspace.rate[rate + bias - 1] = second
    workspace.rate[rate + bias] = plan.bias_rate
    workspace.num_active[life.slot] = 2
    if line != NO_ACTION:
        workspace.rate[rate + bias + 1 + line] = plan.action_gain
        workspace.active[life.clamp + 2] = bias + 1 + line
        workspace.num_active[life.slot] = 3
    observation = banks.observation[workspace.node[life.slot]]
    before = rate - plan.row
    workspace.clamp_changed[life.slot] = (
        observation != workspace.observation[life.slot]
        or line != workspace.line[life.slot]
        or first != workspace.rate[before + bias - 2]
        or second != workspace.rate[before + bias - 1]
    )
    workspace.observation[life.slot] = observation
    workspace.line[life.slot] = line


@inlined
def act(
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
    """Choose, be paid, move on; whether the trial is over.

    choice = argmax over the task's actions o of the rate of the response neuron of o
    """
    task = individuals.task[individual]
    node = workspace.node[life.slot]
    asked, part = banks.asked[node], banks.part[node]
    response = life.rate + (step + 1) * plan.row + plan.num_unclamped - plan.num_outputs
    lines = individual * plan.num_outputs
    error = np.float32(0)
    for o in range(banks.actions[task]):
        rate = workspace.rate[response + individuals.action_line[lines + o]]
        workspace.activity[o] = rate
        miss = rate - (plan.target_high if o == asked else plan.target_low)
        error += miss * miss
    workspace.error[part] += error
    workspace.scored[part] += np.float32(1)
    choice = first_largest(workspace.activity, banks.actions[task])
    taken = node * plan.bank_outputs + choice
    reward = banks.reward[taken]
    onward = banks.onward[taken]
    workspace.earned[0] += reward
    first = second = np.float32(0)
    if plan.feedback >= FEEDBACK_REWARD:
        first = plan.feedback_gain * reward
        second = -first
    over = onward < 0
    if over:
        first, second = conclude_trial(
            plan,
            workspace,
            life,
            record,
            individual,
            trial,
            step + 1,
            banks.kind[entry],
            _trial_loss(workspace),
            onward == -2,
            workspace.earned[0],
            reward,
        )
        workspace.length[life.slot] = step + 1
        place = workspace.place[life.slot] + 1
        workspace.place[life.slot] = place if place < banks.size[task] else 0
        _first_node(workspace, banks, life, task)
    else:
        workspace.node[life.slot] = onward
    line = individuals.action_line[lines + choice]
    clamp_node(plan, workspace, banks, life, task, step + 1, line, first, second)
    return over


@inlined
def _trial_loss(workspace: Any) -> Any:
    """Mean, over the parts {hold, answer} that there were, of the mean error of their steps."""
    total = np.float32(0)
    parts = np.float32(0)
    for part in range(1, 3):
        if workspace.scored[part] > 0:
            total += workspace.error[part] / workspace.scored[part]
            parts += np.float32(1)
    return total / max(parts, np.float32(1))
