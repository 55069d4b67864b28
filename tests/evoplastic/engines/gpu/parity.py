"""Parity of the GPU engine: within twice what float32 rounding makes of the reference."""

from __future__ import annotations

import torch

from evoplastic.engines.gpu.engine import gpu_covers, run_gpu
from evoplastic.engines.reference.engine import Trace, run_reference
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from tests.evoplastic.engines.gpu.process import DEVICE, assert_within_rounding


def assert_as_the_reference(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    *,
    streamed: bool,
) -> tuple[Trace, LifetimeResult]:
    """The GPU engine within the error budget; the reference in float64, and in float32."""
    assert gpu_covers(groups, batch, config) is None
    exact = run_reference(params, groups, batch, config, dtype=torch.float64)
    plain = run_reference(params, groups, batch, config).result
    fused = run_gpu(params, groups, batch, config, device=DEVICE, streamed=streamed)
    for name in ("loss_PK", "smoothness_P", "reward_PK"):
        got, near, true = (getattr(each, name) for each in (fused, plain, exact.result))
        assert_within_rounding(name, got, near, true)
    assert torch.equal(fused.correct_PK, exact.result.correct_PK)
    assert torch.equal(fused.steps_PK, exact.result.steps_PK)
    return exact, plain
