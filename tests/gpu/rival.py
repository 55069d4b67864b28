"""The JAX program of `tests/benchmarks/rivals` on the same GPU, on the same lifetimes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from statistics import median

from evoplastic.benchmark.generation import Setting, first_generation, lifetime_config
from evoplastic.engines.gpu.engine import gpu_device, run_gpu
from evoplastic.trials.stacked import stack_tables
from tasks.two_stimulus.task import NAMES, TwoStimulusTask
from tests.benchmarks.rivals import jax_program
from tests.gpu.part import Row


def rows(*, tiny: bool) -> Iterator[Row]:
    """Seconds of both, and by how much the engine is faster."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the memory is shared
    if (reason := jax_program.missing()) is not None:
        yield {"name": "jax is missing", "reason": reason, "holds": tiny}
        return
    population, neurons, trials = (2, 13, 2) if tiny else (500, 70, 400)
    setting = Setting(
        engine="gpu", population=population, neurons=neurons, trials=trials, threads=1
    )
    tables = stack_tables([TwoStimulusTask(name).trials() for name in NAMES])
    params, groups, batch = first_generation(setting, tables)
    config = lifetime_config(setting)
    repeats = 1 if tiny else 3
    ours = typical(lambda: run_gpu(params, groups, batch, config, device=gpu_device()), repeats)
    yield {"name": "engine, genomes brought from main memory", "seconds": ours}
    theirs = typical(lambda: jax_program.live(params, batch, trials), repeats)
    yield {
        "name": "jax",
        "seconds": theirs,
        "ratio": theirs / ours,
        "version": dict(jax_program.version())["jax, of the rival"],
        "device": jax_program.device(),
        "holds": tiny or jax_program.device().startswith("gpu"),
    }


def typical(live: Callable[[], object], repeats: int) -> float:
    """Median seconds after a call that compiles."""
    live()
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        live()
        seconds.append(time.perf_counter() - begin)
    return median(seconds)
