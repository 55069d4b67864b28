"""Lifetimes in which something is done to the networks.

Lesions are other weights; constant rates are, on the CPU engine, an output scale of 0 and a shift;
frozen plasticity is a first trial of plasticity that never comes. So these run compiled, as fast as
any lifetime. Rates that are given for each step, and networks whose gains are modulated, run on the
reference engine, whose lifetimes take some hundred times as long. A GPU does not intervene.
"""

from __future__ import annotations

from evoplastic.checks import require_known
from evoplastic.engines import ENGINES, choose_engine, say_once, usable_threads
from evoplastic.engines.reference.engine import run_reference
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.intervention import Intervention
from evoplastic.network.neurons import NeuronGroups


def why_not_cpu(
    intervention: Intervention, groups: NeuronGroups, batch: LifetimeBatch, config: LifetimeConfig
) -> str | None:
    """Why the CPU engine cannot run these lifetimes, or None if it can."""
    from evoplastic.engines.cpu.engine import cpu_covers

    if intervention.played:
        return "rates that are given for each step"
    overwritten = intervention.held or any(n >= groups.num_clamped for n in intervention.lesioned)
    if overwritten and config.modulation.onto("gain") is not None:
        return "rates of networks whose gains are modulated"
    return cpu_covers(groups, batch, config)


def intervene_lifetimes(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    intervention: Intervention,
    *,
    engine: str = "auto",
    threads: int = 0,
) -> tuple[LifetimeResult, str]:
    """Run P whole lifetimes under an intervention; names the engine that ran.

    Args:
        params: innate weights and plasticity coefficients [P, N, N].
        groups: which neuron does what.
        batch: tasks and random streams of the individuals.
        config: everything else about the lifetime.
        intervention: on these P lives.
        engine: one of `ENGINES`; the reference runs what the CPU engine does not cover.
        threads: threads of the CPU engine; 0 means one per core.

    Raises:
        UsageError: the engine is unknown or cannot run on this machine, or threads is negative.
    """
    require_known("engine", engine, ENGINES)
    chosen = "reference" if engine == "reference" else choose_engine("cpu")
    if chosen == "cpu":
        from evoplastic.engines.cpu.engine import run_cpu

        reason = why_not_cpu(intervention, groups, batch, config)
        if reason is None:
            ready = usable_threads(threads)
            lesioned = intervention.lesion(params)
            result = run_cpu(
                lesioned, groups, batch, config, threads=ready, intervention=intervention
            )
            return result, "cpu"
        say_once(f"engine cpu does not cover this ({reason}); the slow reference engine runs")
    trace = run_reference(
        intervention.lesion(params), groups, batch, config, intervention=intervention
    )
    return trace.result, "reference"
