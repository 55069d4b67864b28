"""Mutations on the GPU: `mutation_checks.py` in a process of its own.

Under Triton's interpreter NumPy does the rounding; which instructions round on a GPU is checked
where kernels are compiled, in `test_compile.py`.
"""

from __future__ import annotations

from tests.evoplastic.engines.gpu.process import needs_gpu, needs_triton, run_checks

CHECKS = "mutation_checks.py"


@needs_triton
def test_mutations_pass_their_checks_under_the_interpreter() -> None:
    run_checks(CHECKS, interpreted=True)


@needs_triton
@needs_gpu
def test_mutations_pass_their_checks_on_the_gpu() -> None:
    run_checks(CHECKS, interpreted=False)
