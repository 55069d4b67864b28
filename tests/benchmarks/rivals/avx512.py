"""The hand-written AVX-512 loop, compiled where a C++ compiler is found."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import torch

from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams

SOURCE = Path(__file__).with_suffix(".cpp")


def missing() -> str | None:
    """Why this rival cannot run here, or None if it can."""
    if shutil.which("g++") is None:
        return "no g++"
    info = Path("/proc/cpuinfo")
    if not info.exists() or "avx512f" not in info.read_text():
        return "no AVX-512"
    return None


@cache
def _library() -> ctypes.CDLL:
    target = Path(tempfile.mkdtemp(prefix="avx512-rival-")) / "avx512.so"
    flags = ["-O3", "-march=native", "-mprefer-vector-width=512", "-std=c++17", "-pthread"]
    subprocess.run(
        ["g++", *flags, "-shared", "-fPIC", str(SOURCE), "-o", str(target)],
        check=True,
        timeout=120,
        capture_output=True,
    )
    return ctypes.CDLL(str(target))


def live(
    params: PlasticParams, batch: LifetimeBatch, num_trials: int, threads: int
) -> torch.Tensor:
    """Losses [P, K] of the published lifetime gated by the outcome."""
    fixed, timing = batch.tables.fixed, batch.tables.fixed.timing
    size, neurons = params.w_PNN.shape[:2]
    assert set(batch.tables.size_B) == {4}, "the rival knows tasks of four trial kinds only"
    shape = np.array(
        [neurons, num_trials, timing.num_steps, *timing.response, *timing.feedback], np.int32
    )
    w_PNN = np.ascontiguousarray(params.w_PNN.numpy())
    alpha_PNN = np.ascontiguousarray(params.alpha_PNN.numpy())
    stimulus_4TI = np.ascontiguousarray(fixed.stimulus_MTI[:4])
    answer_M = fixed.target_action_M.astype(np.int32)
    answer_P4 = np.ascontiguousarray(answer_M.reshape(-1, 4)[batch.task_P])
    loss_PK = np.empty((size, num_trials), dtype=np.float32)
    arrays = [w_PNN, alpha_PNN, stimulus_4TI, answer_P4, loss_PK]
    failed = _library().live_generation(
        ctypes.c_void_p(shape.ctypes.data),
        ctypes.c_int(size),
        ctypes.c_int(threads),
        *(ctypes.c_void_p(array.ctypes.data) for array in arrays),
    )
    assert not failed, f"the rival covers at most 128 neurons, got {neurons}"
    return torch.from_numpy(loss_PK)
