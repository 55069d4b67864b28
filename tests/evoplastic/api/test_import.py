"""`import evoplastic` stays cheap; what it offers is imported when it is asked for."""

from __future__ import annotations

import pytest

import evoplastic
from tests.test_architecture import run_python

LIST = "print(sorted(n for n in {names} if n in sys.modules))"
HEAVY = ("numpy", "torch", "xarray", "numba", "ray", "mlflow", "evotorch", "neurogym", "matplotlib")


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, evoplastic\nprint(sorted(n for n in {HEAVY} if n in sys.modules))"
    assert run_python(code) == "[]"


def test_naming_a_function_imports_nothing_heavy_either() -> None:
    code = (
        "import sys, evoplastic as ep\n"
        "ep.load, ep.run, ep.evaluate, ep.evolve, ep.Evolved\n"
        f"print(sorted(n for n in {HEAVY} if n in sys.modules))"
    )
    assert run_python(code) == "[]"


def test_loading_a_genome_needs_no_cluster_and_no_store() -> None:
    code = (
        "import sys, evoplastic as ep\n"
        "print(ep.load('genomes/miconi2023.safetensors').groups.num_neurons)\n"
        f"print(sorted(n for n in {HEAVY} if n in sys.modules and n not in ('numpy', 'torch')))"
    )
    assert run_python(code) == "70\n[]"


def test_what_is_offered_is_listed_and_nothing_else_answers() -> None:
    assert {"load", "run", "evaluate", "evolve", "Genome"} <= set(dir(evoplastic))
    assert evoplastic.Genome.__name__ == "Genome"
    with pytest.raises(AttributeError, match="has no attribute 'evole'"):
        evoplastic.evole  # noqa: B018
