"""A trial of fixed timing, compiled: one stimulus, one answer judged in its window."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.cpu.outcome import conclude_trial, first_largest
from evoplastic.engines.cpu.simd.compile import inlined
from evoplastic.engines.cpu.simd.vectors import load, store


@inlined
def clamp_rates(run: Any, life: Any, entry: int, step: int) -> None:
    """Overwrite the rates of the clamped neurons at a step; notes whether they changed."""
    plan, workspace, banks = run.plan, run.workspace, run.banks
    changed = banks.changes[entry * plan.num_steps + step]
    if changed:
        shown = (entry * plan.num_steps + step) * plan.num_inputs
        for line in range(plan.num_inputs):
            workspace.clamp[life.clamp + line] = plan.stimulus_gain * banks.stimulus[shown + line]
    if step == 0 or step == plan.feedback_stop:
        changed = True
        bias = plan.bias_at
        for line in range(plan.feedback_at, bias):
            workspace.clamp[life.clamp + line] = np.float32(0)
        for line in range(plan.action_at, plan.num_clamped):
            workspace.clamp[life.clamp + line] = np.float32(0)
    workspace.clamp_changed[life.slot] = changed
    _write_clamped(plan, workspace, life, step)


@inlined
def _write_clamped(plan: Any, workspace: Any, life: Any, step: int) -> None:
    rate = life.rate + (step + 1) * plan.row + plan.unclamped_width
    for c in range(0, plan.clamped_width, 16):
        store(workspace.rate, rate + c, load(workspace.clamp, life.clamp + c, 16))


@inlined
def conclude_outcome(run: Any, life: Any, trial: int, entry: int) -> None:
    """Judge the response, and clamp the feedback."""
    plan, workspace, banks = run.plan, run.workspace, run.banks
    outputs = plan.num_outputs
    loss = np.float32(0)
    share = np.float32(plan.response_stop - plan.response_start)
    workspace.activity[:] = np.float32(0)
    for step in range(plan.response_start, plan.response_stop):
        rate = life.rate + (step + 1) * plan.row + plan.response_at
        error = np.float32(0)
        for o in range(outputs):
            response = workspace.rate[rate + o]
            workspace.activity[o] += response
            miss = response - banks.target[entry * outputs + o]
            error += miss * miss
        loss += error / share
    choice = first_largest(workspace.activity, outputs)
    correct = choice == banks.target_action[entry]
    reward = banks.reward[entry * outputs + choice]
    kind = banks.kind[entry]
    first, second = conclude_trial(
        run, life, trial, plan.num_steps, kind, loss, correct, reward, reward
    )
    workspace.clamp[life.clamp + plan.feedback_at] = first
    workspace.clamp[life.clamp + plan.feedback_at + 1] = second
    workspace.clamp[life.clamp + plan.action_at + choice] = plan.action_gain
    workspace.clamp_changed[life.slot] = True
    _write_clamped(plan, workspace, life, plan.feedback_start)
