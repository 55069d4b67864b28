"""Anatomy: what is wired in all genomes, and what in none."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from cluster.config.run import load_config
from evoplastic.birth.anatomy import require_label_lines
from evoplastic.birth.config import BirthConfig
from evoplastic.birth.drawing import born
from evoplastic.checks import UsageError
from evoplastic.lifetime.batch import PlasticParams
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.wiring import WiringConfig

GROUPS = NeuronGroups(num_neurons=30, num_inputs=7, num_outputs=3)
LABELS = slice(4, 7)


def wired(**options: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """w and alpha [N, N] of a genome whose numbers are all 2."""
    two_PNN = torch.full((1, 30, 30), 2.0)
    params = born(
        PlasticParams(two_PNN, two_PNN.clone()),
        BirthConfig(**options),
        GROUPS,
        np.zeros(1, dtype=np.int64),
        seed=1,
        epoch=0,
        evaluation=False,
    )
    assert torch.equal(two_PNN, torch.full((1, 30, 30), 2.0))  # a genome stays as it is
    return params.w_PNN[0], params.alpha_PNN[0]


def test_groups_without_connections_have_neither_weight_nor_plasticity() -> None:
    w_NN, alpha_NN = wired(without=(("stimulus", "response"), ("hidden", "hidden")))
    for value_NN in (w_NN, alpha_NN):
        assert not value_NN[GROUPS.response, GROUPS.stimulus].any()
        assert not value_NN[GROUPS.hidden, GROUPS.hidden].any()
        left = value_NN.numel() - 3 * 7 - (GROUPS.hidden.stop - GROUPS.hidden.start) ** 2
        assert int((value_NN == 2.0).sum()) == left


def test_only_plastic_groups_change() -> None:
    w_NN, alpha_NN = wired(plastic=("response",))
    assert (w_NN == 2.0).all()
    assert (alpha_NN[GROUPS.response] == 2.0).all()
    fixed = slice(GROUPS.num_unconnected, GROUPS.response.start)
    assert not alpha_NN[fixed].any()


def test_fixed_pairs_keep_their_weights() -> None:
    w_NN, alpha_NN = wired(fixed=(("feedback", "modulators"), ("hidden", "response")))
    assert (w_NN == 2.0).all()
    assert not alpha_NN[GROUPS.modulators, GROUPS.feedback].any()
    assert not alpha_NN[GROUPS.response, GROUPS.hidden].any()
    hidden = GROUPS.hidden.stop - GROUPS.hidden.start
    assert int((alpha_NN == 2.0).sum()) == alpha_NN.numel() - 2 * 2 - 3 * hidden


def test_a_label_drives_its_response_neuron_alone() -> None:
    w_NN, alpha_NN = wired(label_gain=10.0)
    assert torch.equal(w_NN[GROUPS.response, LABELS], 10.0 * torch.eye(3))
    assert not w_NN[: GROUPS.response.start, LABELS].any()
    assert not alpha_NN[:, LABELS].any()
    assert (w_NN[GROUPS.response, GROUPS.bias] == 2.0 - 5.0).all()


def test_weights_of_no_size_are_their_mean() -> None:
    w_NN, _ = wired(weights="random", gain=0.0, density=1.0, mean=3.0, label_gain=1.0)
    assert w_NN[GROUPS.hidden, :4].numpy() == pytest.approx(3.0 / np.sqrt(30.0))


def test_labels_need_lines_beside_those_of_the_pattern() -> None:
    groups = NeuronGroups(num_neurons=30, num_inputs=3, num_outputs=3)
    with pytest.raises(UsageError, match="there are 3 stimulus lines; expected more"):
        require_label_lines(BirthConfig(label_gain=1.0), groups, None)


@pytest.mark.parametrize("options", [{"permute": "inputs"}, {"cue_lines": 2}])
def test_labels_need_lines_that_stay(options: dict[str, Any]) -> None:
    wiring = WiringConfig(interface=GROUPS.interface, **options)
    with pytest.raises(UsageError, match="expected permute: none and rule_cue: false"):
        require_label_lines(BirthConfig(label_gain=1.0), GROUPS, wiring)
    require_label_lines(BirthConfig(), GROUPS, wiring)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"without": (("stimulus", "respons"),)}, "did you mean 'response'?"),
        ({"without": (("stimulus", "response"),) * 2}, "one pair twice"),
        ({"fixed": (("feedback", "modulator"),)}, "did you mean 'modulators'?"),
        ({"fixed": (("feedback", "hidden"),) * 2}, "one pair twice"),
        ({"plastic": ("bias",)}, "unknown neuron group that is plastic 'bias'"),
        ({"plastic": ("hidden", "hidden")}, "plastic names hidden, hidden, one group twice"),
        ({"label_gain": -1.0}, "label_gain is -1.0, expected 0 or more"),
    ],
)
def test_contradictions_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        BirthConfig(**options)


def test_digests_of_runs_without_anatomy_are_what_they_were() -> None:
    config = load_config("smoke")
    written = dict(config.flat())
    assert written["lifetime.birth.label_gain"] == 0.0
    changed = load_config("smoke", ["lifetime.birth.plastic=[response]"])
    assert changed.path_digest != config.path_digest
    fixed = load_config("smoke", ["lifetime.birth.fixed=[[hidden, response]]"])
    assert fixed.path_digest not in (config.path_digest, changed.path_digest)
    assert "lifetime.perturbation.stop_step" in written
    quiet = load_config("smoke", ["lifetime.perturbation.stop_step=35"])
    assert quiet.path_digest != config.path_digest
