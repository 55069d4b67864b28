"""What the CPU engine records equals what the reference records, and recording changes no bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.checks import UsageError
from evoplastic.engines.cpu.engine import run_cpu
from evoplastic.engines.recorded import record_lifetimes
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.recording import NO_ACTION, RECORDABLE, Recording, trial_numbers
from evoplastic.network.neurons import NeuronGroups
from tests.evoplastic.engines.cases import (
    make_bank,
    make_batch,
    make_config,
    make_params,
    with_fan_outs,
)
from tests.evoplastic.engines.rules import short_life
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank
from tests.evoplastic.modulation.settings import SETTINGS

RULES = (
    "node_perturbation",
    "node_perturbation_network",
    "cubed_fluctuations",
)  # one of each schedule
EVERYTHING = Recording(trials=(0, 3, 4, 7), fields=tuple(RECORDABLE))


def _case(
    rule: str, self_paced: bool, **options: Any
) -> tuple[PlasticParams, NeuronGroups, LifetimeBatch, LifetimeConfig]:
    config = make_config(rule=short_life(rule, **options))
    if self_paced:
        groups = NeuronGroups(num_neurons=24, num_inputs=3, num_outputs=3)
        banks = [make_node_bank(0, num_inputs=3, num_outputs=3), make_node_bank(1, longest=5)]
        return make_params(groups, 3), groups, make_free_batch(banks, groups, 3), config
    groups = NeuronGroups(num_neurons=21)
    return make_params(groups, 3), groups, make_batch([make_bank(0), make_bank(1)], 3), config


def _modulated(
    name: str,
) -> tuple[PlasticParams, NeuronGroups, LifetimeBatch, LifetimeConfig]:
    config = make_config(**SETTINGS[name])
    groups = NeuronGroups(num_neurons=21, num_modulators=config.modulation.table.num_neurons)
    params = with_fan_outs(make_params(groups, 3), groups, config)
    return params, groups, make_batch([make_bank(0), make_bank(1)], 3), config


CASES = {
    **{f"{rule}, fixed": _case(rule, False) for rule in RULES},
    **{f"{rule}, self_paced": _case(rule, True) for rule in RULES},
    **{
        f"{name}, fixed": _modulated(name)
        for name in (
            "five neurons without a channel",
            "activity, outcome",
            "all channels, three neurons",
        )
    },
}


SLOWEST = ("all channels, three neurons, fixed", "cubed_fluctuations, fixed")  # to compile


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.exhaustive] * (name in SLOWEST)) for name in CASES],
)
def test_recorded_on_the_cpu_as_on_the_reference(name: str) -> None:
    case, self_paced = CASES[name], name.endswith("self_paced")
    result, ours, engine = record_lifetimes(*case, EVERYTHING, engine="cpu", threads=2)
    theirs_result, theirs, slow = record_lifetimes(*case, EVERYTHING, engine="reference")
    assert (engine, slow) == ("cpu", "reference")
    np.testing.assert_array_equal(ours.kind_PR, theirs.kind_PR)
    np.testing.assert_array_equal(ours.target_PR, theirs.target_PR)
    np.testing.assert_array_equal(ours.fields["choice"], theirs.fields["choice"])
    for what in ("rate", "mod", "p", "elig"):
        assert ours.fields[what].shape == theirs.fields[what].shape
        scale = np.nanmax(np.abs(theirs.fields[what]))
        assert scale > 0, f"{what} is 0 throughout: the case proves nothing"
        np.testing.assert_allclose(
            ours.fields[what], theirs.fields[what], rtol=0, atol=2e-5 * max(scale, 1.0)
        )
    assert (ours.fields["choice"] != NO_ACTION).any(axis=2).all(), "a trial without any choice"
    assert np.isnan(ours.fields["rate"]).any() == self_paced
    unrecorded = run_cpu(*case)
    for what, value in result._asdict().items():
        assert torch.equal(value, getattr(unrecorded, what)), f"{what} is another when recorded"
    assert torch.equal(result.correct_PK, theirs_result.correct_PK)


def test_changes_at_every_step_that_the_clip_binds() -> None:
    """Node perturbation by the network, its clip so tight that most changes are the clip."""
    case = _case("node_perturbation_network", False, max_change=1e-5)
    recording = Recording(trials=(7,), fields=("p",))
    ours = record_lifetimes(*case, recording, engine="cpu")[1].fields["p"]
    theirs = record_lifetimes(*case, recording, engine="reference")[1].fields["p"]
    assert float(np.abs(theirs).max()) > 1e-5
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-7)


def test_weights_that_are_divided_by_their_largest_and_a_rule_without_a_trace() -> None:
    case = _case("abcd", False, coefficients={"A": 0.1, "B": 0.0, "C": 0.0, "D": 0.3})
    ours = record_lifetimes(*case, EVERYTHING, engine="cpu")[1].fields
    theirs = record_lifetimes(*case, EVERYTHING, engine="reference")[1].fields
    assert np.abs(theirs["p"]).max() == 1.0
    np.testing.assert_allclose(ours["p"], theirs["p"], rtol=0, atol=2e-5)
    assert not ours["elig"].any()
    assert ours["elig"].shape == theirs["elig"].shape


def test_a_few_trials_are_run_in_few_stretches() -> None:
    from evoplastic.engines.cpu.inside.recorder import CpuRecorder

    _, groups, batch, config = _case("node_perturbation", False)
    recording = Recording(trials=(0, 4, 5), fields=("rate",))
    blocks = CpuRecorder(recording, groups, batch, config).blocks
    assert blocks == [(0, 1), (1, 5), (5, 6), (6, 8)]


def test_refuses_what_cannot_be_recorded() -> None:
    with pytest.raises(UsageError, match="unknown recorded quantity 'rates'; did you mean 'rate'"):
        Recording(trials=(0,), fields=("rates",))
    with pytest.raises(UsageError, match="ascending"):
        Recording(trials=(2, 1))
    with pytest.raises(
        UsageError, match=r"trials \[8\] are asked for, a lifetime has trials 0 to 7"
    ):
        trial_numbers([0, 8], 8)
    assert trial_numbers(None, 3) == (0, 1, 2)
    assert trial_numbers(range(2, 4), 8) == (2, 3)


def test_size_of_a_recording() -> None:
    groups = NeuronGroups(num_neurons=20)
    recording = Recording(trials=(0, 1), fields=("rate", "mod", "p"))
    unclamped = 20 - groups.num_clamped
    assert recording.num_bytes(5, 12, groups) == 4 * 5 * 2 * (12 * 20 + 12 + unclamped * 20)
