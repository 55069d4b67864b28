"""Mutations on the GPU: `noise_gpu_checks.py` in a process of its own.

Under Triton's interpreter NumPy does the rounding; which instructions round on a GPU is checked
where kernels are compiled, in `kernels/test_gpu_compile.py`.
"""

from __future__ import annotations

from tests.evoplastic.kernels.gpu_process import needs_gpu, needs_triton, run_checks

CHECKS = "../noise_gpu_checks.py"


@needs_triton
def test_mutations_pass_their_checks_under_the_interpreter() -> None:
    run_checks(CHECKS, TRITON_INTERPRET="1")


@needs_triton
@needs_gpu
def test_mutations_pass_their_checks_on_the_gpu() -> None:
    run_checks(CHECKS, TRITON_INTERPRET="0")
