"""The node perturbations of a trial inside compiled functions, equal to `random.counters`."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.cpu.course import taught
from evoplastic.engines.cpu.simd.compile import inlined, outlined
from evoplastic.engines.cpu.simd.lanes import pack_nonzero
from evoplastic.engines.cpu.simd.philox import fill_words
from evoplastic.engines.cpu.simd.vectors import (
    count_u32,
    load,
    signed_to_f32,
    splat_f32,
    splat_u32,
    store,
    where_below,
)


@inlined
def begin_noise(run: Any, life: Any, trial: int) -> None:
    """Before an individual's trial: noise drawn for its partner stays if both share it.

    The partner, in slot 0, has just had the same trial; probes have no noise.
    """
    plan, workspace, individual = run.plan, run.workspace, life.individual
    loud = taught(run, individual, trial)
    if trial < plan.first_quiet_trial and loud:
        stream = run.individuals.perturb_stream
        alone = life.slot == 0 or stream[individual] != stream[individual - 1]
        if alone or not taught(run, individual - 1, trial):
            workspace.drawn[0] = 0
    elif not loud or trial == plan.first_quiet_trial or trial == 0:
        workspace.xi[:] = np.float32(0)
        workspace.hit_start[:] = 0
        workspace.drawn[0] = plan.num_steps


@outlined
def draw_noise(plan: Any, workspace: Any, trial: int, stream: Any) -> None:
    """Draw the noise of the next chunk of steps, so that a long trial costs whoever has it."""
    first = workspace.drawn[0]
    stop = min(first + plan.chunk, plan.num_steps)
    perturb_steps(plan, workspace, trial, stream, first, stop)
    workspace.drawn[0] = stop


@inlined
def perturb_steps(plan: Any, workspace: Any, trial: int, stream: Any, first: int, stop: int) -> int:
    """Node perturbations of steps [first, stop); returns the number of hits of the trial so far.

    Steps are drawn in order, at most plan.chunk at a time.

    workspace.xi[t * S + CP + n]   perturbation of unclamped neuron n at step t, 0 where spared
    workspace.hit[h]               t << 16 | n of hit h, in the order of steps
    workspace.hit_start[t]         first hit of step t
    """
    quarter = plan.quarter
    row = plan.word_row
    hits = workspace.hit_start[first] if first > plan.first_hit_step else 0
    begin = max(first, plan.first_hit_step)
    end = max(begin, min(stop, plan.stop_hit_step))
    fill_words(
        workspace.words,
        row,
        begin * quarter,
        end * quarter,
        trial,
        stream,
        plan.perturb_purpose,
        plan.key0,
        plan.key1,
    )
    below = splat_u32(plan.hit_below, 16)
    centre = splat_u32(plan.hit_centre, 16)
    scale = splat_f32(plan.hit_scale, 16)
    for step in range(begin, end):
        drawn = (step - begin) * quarter
        xi = step * plan.row + plan.clamped_width - plan.num_clamped
        for v in range(4):
            for q in range(0, quarter, 16):
                word = load(workspace.words, v * row + drawn + q, 16)
                value = where_below(word, below, signed_to_f32(word - centre) * scale)
                store(workspace.xi, xi + v * quarter + q, value)
        workspace.hit_start[step] = hits
        xi = step * plan.row + plan.clamped_width
        for n in range(0, plan.unclamped_width, 16):
            value = load(workspace.xi, xi + n, 16) * load(workspace.perturbed, n, 16)
            store(workspace.xi, xi + n, value)
            hits = pack_nonzero(
                workspace.hit, hits, count_u32(np.uint32((step << 16) + n), 16), value
            )
    for step in range(end, stop):
        workspace.hit_start[step] = hits
        for n in range(0, plan.row, 16):  # where the draws of the step before reached into this one
            store(workspace.xi, step * plan.row + n, splat_f32(np.float32(0), 16))
    workspace.hit_start[stop] = hits
    return hits
