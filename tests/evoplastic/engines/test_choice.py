"""One place chooses the engine, and says what it does."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch

from evoplastic import engines
from evoplastic.checks import UsageError
from evoplastic.engines import choose_engine, run_lifetimes, usable_threads
from evoplastic.engines.cpu.engine import MAX_STEPS
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.machine import usable_cores
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.stacked import stack_tables
from evoplastic.trials.table import fixed_timing_table
from evoplastic.trials.timing import TrialTiming


def test_an_unknown_engine_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="did you mean 'reference'"):
        choose_engine("refrence")


def test_automatic_choice_is_the_fused_engine_where_it_can_run() -> None:
    assert choose_engine("auto") in ("cpu", "gpu")


def test_more_threads_than_cores_are_capped_and_said(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_said", set())
    cores = usable_cores()
    with caplog.at_level(logging.WARNING):
        assert usable_threads(cores + 7) == cores
        assert usable_threads(cores + 7) == cores
    assert len(caplog.records) == 1
    assert f"{cores + 7} threads" in caplog.text
    assert usable_threads(0) == cores
    with pytest.raises(UsageError, match="threads is -1"):
        usable_threads(-1)


def test_what_the_fused_engine_does_not_cover_falls_back_and_says_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_said", set())
    steps = MAX_STEPS
    timing = TrialTiming(dt_ms=20.0, num_steps=steps, response=(2, 3), feedback=(3, 4))
    bank = fixed_timing_table(
        task="long",
        timing=timing,
        stimulus_MTI=np.ones((1, steps, 1), np.float32),
        target_action_M=np.array([1]),
        reward_MO=np.array([[0.0, 1.0]], np.float32),
        kind_M=np.zeros(1, np.int64),
    )
    stream = np.zeros(1, np.int64)
    batch = LifetimeBatch(stack_tables([bank]), stream, 0, 0, stream, stream)
    groups = NeuronGroups(num_neurons=11, num_inputs=1)
    zeros = torch.zeros(1, 11, 11)
    config = LifetimeConfig(num_trials=1, scored_trials=1)
    with caplog.at_level(logging.WARNING):
        result = run_lifetimes(PlasticParams(zeros, zeros), groups, batch, config, engine="cpu")
    assert "does not cover" in caplog.text
    assert "reference" in caplog.text
    assert bool(torch.isfinite(result.loss_PK).all())


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_asked_for_where_there_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match=r"engine 'gpu' cannot run here.*use engine=cpu"):
        choose_engine("gpu")
