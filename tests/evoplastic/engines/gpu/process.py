"""How the GPU engine is checked: in a process of its own, on a CUDA device or interpreted.

Triton's interpreter must be chosen before Triton is imported, so `run_checks` starts a process for
a file of checks; that file imports `DEVICE` and the fixtures below.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

import gc
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from evoplastic.lifetime.batch import LifetimeResult

HERE = Path(__file__).parent
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = "cpu" if INTERPRETED else "cuda"

needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None,
    reason="the package triton is not installed (it comes with the extra 'dev' on Linux)",
)
needs_gpu = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no CUDA device on this machine"
)


def each_of(cases: Mapping[str, Any], exhaustive: Mapping[str, Any]) -> list[Any]:
    """Cases as parameters under their names; `exhaustive` ones are left out of `make test`."""
    assert not set(cases) & set(exhaustive)
    return [
        *(pytest.param(case, id=name) for name, case in cases.items()),
        *(
            pytest.param(case, id=name, marks=pytest.mark.exhaustive)
            for name, case in exhaustive.items()
        ),
    ]


def run_checks(*files: str, interpreted: bool) -> None:
    """Run files of checks beside this one in one process; all must pass, and skip nothing.

    Under the interpreter, which takes milliseconds for an operation, those marked `exhaustive` are
    left to `make test-gpu-interpreter`; a GPU runs every one.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p"]
    selected = [] if interpreted else ["-m", ""]
    environment = {"OMP_NUM_THREADS": "1", "TRITON_INTERPRET": "1" if interpreted else "0"}
    finished = subprocess.run(
        [*command, "no:xdist", *selected, *(str(HERE / file) for file in files)],
        cwd=HERE.parents[3],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert finished.returncode == 0, finished.stdout[-6000:] + finished.stderr[-2000:]
    assert " passed" in finished.stdout
    assert "skipped" not in finished.stdout


@pytest.fixture(autouse=True, scope="session")
def uninitialised_memory_is_nan() -> Iterator[None]:
    """Let whatever is read before it is written show."""
    torch.set_deterministic_debug_mode("warn")  # the longer name imports a compiler, for seconds
    torch.utils.deterministic.fill_uninitialized_memory = True  # type: ignore[attr-defined]
    assert bool(torch.empty(3).isnan().all())
    yield
    torch.set_deterministic_debug_mode("default")


@pytest.fixture(autouse=True, scope="session")
def patch_once() -> None:
    """Spare the interpreter what it does anew at every call, and the collector its many objects.

    It prepares triton.language for every part, and makes a table of types for every operation.
    """
    if INTERPRETED:
        from triton.runtime import interpreter
        from triton.runtime.interpreter import InterpretedFunction

        slow_dtype, dtypes = interpreter._get_np_dtype, {}

        def dtype_of(kind: Any) -> Any:
            scalar = kind.scalar
            if scalar.is_ptr():  # has no hash, and is answered at once
                return slow_dtype(scalar)
            if scalar not in dtypes:
                dtypes[scalar] = slow_dtype(scalar)
            return dtypes[scalar]

        interpreter._get_np_dtype = dtype_of
        gc.set_threshold(100_000)
        slow_call = InterpretedFunction.__call__
        prepared: set[str] = set()

        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            module = self.fn.__module__  # a launch has prepared what our own modules see
            if module.startswith("triton.") and module not in prepared:
                prepared.add(module)
                return slow_call(self, *args, **kwargs)
            return self.rewrite()(*args, **kwargs)

        InterpretedFunction.__call__ = call


def largest_difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Largest absolute difference."""
    return float((ours.double() - theirs.double()).abs().max())


def assert_within_rounding(
    name: str, got: torch.Tensor, plain: torch.Tensor, exact: torch.Tensor
) -> None:
    """The error budget: at most twice what float32 rounding makes of the reference."""
    rounding, error = largest_difference(plain, exact), largest_difference(got, exact)
    assert rounding < 1e-4, f"{name}: chaotic case, parity would prove nothing"
    assert error <= 2 * rounding + 1e-6, f"{name}: error {error:.1e}, rounding {rounding:.1e}"
    assert got.dtype == torch.float32


def assert_same(ours: LifetimeResult, theirs: LifetimeResult) -> None:
    """Bit for bit."""
    for name, mine, other in zip(LifetimeResult._fields, ours, theirs, strict=True):
        assert torch.equal(mine, other), name
