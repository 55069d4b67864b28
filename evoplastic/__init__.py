"""evoplastic evolves networks that learn.

    import evoplastic as ep

    genome = ep.load("runs/laptop-seed1-001")           # or RUN@40, an MLflow id, a digest
    inside = ep.run(genome, task="dms", lifetimes=32)   # labelled arrays of rates and more
    ep.record(genome, "inside.nc", task="dms")          # the same, kept as a file
    scores = ep.evaluate(genome)
    hurt = ep.probe(genome, lesion="hidden:0-19")       # beside the intact network
    ep.figures(genome, out="figures")                   # of what happens inside
    done = ep.evolve("laptop", seed=7)
    ep.runs()                                           # a table of all, best first
    ep.compare("runs/sweep", by="search.sigma").effects # over seeds, with interval and p
    ep.report("runs/laptop-seed7-001")                  # one page to be sent

Importing the package touches no device, reads no file and fills no registry; its functions load
what they need when they are first used. The command line is `python -m evoplastic`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evoplastic.user_code import own_names

if TYPE_CHECKING:
    from evoplastic.api.comparing import compare
    from evoplastic.api.drawing import figures
    from evoplastic.api.evaluating import evaluate
    from evoplastic.api.evolving import Evolved, evolve
    from evoplastic.api.lineage import lineage
    from evoplastic.api.listing import runs
    from evoplastic.api.probing import probe
    from evoplastic.api.recording import record
    from evoplastic.api.reporting import report
    from evoplastic.api.running import run
    from evoplastic.api.setting import load
    from evoplastic.genome.genome import Genome

__all__ = [
    "Evolved",
    "Genome",
    "__version__",
    "compare",
    "evaluate",
    "evolve",
    "figures",
    "lineage",
    "load",
    "probe",
    "record",
    "report",
    "run",
    "runs",
]

own_names.install()

__version__ = "0.1.0"

_HOMES = {
    "Evolved": "evoplastic.api.evolving",
    "Genome": "evoplastic.genome.genome",
    "compare": "evoplastic.api.comparing",
    "evaluate": "evoplastic.api.evaluating",
    "evolve": "evoplastic.api.evolving",
    "figures": "evoplastic.api.drawing",
    "lineage": "evoplastic.api.lineage",
    "load": "evoplastic.api.setting",
    "probe": "evoplastic.api.probing",
    "record": "evoplastic.api.recording",
    "report": "evoplastic.api.reporting",
    "run": "evoplastic.api.running",
    "runs": "evoplastic.api.listing",
}


def __getattr__(name: str) -> Any:
    """What is offered, imported when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'evoplastic' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
