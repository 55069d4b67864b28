"""A self-paced trial, compiled: an action, a reward and a new observation at a step.

An individual is in a state of its trial; the action taken there pays, and leads to the next state
or ends the trial. Channels are clamped in the task's numbering: where the weights of their
lines lie is settled at birth, so that what a state shows is copied as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.codes import FEEDBACK_REWARD
from evoplastic.engines.cpu.course import drawn_trial, taught
from evoplastic.engines.cpu.outcome import conclude_trial, first_largest
from evoplastic.engines.cpu.simd.compile import inlined
from evoplastic.engines.cpu.simd.vectors import load_first, splat_f32, store

NO_ACTION = -1


@inlined
def enter_bank(run: Any, life: Any) -> None:
    """The first trial of a lifetime, and what a newborn observes."""
    plan, workspace = run.plan, run.workspace
    workspace.active[life.clamp] = plan.feedback_at
    workspace.active[life.clamp + 1] = plan.feedback_at + 1
    _meet(run, life, 0)
    none = np.float32(0)
    clamp_state(run, life, plan.num_steps, NO_ACTION, none, none)


@inlined
def _meet(run: Any, life: Any, trial: int) -> None:
    """Stand in the first state of the trial that comes next."""
    entry = drawn_trial(run, life.individual, trial)
    run.workspace.entry[life.slot] = entry
    run.workspace.trial_state[life.slot] = run.banks.first[entry]


@inlined
def begin_self_paced_trial(run: Any, life: Any) -> int:
    """The trial that an individual meets; it is in its first state already."""
    workspace = run.workspace
    workspace.error[:] = np.float32(0)
    workspace.scored[:] = np.float32(0)
    workspace.paid[0] = np.float32(0)
    return workspace.entry[life.slot]


@inlined
def clamp_state(run: Any, life: Any, row: int, line: int, first: Any, second: Any) -> None:
    """Overwrite the clamped rates of a row: what the state shows, feedback, bias, the action.

    Everything is written to the row of rates alone; of the columns that neither channels nor the
    bias take, those that may be active are listed. Whoever sends drive reads single numbers that
    have been written as such. Notes whether anything differs from the row before.
    """
    plan, workspace, banks = run.plan, run.workspace, run.banks
    rate = life.rate + row * plan.row + plan.unclamped_width
    channels = banks.channels[run.individuals.task[life.individual]]
    shown = workspace.trial_state[life.slot] * plan.bank_inputs
    gain = splat_f32(plan.stimulus_gain, 16)
    for c in range(0, plan.clamped_width, 16):
        observation = load_first(
            banks.stimulus, shown + c, channels - c, 16
        )  # 0 behind the channels
        store(workspace.rate, rate + c, observation * gain)
    workspace.rate[rate + plan.feedback_at] = first
    workspace.rate[rate + plan.feedback_at + 1] = second
    workspace.rate[rate + plan.bias_at] = plan.bias_rate
    workspace.num_active[life.slot] = 2
    if line != NO_ACTION:
        workspace.rate[rate + plan.action_at + line] = plan.action_gain
        workspace.active[life.clamp + 2] = plan.action_at + line
        workspace.num_active[life.slot] = 3
    observation = banks.observation[workspace.trial_state[life.slot]]
    before = rate - plan.row
    workspace.clamp_changed[life.slot] = (
        observation != workspace.observation[life.slot]
        or line != workspace.line[life.slot]
        or first != workspace.rate[before + plan.feedback_at]
        or second != workspace.rate[before + plan.feedback_at + 1]
    )
    workspace.observation[life.slot] = observation
    workspace.line[life.slot] = line


@inlined
def act(run: Any, life: Any, trial: int, entry: int, step: int) -> bool:
    """Choose, be paid, move on; whether the trial is over.

    choice = argmax over the task's actions o of the rate of the response neuron of o
    """
    plan, workspace, banks, individuals = run.plan, run.workspace, run.banks, run.individuals
    task = individuals.task[life.individual]
    state = workspace.trial_state[life.slot]
    target, part = banks.target_action[state], banks.part[state]
    response = life.rate + (step + 1) * plan.row + plan.response_at
    lines = life.individual * plan.num_outputs
    error = np.float32(0)
    for o in range(banks.actions[task]):
        rate = workspace.rate[response + individuals.action_line[lines + o]]
        workspace.activity[o] = rate
        miss = rate - (plan.target_high if o == target else plan.target_low)
        error += miss * miss
    workspace.error[part] += error
    workspace.scored[part] += np.float32(1)
    choice = first_largest(workspace.activity, banks.actions[task])
    taken = state * plan.bank_outputs + choice
    reward = banks.reward[taken]
    onward = banks.onward[taken]
    workspace.paid[0] += reward
    first = second = np.float32(0)
    if plan.feedback >= FEEDBACK_REWARD and taught(run, life.individual, trial):
        first = plan.feedback_gain * reward
        second = -first
    over = onward < 0
    if over:
        first, second = conclude_trial(
            run,
            life,
            trial,
            step + 1,
            banks.kind[entry],
            _trial_loss(workspace),
            onward == -2,
            workspace.paid[0],
            reward,
        )
        workspace.length[life.slot] = step + 1
        _meet(run, life, trial + 1)
    else:
        workspace.trial_state[life.slot] = onward
    line = individuals.action_line[lines + choice]
    clamp_state(run, life, step + 1, line, first, second)
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
