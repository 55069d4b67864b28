"""Streams on the CPU engine: the trials, the probes and the lifetimes of the reference."""

from __future__ import annotations

import logging

import pytest
import torch

from evoplastic import engines
from evoplastic.engines.cpu.engine import cpu_covers, run_cpu
from evoplastic.engines.cpu.inside.recorder import CpuRecorder
from evoplastic.engines.gpu import engine as gpu
from evoplastic.engines.reference.engine import run_reference
from evoplastic.lifetime.recording import Recording
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from tests.evoplastic.engines.cases import make_config, make_params, with_evolved
from tests.evoplastic.engines.rules import short_life
from tests.evoplastic.engines.stream_cases import PROBE_K, stream_batch
from tests.evoplastic.rules.toys import TOYS

GROUPS = NeuronGroups(num_neurons=33)
LAST_PLACE = 2e-7
BOTH_ENDS = "trace of both ends times the weight"  # noise of both ends in the trace
CASES = [
    ("node_perturbation", False),
    ("node_perturbation", True),
    *(
        pytest.param(*case, marks=pytest.mark.exhaustive)  # each takes some 20 s to compile
        for case in [
            ("node_perturbation_network", True),
            ("backpropamine_retroactive", False),
            (BOTH_ENDS, True),
        ]
    ),
]


@pytest.mark.parametrize("self_paced", [False, True], ids=["fixed timing", "self-paced"])
@pytest.mark.parametrize(("name", "shared"), CASES)
def test_lifetimes_are_those_of_the_reference(
    name: str, self_paced: bool, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for toy, rule in TOYS.items():
        monkeypatch.setitem(RULES, toy, rule)
    small = {} if RULES[name].schedule != "every_step" else {"max_change": 0.003, "max_p": 0.01}
    config = make_config(rule=short_life(name, first_trial=0, **small), feedback="graded")
    batch = stream_batch(GROUPS, 5, self_paced=self_paced, shared_noise=shared)
    params = with_evolved(make_params(GROUPS, 5, gain=0.9), GROUPS, config.rule)
    assert cpu_covers(GROUPS, batch, config) is None
    exact = run_reference(params, GROUPS, batch, config, dtype=torch.float64)
    plain = run_reference(params, GROUPS, batch, config).result
    ours = run_cpu(params, GROUPS, batch, config, threads=1)
    assert exact.state.p_PNN.abs().max() > 1e-5, "plasticity goes untested"
    for what in ("loss_PK", "reward_PK", "smoothness_P"):
        expected = getattr(exact.result, what).double()
        rounding = float((getattr(plain, what).double() - expected).abs().max())
        error = float((getattr(ours, what).double() - expected).abs().max())
        assert rounding < 1e-4, f"{what}: chaotic, parity would prove nothing"
        assert error <= 2 * rounding + LAST_PLACE, f"{what}: {error:.1e} not {rounding:.1e}"
    assert torch.equal(ours.correct_PK, exact.result.correct_PK)


@pytest.mark.parametrize("self_paced", [False, True], ids=["fixed timing", "self-paced"])
def test_what_is_recorded_of_a_stream_is_what_the_reference_records(self_paced: bool) -> None:
    config = make_config(rule=short_life("node_perturbation", first_trial=0, baseline="none"))
    batch = stream_batch(GROUPS, 3, self_paced=self_paced)
    params = make_params(GROUPS, 3, gain=0.9)
    recording = Recording(trials=tuple(range(8)), fields=("rate", "p", "elig"))
    recorder = CpuRecorder(recording, GROUPS, batch, config)
    run_cpu(params, GROUPS, batch, config, threads=1, recorder=recorder)
    theirs = run_reference(params, GROUPS, batch, config, recording=recording).recorded
    assert theirs is not None
    assert (recorder.recorded.kind_PR == theirs.kind_PR).all()
    for name, ours in recorder.recorded.fields.items():
        torch.testing.assert_close(
            torch.from_numpy(ours),
            torch.from_numpy(theirs.fields[name]),
            rtol=0,
            atol=1e-4,
            equal_nan=True,
        )
    p_RUN = recorder.recorded.fields["p"][0]
    for trial in range(1, 8):
        assert (p_RUN[trial] == p_RUN[trial - 1]).all() == PROBE_K[trial]


def test_what_a_gpu_does_not_cover_runs_on_the_cpu_engine(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engines, "choose_engine", lambda name, demand=None: "gpu")
    monkeypatch.setattr(gpu, "MAX_DRAWS", 1000)
    monkeypatch.setattr(engines, "_said", set())
    config = make_config(rule=short_life("node_perturbation", first_trial=0))
    batch, params = stream_batch(GROUPS, 2, self_paced=False), make_params(GROUPS, 2)
    with caplog.at_level(logging.WARNING):
        result = engines.run_lifetimes(params, GROUPS, batch, config, threads=1)
    assert "need more than 32-bit offsets); engine cpu runs" in caplog.text
    expected = run_cpu(params, GROUPS, batch, config, threads=1)
    assert torch.equal(result.loss_PK, expected.loss_PK)
