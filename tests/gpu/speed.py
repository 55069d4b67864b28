"""Seconds per generation, genomes drawn on the GPU, and the share of its fp32 peak."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import NamedTuple

import numpy as np
import torch

from evoplastic.benchmark.trials import fixed_trials, self_paced_trials
from evoplastic.engines.gpu.engine import gpu_device, run_gpu
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.config import RuleConfig
from evoplastic.search.config import ESConfig
from evoplastic.search.mutation import perturbed_pairs
from evoplastic.trials.stacked import StackedTables
from evoplastic.trials.wiring import WiringConfig, draw_wiring
from evoplastic.types import Interface
from tests.gpu.kernels import Launched, watched
from tests.gpu.part import Row

LINES = Interface(num_inputs=2, num_outputs=2)
LANES = 128  # multiply-adds of float32 that a multiprocessor of Hopper starts in a cycle


class Measured(NamedTuple):
    """What is measured."""

    name: str
    rule: str = "node_perturbation"
    population: int = 500
    self_paced: bool = False
    repeats: int = 5


EACH = (
    Measured("paper, 500"),
    Measured("paper, 16384", population=16_384, repeats=2),
    Measured("modulated by the network, 500", rule="node_perturbation_network"),
    Measured("self-paced, 500", self_paced=True),
    Measured("every_step, Oja, 500", rule="oja", repeats=3),
)


def rows(*, tiny: bool) -> Iterator[Row]:
    """One row for each setting: the lifetimes of a generation, mutants drawn where they live."""
    for each in EACH:
        if tiny:
            if each.population > 500 or each.self_paced:
                continue
            each = each._replace(population=2, repeats=1)
        with watched() as launched:
            yield measured(each, tiny, launched)


def measured(each: Measured, tiny: bool, launched: Launched) -> Row:
    """Median seconds of a generation after one that compiles, and of its lifetimes' kernel."""
    neurons, trials = (13, 1) if tiny else (70, 400)
    groups = NeuronGroups(num_neurons=neurons)
    published = LifetimeConfig(rule=RuleConfig(name=each.rule))
    config = replace(
        published, num_trials=trials, scored_trials=min(published.scored_trials, trials)
    )
    tables = (self_paced_trials if each.self_paced else fixed_trials)(LINES)
    layout, search = Layout(groups), ESConfig(popsize=max(4, each.population))
    problem = LifetimeProblem(
        layout=layout, lifetime=config, train=(), held_out=(), seed=1, engine="gpu"
    )
    center_G = layout.initial(0, GenomeConfig())
    batch = batch_of(each.population, tables)
    seconds, on_device = [], []
    for generation in range(each.repeats + (not tiny)):
        begin = time.perf_counter()
        genomes = perturbed_pairs(
            center_G, layout, search, 1, generation, 0, each.population // 2, engine="gpu"
        )
        result = run_gpu(
            problem.params(genomes),
            groups,
            batch._replace(epoch=generation),
            config,
            device=gpu_device(),
        )
        seconds.append(time.perf_counter() - begin)
        on_device.append(launched.take_seconds())
    steps = int(result.steps_PK.sum())
    compiling, typical = seconds[0], median(seconds[-each.repeats :])
    row: Row = {
        "name": each.name,
        "seconds": typical,
        "fastest": min(seconds[-each.repeats :]),
        "steps_per_s": steps / typical,
        "first_s": compiling,
        "holds": bool(torch.isfinite(result.loss_PK).all()),
        **launched.resources(),
    }
    kernel_s = [each for each in on_device if each is not None][-each.repeats :]
    if kernel_s:
        row["kernel_s"] = median(kernel_s)
    peak = peak_per_s()
    if peak is not None:  # of one product of the weights a step, whatever else a rule does
        row["share_of_fp32_peak"] = (
            steps * (neurons - groups.num_clamped) * neurons / typical / peak
        )
    return row


def batch_of(population: int, tables: StackedTables) -> LifetimeBatch:
    """Antithetic partners share task, trials and noise."""
    pair_P = np.arange(population, dtype=np.int64) // 2
    task_P = pair_P % len(tables.start_B)
    wiring = None
    if tables.timing is None:
        wiring = draw_wiring(
            WiringConfig(interface=tables.interface, permute="both"),
            tables.num_inputs_B[task_P],
            tables.num_actions_B[task_P],
            pair_P,
            seed=1,
            epoch=0,
            evaluation=False,
        )
    return LifetimeBatch(tables, task_P, 1, 0, pair_P, pair_P, wiring=wiring)


def peak_per_s() -> float | None:
    """Multiply-adds of float32 per second at the highest clock; None if that is not known."""
    if not torch.cuda.is_available():
        return None
    ask = ["nvidia-smi", "--query-gpu=clocks.max.sm", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(ask, capture_output=True, text=True, timeout=20, check=True).stdout
        clock_hz = 1e6 * float(said.split()[0])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    return LANES * clock_hz * torch.cuda.get_device_properties(0).multi_processor_count
