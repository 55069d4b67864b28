"""The fused CPU engine: a thread takes two individuals at a time through all their trials.

Equal to the reference to float32 rounding, on the same random numbers bit for bit. What becomes of
an individual depends neither on who else is in the batch nor on the number of threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch

from evoplastic.engines.cpu.at_outcome import run_at_outcome
from evoplastic.engines.cpu.coefficients import make_coefficients
from evoplastic.engines.cpu.every_step import Change, make_matrices, run_every_step
from evoplastic.engines.cpu.inside.holding import blocks_of, hold, plan_of
from evoplastic.engines.cpu.inside.recorder import CpuRecorder
from evoplastic.engines.cpu.lazy import run_lazy
from evoplastic.engines.cpu.plan import Plan, make_plan, windows
from evoplastic.engines.cpu.run import Run
from evoplastic.engines.cpu.simd.compile import announce_compilation
from evoplastic.engines.cpu.simd.formula import factored
from evoplastic.engines.cpu.tables import make_banks, make_individuals, make_record
from evoplastic.engines.cpu.workspace import Workspace, make_workspace
from evoplastic.engines.structure import compile_rule
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.intervention import NOTHING, Intervention
from evoplastic.machine import usable_cores
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.table import Schedule

MAX_STEPS = 1 << 15  # a hit packs its step and its neuron into one 32-bit word
MAX_NEURONS = 1 << 16
# The kernel of each schedule that is covered, and about how long it takes to compile.
SCHEDULES: dict[Schedule, tuple[Any, int]] = {
    "at_outcome": (run_at_outcome, 15),
    "lazy": (run_lazy, 30),
    "every_step": (run_every_step, 20),
}


def cpu_covers(groups: NeuronGroups, batch: LifetimeBatch, config: LifetimeConfig) -> str | None:
    """Why this engine cannot run these lifetimes, or None if it can."""
    if not batch.in_tables:
        return "tasks that step real environments, trial tables are covered"
    _, num_steps, *_ = windows(batch)
    if num_steps >= MAX_STEPS:
        return f"trials of {num_steps} steps, fewer than {MAX_STEPS} are covered"
    if groups.num_neurons >= MAX_NEURONS:
        return f"{groups.num_neurons} neurons, fewer than {MAX_NEURONS} are covered"
    return None


def run_cpu(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    *,
    threads: int = 0,
    recorder: CpuRecorder | None = None,
    intervention: Intervention = NOTHING,
) -> LifetimeResult:
    """Live P whole lifetimes on the processor.

    Args:
        params: innate weights and plasticity coefficients [P, N, N].
        groups: which neuron does what.
        batch: tasks and random streams of the individuals.
        config: everything else about the lifetime.
        threads: how many threads share the individuals; 0 means one per core.
        recorder: reads what it keeps between trials, one individual at a time: no bit changes.
        intervention: lesioned are the networks already; rates that are held, trials from which on
            nothing changes. Not together with a recorder.
    """
    plan = make_plan(groups, batch, config)
    banks = make_banks(batch, config)
    individuals = make_individuals(params, groups, batch, config)
    num_individuals = len(individuals.task)
    record = make_record(num_individuals, config.num_trials)
    at_a_time = 2 if recorder is None and intervention is NOTHING else 1
    turns = [
        (first, min(first + at_a_time, num_individuals))
        for first in range(0, num_individuals, at_a_time)
    ]
    blocks = blocks_of(intervention, config.num_trials) if recorder is None else recorder.blocks
    threads = min(threads or usable_cores(), max(1, len(turns)))
    simulate, seconds = SCHEDULES[config.schedule]
    announce_compilation(simulate, f"the CPU engine for {config.rule.name}", seconds)
    workspaces = [
        make_workspace(groups, batch, config, plan, params.modulation) for _ in range(threads)
    ]
    extras = [of_rule(plan, params, batch, config) for _ in workspaces]

    def work(workspace: Workspace, extra: tuple[Any, ...]) -> None:
        while True:
            try:
                first, stop = turns.pop()
            except IndexError:
                return
            hold(workspace, plan, groups, intervention, first)
            for block in blocks:
                present = plan_of(plan, intervention, block[0])
                run = Run(present, banks, workspace, individuals, record)
                simulate(run, *extra, first, stop, *block)
                if recorder is not None:
                    recorder.keep(run, extra[:2], first, block[1] - 1)

    if threads == 1:
        work(workspaces[0], extras[0])
    else:
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(work, *each) for each in zip(workspaces, extras, strict=True)]:
                done.result()
    record.smoothness[:] /= np.float32(config.num_trials)
    return LifetimeResult(
        loss_PK=torch.from_numpy(record.loss),
        correct_PK=torch.from_numpy(record.correct),
        reward_PK=torch.from_numpy(record.reward),
        smoothness_P=torch.from_numpy(record.smoothness),
        steps_PK=torch.from_numpy(record.steps),
    )


def of_rule(
    plan: Plan,
    params: PlasticParams,
    batch: LifetimeBatch,
    config: LifetimeConfig,
) -> tuple[Any, ...]:
    """What the kernel of a rule needs beside what all kernels do."""
    if config.schedule != "every_step":
        return ()
    rule, constants = config.rule.table, config.rule.constants
    compiled = compile_rule(rule, params.rule.coefficients)
    formula = factored(compiled, modulated=rule.modulator != "none")
    change = Change(
        at_steps=rule.when == "step",
        modulator=("none", "outcome", "network").index(rule.modulator),
        max_change=np.float32(constants.max_change),
        max_p=np.float32(constants.max_p),
        mean_keep=np.float32(constants.mean_keep),
        centres=rule.centres,
        normalises=formula.normalises,
        reads_noise_of_sources=formula.reads_noise_of_sources,
        num_target=formula.num_target,
        num_source=formula.num_source,
        num_pair=formula.num_pair,
        pairs_at=formula.pairs_at,
        trace_at=formula.trace_at if formula.credits else -1,
        num_matrices=formula.num_matrices,
    )
    coefficients = make_coefficients(compiled, params, batch, config)
    return formula, make_matrices(plan, formula), coefficients, change
