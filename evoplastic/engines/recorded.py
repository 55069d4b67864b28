"""Lifetimes that are recorded: on the CPU engine where it covers them, else on the reference."""

from __future__ import annotations

from evoplastic.checks import require_known
from evoplastic.engines import ENGINES, choose_engine, say_once, usable_threads
from evoplastic.engines.reference.engine import run_reference
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.recording import Recorded, Recording
from evoplastic.network.neurons import NeuronGroups


def record_lifetimes(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    recording: Recording,
    *,
    engine: str = "auto",
    threads: int = 0,
) -> tuple[LifetimeResult, Recorded, str]:
    """Run P whole lifetimes and keep what a recording asks for; names the engine that ran.

    Args:
        params: innate weights and plasticity coefficients [P, N, N].
        groups: which neuron does what.
        batch: tasks and random streams of the individuals.
        config: everything else about the lifetime.
        recording: what to keep, of which trials.
        engine: one of `ENGINES`; a GPU does not record, the CPU engine runs then.
        threads: threads of the CPU engine; 0 means one per core.

    Raises:
        UsageError: the engine is unknown or cannot run on this machine, or threads is negative.
    """
    require_known("engine", engine, ENGINES)
    if engine == "gpu":
        say_once("engine gpu does not record; the CPU engine runs")
    chosen = "reference" if engine == "reference" else choose_engine("cpu")
    if chosen == "cpu":
        from evoplastic.engines.cpu.engine import cpu_covers, run_cpu
        from evoplastic.engines.cpu.inside.recorder import CpuRecorder

        reason = cpu_covers(groups, batch, config)
        if reason is None:
            recorder = CpuRecorder(recording, groups, batch, config)
            ready = usable_threads(threads)
            result = run_cpu(params, groups, batch, config, threads=ready, recorder=recorder)
            return result, recorder.recorded, "cpu"
        say_once(f"engine cpu does not cover this ({reason}); the slow reference engine records")
    trace = run_reference(params, groups, batch, config, recording=recording)
    assert trace.recorded is not None, "a recording was asked for"
    return trace.result, trace.recorded, "reference"
