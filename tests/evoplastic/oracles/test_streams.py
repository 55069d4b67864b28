"""The reference equals the oracle in streams: which trial comes when, and what probes leave."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evoplastic.engines.reference.engine import run_reference
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from tests.evoplastic.engines.cases import make_config, make_params, with_evolved
from tests.evoplastic.engines.stream_cases import PROBE_K, stream_batch
from tests.evoplastic.oracles.lifetime import live
from tests.evoplastic.rules.toys import TOYS

GROUPS = NeuronGroups(num_neurons=14)
NAMES = ["node_perturbation", "node_perturbation_network", "backpropamine_retroactive"]
CASES = [
    *((name, "loss") for name in NAMES),
    ("node_perturbation", "reward_prediction_error"),
    *(pytest.param(toy, "graded", marks=pytest.mark.exhaustive) for toy in TOYS),
]


@pytest.mark.parametrize("self_paced", [False, True], ids=["fixed timing", "self-paced"])
@pytest.mark.parametrize(("name", "feedback"), CASES)
def test_reference_equals_the_oracle(
    name: str, feedback: str, self_paced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for toy, rule in TOYS.items():
        monkeypatch.setitem(RULES, toy, rule)
    chosen = {"name": name, "max_change": 0.02, "max_p": 0.05, "first_trial": 0}
    config = make_config(rule=chosen, feedback=feedback)
    batch = stream_batch(GROUPS, 3, self_paced=self_paced)
    params = with_evolved(make_params(GROUPS, 3), GROUPS, config.rule)
    trace = run_reference(params, GROUPS, batch, config, dtype=torch.float64)
    unclamped = slice(GROUPS.num_clamped, None)  # what clamped neurons receive reaches nothing
    for p, probe_K in enumerate((PROBE_K, np.roll(PROBE_K, 2), 0 * PROBE_K)):
        life = live(params, GROUPS, batch, config, p)
        assert life.events.changes > 0
        assert life.events.change_trials.isdisjoint(np.flatnonzero(probe_K))
        assert life.events.hit_trials.isdisjoint(np.flatnonzero(probe_K))
        for what, ours, theirs in (
            ("loss", trace.result.loss_PK[p], life.loss_K),
            ("reward", trace.result.reward_PK[p], life.reward_K),
            ("correct", trace.result.correct_PK[p], life.correct_K),
            ("smoothness", trace.result.smoothness_P[p], life.smoothness),
            ("rate", trace.state.rate_PN[p], life.rate_N),
            ("p", trace.state.p_PNN[p, unclamped], life.p_NN[unclamped]),
            ("elig", trace.state.elig_PNN[p, unclamped], life.elig_NN[unclamped]),
            ("baseline", trace.state.baseline_PC[p], life.baseline),
            ("mean loss", trace.state.mean_loss_P[p], life.mean_loss),
        ):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9, err_msg=what)
