"""What a paced trial brings, compiled: a stimulus of its own, one answer judged in its window."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.cpu.outcome import conclude_trial, first_largest
from evoplastic.engines.cpu.simd.compile import inlined
from evoplastic.engines.cpu.simd.philox import one_word
from evoplastic.engines.cpu.simd.vectors import load, store


@inlined
def drawn_entry(plan: Any, banks: Any, individuals: Any, individual: int, trial: int) -> int:
    """The bank entry that a individual meets."""
    word = one_word(
        0, trial, individuals.trial_stream[individual], plan.trial_purpose, plan.key0, plan.key1
    )
    task = individuals.task[individual]
    return banks.start[task] + np.int64((word * np.uint64(banks.size[task])) >> np.uint64(32))


@inlined
def clamp_rates(plan: Any, workspace: Any, banks: Any, life: Any, entry: int, step: int) -> None:
    """Overwrite the rates of the clamped neurons at a step; notes whether they changed."""
    changed = banks.changes[entry * plan.num_steps + step]
    if changed:
        shown = (entry * plan.num_steps + step) * plan.num_inputs
        for line in range(plan.num_inputs):
            workspace.clamp[life.clamp + line] = plan.stimulus_gain * banks.stimulus[shown + line]
    if step == 0 or step == plan.feedback_stop:
        changed = True
        bias = plan.num_clamped - plan.num_outputs - 1
        for line in range(plan.num_inputs, bias):
            workspace.clamp[life.clamp + line] = np.float32(0)
        for line in range(bias + 1, plan.num_clamped):
            workspace.clamp[life.clamp + line] = np.float32(0)
    workspace.clamp_changed[life.slot] = changed
    _write_clamped(plan, workspace, life, step)


@inlined
def _write_clamped(plan: Any, workspace: Any, life: Any, step: int) -> None:
    rate = life.rate + (step + 1) * plan.row + plan.unclamped_width
    for c in range(0, plan.clamped_width, 16):
        store(workspace.rate, rate + c, load(workspace.clamp, life.clamp + c, 16))


@inlined
def conclude_outcome(
    plan: Any,
    workspace: Any,
    banks: Any,
    life: Any,
    entry: int,
    record: Any,
    individual: int,
    trial: int,
) -> None:
    """Judge the response, and clamp the feedback."""
    outputs = plan.num_outputs
    loss = np.float32(0)
    share = np.float32(plan.response_stop - plan.response_start)
    workspace.activity[:] = np.float32(0)
    for step in range(plan.response_start, plan.response_stop):
        rate = life.rate + (step + 1) * plan.row + plan.num_unclamped - outputs
        error = np.float32(0)
        for o in range(outputs):
            response = workspace.rate[rate + o]
            workspace.activity[o] += response
            miss = response - banks.target[entry * outputs + o]
            error += miss * miss
        loss += error / share
    choice = first_largest(workspace.activity, outputs)
    correct = choice == banks.asked[entry]
    reward = banks.reward[entry * outputs + choice]
    kind = banks.kind[entry]
    first, second = conclude_trial(
        plan,
        workspace,
        life,
        record,
        individual,
        trial,
        plan.num_steps,
        kind,
        loss,
        correct,
        reward,
        reward,
    )
    bias = plan.num_clamped - outputs - 1
    workspace.clamp[life.clamp + bias - 2] = first
    workspace.clamp[life.clamp + bias - 1] = second
    workspace.clamp[life.clamp + bias + 1 + choice] = plan.action_gain
    workspace.clamp_changed[life.slot] = True
    _write_clamped(plan, workspace, life, plan.feedback_start)
