"""A GPU is chosen if the very kernel that will be used passes a short check, whatever others do."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from evoplastic import engines
from evoplastic.engines import choose_engine, self_check
from evoplastic.engines.demand import Demand
from evoplastic.engines.gpu import engine as gpu
from evoplastic.engines.reference.engine import run_reference
from evoplastic.engines.self_check import TOLERANCE, short_life, shortened
from evoplastic.lifetime.batch import LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.rules.catalogue import RULES
from tests.evoplastic.engines.kernels import KERNELS, SMALL, demand, kernel_of
from tests.evoplastic.rules.toys import TOYS


@pytest.fixture
def machine_with_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that computes what the reference does."""
    engines._fault_of_gpu.cache_clear()
    monkeypatch.setattr(engines, "_said", set())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(gpu, "gpu_available", lambda: None)
    monkeypatch.setattr(self_check, "run_gpu", lambda *case, device: run_reference(*case).result)


@pytest.mark.usefixtures("machine_with_a_gpu")
@pytest.mark.parametrize("broken", KERNELS, ids=str)
def test_a_defect_in_one_kernel_keeps_from_the_gpu_those_who_use_it(
    broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plastic_elsewhere(
        params: Any, groups: Any, batch: Any, config: Any, *, device: str
    ) -> LifetimeResult:
        asked = Demand(groups, config, batch.self_paced)
        if kernel_of(asked) == kernel_of(demand(*broken)):
            params = PlasticParams(params.w_PNN, torch.zeros_like(params.alpha_PNN))
        return run_reference(params, groups, batch, config).result

    monkeypatch.setattr(self_check, "run_gpu", plastic_elsewhere)
    chosen = {kernel: choose_engine("auto", demand(*kernel)) for kernel in KERNELS}
    assert chosen.pop(broken) != "gpu"
    assert set(chosen.values()) == {"gpu"}
    assert len({kernel_of(demand(*kernel)) for kernel in KERNELS}) == 8


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_the_short_life_is_calm_and_shows_plasticity(kernel: Any) -> None:
    params, groups, batch, config = short_life(shortened(demand(*kernel)))
    plain = run_reference(params, groups, batch, config).result
    exact = run_reference(params, groups, batch, config, dtype=torch.float64).result
    rigid = PlasticParams(params.w_PNN, torch.zeros_like(params.alpha_PNN))
    still = run_reference(rigid, groups, batch, config).result
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


@pytest.mark.usefixtures("machine_with_a_gpu")
def test_a_rule_without_a_kernel_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "oja", TOYS["oja"])
    assert choose_engine("auto", demand("oja", SMALL, False)) != "gpu"
    assert any("rule 'oja'" in said for said in engines._said)
