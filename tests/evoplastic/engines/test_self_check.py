"""A GPU is chosen if the very kernel that will be used passes a short check, whatever others do."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from evoplastic import engines
from evoplastic.engines import choose_engine, self_check
from evoplastic.engines.demand import Demand
from evoplastic.engines.gpu import engine as gpu
from evoplastic.engines.reference.engine import Trace, run_reference
from evoplastic.engines.self_check import TOLERANCE, short_life, shortened
from evoplastic.lifetime.batch import LifetimeResult
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.rules.catalogue import RULES
from tests.evoplastic.engines.kernels import KERNELS, SMALL, demand, kernel_of


@pytest.fixture
def machine_with_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that computes what the reference does."""
    engines._fault_of_gpu.cache_clear()
    monkeypatch.setattr(engines, "_said", set())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(gpu, "gpu_available", lambda: None)
    monkeypatch.setattr(self_check, "run_gpu", lambda *case, device: run_reference(*case).result)


BY_KERNEL = {kernel_of(demand(*kernel)): kernel for kernel in KERNELS}


@functools.cache
def lived(kernel: Any, plastic: bool) -> Trace:
    """The short life of a demand, with plasticity or without."""
    params, groups, batch, config = short_life(shortened(demand(*kernel)))
    if not plastic:
        params = params._replace(alpha_PNN=torch.zeros_like(params.alpha_PNN))
    return run_reference(params, groups, batch, config)


@pytest.mark.usefixtures("machine_with_a_gpu")
@pytest.mark.parametrize("broken", KERNELS, ids=str)
def test_a_defect_in_one_kernel_keeps_from_the_gpu_those_who_use_it(
    broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(groups: Any, batch: Any, config: Any) -> Any:
        return BY_KERNEL[kernel_of(Demand(groups, config, batch.self_paced))]

    def plastic_elsewhere(params: Any, *case: Any, device: str) -> LifetimeResult:
        return lived(asked(*case), asked(*case) != broken).result

    monkeypatch.setattr(self_check, "run_gpu", plastic_elsewhere)
    monkeypatch.setattr(self_check, "run_reference", lambda _, *case: lived(asked(*case), True))
    chosen = {kernel: choose_engine("auto", demand(*kernel)) for kernel in KERNELS}
    assert chosen.pop(broken) != "gpu"
    assert set(chosen.values()) == {"gpu"}
    assert len(BY_KERNEL) == 12


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_the_short_life_is_calm_and_shows_plasticity(kernel: Any) -> None:
    exact = run_reference(*short_life(shortened(demand(*kernel))), dtype=torch.float64).result
    plain, still = lived(kernel, True).result, lived(kernel, False).result
    assert float((plain.loss_PK - exact.loss_PK).abs().max()) < TOLERANCE / 10
    assert float((plain.loss_PK - still.loss_PK).abs().max()) > 10 * TOLERANCE


@pytest.mark.usefixtures("machine_with_a_gpu")
def test_each_kernel_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []

    def counted(*case: Any, device: str) -> LifetimeResult:
        runs.append(1)
        return run_reference(*case).result

    monkeypatch.setattr(self_check, "run_gpu", counted)
    for trials in (200, 300, 300):
        assert choose_engine("auto", Demand(config=LifetimeConfig(num_trials=trials))) == "gpu"
    assert len(runs) == 1
    choose_engine("auto", Demand(config=LifetimeConfig(feedback="correct")))
    assert len(runs) == 2
    choose_engine("auto", Demand(streams=True))
    assert len(runs) == 3


@pytest.mark.parametrize("kernel", [KERNELS[0], KERNELS[5]], ids=str)
def test_the_short_life_of_streams_shows_what_a_probe_teaches(kernel: Any) -> None:
    params, groups, batch, config = short_life(shortened(demand(*kernel)._replace(streams=True)))
    (course,) = batch.tables.course_B
    assert course is not None
    taught = replace(course, probe_K=np.zeros_like(course.probe_K))
    other = batch._replace(tasks=batch.tables._replace(course_B=(taught,)))
    probed, learnt = (run_reference(params, groups, each, config).result for each in (batch, other))
    assert float((probed.loss_PK - learnt.loss_PK).abs().max()) > 10 * TOLERANCE
    exact = run_reference(params, groups, batch, config, dtype=torch.float64).result
    assert float((probed.loss_PK - exact.loss_PK).abs().max()) < TOLERANCE / 10


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_of_the_table_shows_in_the_short_life(rule: str) -> None:
    params, groups, batch, config = short_life(shortened(demand(rule, SMALL, False)))
    plain = run_reference(params, groups, batch, config).result
    exact = run_reference(params, groups, batch, config, dtype=torch.float64).result
    still = params._replace(alpha_PNN=torch.zeros_like(params.alpha_PNN))
    rigid = run_reference(still, groups, batch, config).result
    assert float((plain.loss_PK - exact.loss_PK).abs().max()) < TOLERANCE / 10
    assert float((plain.loss_PK - rigid.loss_PK).abs().max()) > 10 * TOLERANCE
