"""Whole lifetimes of plastic networks: one operation, several engines, chosen here alone."""

from __future__ import annotations

import functools
import importlib.util
import logging
from typing import Protocol

import torch

from evoplastic.checks import require, require_known
from evoplastic.engines.demand import Demand
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.machine import usable_cores
from evoplastic.network.neurons import NeuronGroups

logger = logging.getLogger(__name__)

ENGINES = ("auto", "reference", "cpu", "gpu")

_said: set[str] = set()  # each fallback is announced once per process


def choose_engine(name: str, demand: Demand | None = None) -> str:
    """The engine that will run on this machine: the fastest available one for "auto".

    Args:
        name: one of `ENGINES`.
        demand: what will be simulated, so what a GPU has to prove before it is chosen; by default
            the published setting.

    Raises:
        UsageError: the name is unknown, or the engine cannot run on this machine.
    """
    require_known("engine", name, ENGINES)
    if name == "auto":
        return _fastest(demand or Demand())
    if name == "cpu":
        require(
            _has("numba"),
            "engine 'cpu' needs the package numba, which is not installed; install it or use "
            "engine=reference",
        )
    if name == "gpu":
        from evoplastic.engines.gpu.engine import gpu_available

        reason = gpu_available()
        require(reason is None, f"engine 'gpu' cannot run here: {reason}; use engine=cpu")
    return name


def _fastest(demand: Demand) -> str:
    """gpu where there is one and it passes a short check against the reference, else cpu."""
    if torch.cuda.is_available():
        from evoplastic.engines.gpu.engine import gpu_available
        from evoplastic.engines.self_check import shortened

        reason = gpu_available() or _fault_of_gpu(shortened(demand))
        if reason is None:
            return "gpu"
        say_once(f"engine gpu is left aside: {reason}")
    return "cpu" if _has("numba") else "reference"


@functools.cache
def _fault_of_gpu(demand: Demand) -> str | None:
    from evoplastic.engines.self_check import fault_of_gpu

    return fault_of_gpu(demand)


def run_lifetimes(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    *,
    engine: str = "auto",
    threads: int = 0,
) -> LifetimeResult:
    """Run P whole lifetimes on the chosen engine; what it does not cover, the reference runs, or
    the CPU engine what a GPU does not cover.

    Args:
        params: innate weights and plasticity coefficients [P, N, N].
        groups: which neuron does what.
        batch: tasks and random streams of the individuals.
        config: everything else about the lifetime.
        engine: one of `ENGINES`.
        threads: threads of the CPU engine; 0 means one per core.

    Raises:
        UsageError: the engine is unknown or cannot run on this machine, or threads is negative.
    """
    streams = batch.in_tables and batch.tables.has_courses
    chosen = choose_engine(engine, Demand(groups, config, batch.self_paced, streams))
    if chosen == "gpu":
        from evoplastic.engines.gpu.engine import gpu_covers, run_gpu

        reason = gpu_covers(groups, batch, config)
        if reason is None:
            return run_gpu(params, groups, batch, config)
        if batch.in_tables and _has("numba"):  # what is stepped, no fast engine covers
            say_once(f"engine gpu does not cover this ({reason}); engine cpu runs")
            chosen = "cpu"
        else:
            say_once(f"engine gpu does not cover this ({reason}); the slow reference engine runs")
    if chosen == "cpu":
        from evoplastic.engines.cpu.engine import cpu_covers, run_cpu

        reason = cpu_covers(groups, batch, config)
        if reason is None:
            return run_cpu(params, groups, batch, config, threads=usable_threads(threads))
        say_once(f"engine cpu does not cover this ({reason}); the slow reference engine runs")
    from evoplastic.engines.reference.engine import run_reference

    return run_reference(params, groups, batch, config).result


class RunLifetimes(Protocol):
    """`run_lifetimes`, or what stands in for it to look into lifetimes."""

    def __call__(
        self,
        params: PlasticParams,
        groups: NeuronGroups,
        batch: LifetimeBatch,
        config: LifetimeConfig,
        *,
        engine: str = ...,
        threads: int = ...,
    ) -> LifetimeResult:
        """Run P whole lifetimes."""
        ...


def usable_threads(threads: int) -> int:
    """Threads that will run: one per core for 0, and never more than cores, which is said.

    Raises:
        UsageError: the number is negative.
    """
    require(threads >= 0, f"threads is {threads}, expected 0 (one per core) or more")
    cores = usable_cores()
    if threads > cores:
        say_once(
            f"{threads} threads were asked for, this machine offers {cores} cores; {cores} run"
        )
    return min(threads or cores, cores)


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def say_once(message: str) -> None:
    """Log a warning the first time that this process has it to say."""
    if message not in _said:
        _said.add(message)
        logger.warning(message)
