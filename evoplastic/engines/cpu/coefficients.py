"""Genomes and coefficients as compiled code reads them: flat arrays, copied only where needed."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from evoplastic.engines.cpu.every_step import Coefficients
from evoplastic.engines.cpu.plan import windows
from evoplastic.engines.cpu.tables import lay_flat
from evoplastic.engines.structure import Compiled, Names
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig


def make_coefficients(
    compiled: Compiled, params: PlasticParams, batch: LifetimeBatch, config: LifetimeConfig
) -> Coefficients:
    """The coefficients of a structure, in its order, constants as individuals all have them."""
    evolved = params.rule.coefficients
    size = params.w_PNN.shape[1]

    def laid(part: torch.Tensor | None) -> tuple[NDArray[np.float32], int]:
        assert part is not None, "a structure asks for what its coefficients do not have"
        return lay_flat(part)

    def target(names: Names) -> tuple[NDArray[np.float32], int]:
        if names in evolved:
            return laid(evolved[names].of_target)
        return np.full(size, config.rule.constant(names), np.float32), 0

    of_target = [target(names) for names in compiled.of_target]
    of_source = [laid(evolved[names].of_source) for names in compiled.of_source]
    of_pair = [laid(evolved[names].of_pair) for names in compiled.of_pair]
    nothing = [(np.zeros(1, np.float32), 0)]  # compiled code knows no empty tuple of arrays

    def arrays(each: list[tuple[NDArray[np.float32], int]]) -> tuple[NDArray[np.float32], ...]:
        return tuple(array for array, _ in each or nothing)

    def strides(each: list[tuple[NDArray[np.float32], int]]) -> tuple[int, ...]:
        return tuple(stride for _, stride in each or nothing)

    return Coefficients(
        arrays(of_target),
        strides(of_target),
        arrays(of_source),
        strides(of_source),
        arrays(of_pair),
        strides(of_pair),
        _retention(params, batch, config),
    )


def _retention(
    params: PlasticParams, batch: LifetimeBatch, config: LifetimeConfig
) -> NDArray[np.float32]:
    """1 - dt / tau_elig of each individual."""
    dt_ms, tau_P = windows(batch)[0], params.rule.tau_elig_ms_P
    if tau_P is None:
        retention = 1.0 - dt_ms / config.rule.constants.tau_elig_ms
        return np.full(len(params.w_PNN), retention, dtype=np.float32)
    return (1.0 - dt_ms / tau_P.detach().double().cpu().numpy()).astype(np.float32)
