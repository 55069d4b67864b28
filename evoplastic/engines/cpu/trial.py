"""What happens once in a lifetime, a trial or a step around a network: birth, trials, the world."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.cpu.course import drawn_trial
from evoplastic.engines.cpu.fixed_timing import clamp_rates, conclude_outcome
from evoplastic.engines.cpu.self_paced import act, begin_self_paced_trial, enter_bank
from evoplastic.engines.cpu.simd.compile import inlined
from evoplastic.engines.cpu.simd.modulation import lay_fan_out
from evoplastic.engines.cpu.simd.vectors import load, store


@inlined
def place_in_tiles(matrix: int, row: int, n: int, j: int) -> int:
    """Where number j of row n of a matrix lies that is laid out in tiles."""
    return matrix + (n & ~15) * row + (j & ~15) * 16 + (n & 15) * 16 + (j & 15)


@inlined
def _lay_columns(run: Any, life: Any) -> None:
    """Where the neurons of a network lie in a row: its task's channels in their own order."""
    plan, workspace = run.plan, run.workspace
    for neuron in range(plan.num_clamped):
        workspace.column[neuron] = plan.unclamped_width + neuron
    for line in range(plan.num_inputs):
        place = run.individuals.input_place[life.individual * plan.num_inputs + line]
        workspace.column[line] = plan.unclamped_width + place
    for n in range(plan.num_unclamped):
        workspace.column[plan.num_clamped + n] = n


@inlined
def birth(run: Any, life: Any) -> None:
    """A newborn: innate weights, no trace, initial activation; surplus workspace at 0."""
    plan, workspace, individuals = run.plan, run.workspace, run.individuals
    individual = life.individual
    wide, size = plan.unclamped_width, plan.num_clamped + plan.num_unclamped
    area = plan.row * wide
    workspace.weight[life.weight : life.weight + area] = np.float32(0)
    workspace.alpha[life.matrix : life.matrix + area] = np.float32(0)
    workspace.elig[life.matrix : life.matrix + area] = np.float32(0)
    workspace.keep[life.state : life.state + wide] = np.float32(0)
    workspace.in_shift[life.state : life.state + wide] = np.float32(0)
    _lay_columns(run, life)
    for n in range(plan.num_unclamped):
        source = (plan.num_clamped + n) * size
        own = individual * individuals.intrinsic_stride + plan.num_clamped + n
        leak = individuals.leak[own]
        workspace.keep[life.state + n] = individuals.keep[own]
        workspace.in_shift[life.state + n] = -workspace.in_scale[n] * individuals.threshold[own]
        for neuron in range(size):
            j = workspace.column[neuron]
            alpha = individuals.alpha[individual * individuals.alpha_stride + source + neuron]
            w = leak * individuals.w[individual * individuals.w_stride + source + neuron]
            if plan.in_tiles:
                at = place_in_tiles(life.matrix, plan.row, n, j)
                workspace.weight[at] = w
            else:
                at = life.matrix + n * plan.row + j
                workspace.weight[life.weight + j * wide + n] = w
                if plan.by_source:
                    at = life.matrix + j * wide + n
            workspace.alpha[at] = leak * alpha
    lay_fan_out(workspace.fan_outs.plasticity, plan, life)
    lay_fan_out(workspace.fan_outs.gain, plan, life)
    lay_fan_out(workspace.fan_outs.threshold, plan, life)
    workspace.x[life.state : life.state + wide] = np.float32(0)
    workspace.x[life.state : life.state + plan.num_unclamped] = plan.initial_activation
    workspace.length[life.slot] = plan.num_steps
    rate = life.rate + plan.num_steps * plan.row
    workspace.rate[life.rate : life.rate + (plan.num_steps + 1) * plan.row] = np.float32(0)
    workspace.rate[rate : rate + plan.num_unclamped] = plan.initial_activation
    workspace.baseline[life.baseline : life.baseline + plan.num_kinds] = np.float32(0)
    workspace.mean_correct[life.slot] = np.float32(1.0 / plan.num_outputs)
    workspace.mean_reward[life.slot] = np.float32(0)
    workspace.mean_loss[life.slot] = np.float32(1.0 - 1.0 / plan.num_outputs)
    workspace.baseline_decay[life.slot] = individuals.baseline_decay[individual]
    workspace.baseline_rest[life.slot] = individuals.baseline_rest[individual]
    if plan.self_paced:
        enter_bank(run, life)
        return
    bias = plan.bias_at
    workspace.rate[rate + wide + bias] = plan.bias_rate
    for neuron in range(plan.action_at, plan.num_clamped):
        workspace.rate[rate + wide + neuron] = plan.initial_activation
    workspace.clamp[life.clamp : life.clamp + plan.clamped_width] = np.float32(0)
    workspace.clamp[life.clamp + bias] = plan.bias_rate
    for c in range(plan.num_clamped):
        workspace.active[life.clamp + c] = c
    workspace.num_active[life.slot] = plan.num_clamped


@inlined
def begin_trial(run: Any, life: Any, trial: int) -> int:
    """The trial that an individual meets; rates carry over from the trial before."""
    plan, workspace = run.plan, run.workspace
    last = life.rate + workspace.length[life.slot] * plan.row
    for j in range(0, plan.row, 16):
        store(workspace.rate, life.rate + j, load(workspace.rate, last + j, 16))
    if plan.self_paced:
        return begin_self_paced_trial(run, life)
    return drawn_trial(run, life.individual, trial)


@inlined
def meet_world(run: Any, life: Any, trial: int, entry: int, step: int) -> bool:
    """Clamp what the next step finds, given what was just done; whether the outcome is known now:
    at the first feedback step in trials of fixed timing, at the end of self-paced ones."""
    if run.plan.self_paced:
        return act(run, life, trial, entry, step)
    clamp_rates(run, life, entry, step)
    if step != run.plan.feedback_start:
        return False
    conclude_outcome(run, life, trial, entry)
    return True
