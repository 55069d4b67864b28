"""Whole lifetimes of plastic networks: one operation, several engines, chosen here alone."""

from __future__ import annotations

from evoplastic.checks import require_known
from evoplastic.lifetime import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.types import LifetimeBatch, LifetimeResult, PlasticParams

ENGINES = ("auto", "reference")


def choose_engine(name: str) -> str:
    """The engine that will run: the fastest available one for "auto".

    Raises:
        UsageError: the name is unknown, or the engine cannot run on this machine.
    """
    require_known("engine", name, ENGINES)
    return "reference"


def run_lifetimes(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    *,
    engine: str = "auto",
    threads: int = 0,
) -> LifetimeResult:
    """Live P whole lifetimes on the chosen engine.

    Args:
        params: innate weights and plasticity coefficients [P, N, N].
        groups: which neuron does what.
        batch: tasks and random streams of the individuals.
        config: everything else about the lifetime.
        engine: one of `ENGINES`.
        threads: threads of a CPU engine; 0 means one per core.

    Raises:
        UsageError: network and tasks do not fit, or the engine cannot run.
    """
    chosen = choose_engine(engine)
    from evoplastic.kernels.lifetime.reference import run_reference

    assert chosen == "reference"
    return run_reference(params, groups, batch, config).result
