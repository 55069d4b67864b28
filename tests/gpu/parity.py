"""Every schedule, layout and kind of trials beside the reference, to float32 rounding."""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch

from evoplastic.engines.gpu.engine import gpu_covers, gpu_device, run_gpu
from evoplastic.engines.reference.engine import run_reference
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.timing import TrialTiming
from tests.evoplastic.engines.cases import (
    make_bank,
    make_batch,
    make_config,
    make_params,
    with_evolved,
)
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank
from tests.evoplastic.engines.stream_cases import stream_batch
from tests.gpu.part import Row

SHORT = TrialTiming(dt_ms=20.0, num_steps=12, response=(5, 8), feedback=(9, 11))
RULES: dict[str, dict[str, Any]] = {
    "at_outcome": {"name": "node_perturbation", "eta": 20.0, "max_change": 0.5},
    "lazy": {"name": "node_perturbation_network", "eta": 0.2, "max_change": 0.5},
    "every_step, Oja": {"name": "oja"},
    "every_step, ABCD of each connection": {"name": "abcd_rates"},
    "every_step, Backpropamine": {"name": "backpropamine_retroactive", "max_p": 0.1},
}
PROCESSES = 8  # compiling takes longer than running, and a fault of the device ends its process
ON_CHIP_ALONE = ("every_step, Oja", "every_step, Backpropamine")
OF_STREAMS = ("at_outcome", "lazy", "every_step, Backpropamine")


def rows(*, tiny: bool) -> Iterator[Row]:
    """Largest differences of losses, and whether they are within twice what rounding makes."""
    kinds = [
        (rule, self_paced, streamed, tiny, False)
        for rule, self_paced, streamed in itertools.product(RULES, (False, True), (False, True))
        if not (streamed and rule in ON_CHIP_ALONE)
        if not (tiny and (self_paced != streamed or rule in ON_CHIP_ALONE))
    ]
    if tiny:
        yield from itertools.starmap(compared_if_it_runs, kinds)
        return
    kinds += [
        (rule, self_paced, False, tiny, True)
        for rule, self_paced in itertools.product(OF_STREAMS, (False, True))
    ]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, spawn, max_tasks_per_child=1) as processes:
        yield from processes.map(compared_if_it_runs, *zip(*kinds, strict=True))


def compared_if_it_runs(*kind: Any) -> Row:
    """What `compared` finds, or what was raised: one kernel's fault is not the others'."""
    try:
        return compared(*kind)
    except Exception as fault:
        said = f"{type(fault).__name__}: {fault}"
        return {"name": str(kind), "raised": said[-1500:], "holds": False}


def compared(rule: str, self_paced: bool, streamed: bool, tiny: bool, streams: bool) -> Row:
    """One kernel beside the reference in float32 and float64."""
    groups = NeuronGroups(num_neurons=13 if tiny else 33)
    individuals, trials = (2, 2) if tiny else (8, 8 if streams else 6)
    config = make_config(
        num_trials=trials,
        scored_trials=1,
        rule={"first_trial": 1, **RULES[rule]},
        perturbation={"quiet_trials": 1, "probability": 0.3},
    )
    if streams:
        batch = stream_batch(groups, individuals, self_paced=self_paced, timing=SHORT)
    elif self_paced:
        tables = [make_node_bank(seed, longest=4 if tiny else 9) for seed in (1, 2)]
        batch = make_free_batch(tables, groups, individuals)
    else:
        batch = make_batch([make_bank(seed, timing=SHORT) for seed in (1, 2)], individuals)
    params = with_evolved(make_params(groups, individuals, gain=0.9), groups, config.rule)
    assert gpu_covers(groups, batch, config) is None
    exact = run_reference(params, groups, batch, config, dtype=torch.float64).result
    plain = run_reference(params, groups, batch, config).result
    still = params._replace(alpha_PNN=torch.zeros_like(params.alpha_PNN))
    rigid = run_reference(still, groups, batch, config).result
    begin = time.perf_counter()
    fused = run_gpu(params, groups, batch, config, streamed=streamed, device=gpu_device())
    seconds = time.perf_counter() - begin
    kind, layout = "self-paced" if self_paced else "fixed", "streamed" if streamed else "on chip"
    rounding = _difference(plain.loss_PK, exact.loss_PK)
    error = _difference(fused.loss_PK, exact.loss_PK)
    learnt = _difference(rigid.loss_PK, exact.loss_PK)
    choices = torch.equal(fused.correct_PK, exact.correct_PK)
    steps = torch.equal(fused.steps_PK, exact.steps_PK)
    return {
        "name": f"{rule}, {kind}, {layout}{', streams' if streams else ''}",
        "error": error,
        "rounding": rounding,
        "learnt": learnt,  # what plasticity moves losses by: its absence would not pass
        "holds": error <= 2 * rounding + 1e-6
        and rounding < 1e-4
        and (tiny or learnt > 1e-3)
        and choices
        and steps,
        "first_call_s": seconds,
        "schedule": config.schedule,
    }


def _difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return float((ours.double() - theirs.double()).abs().max())
