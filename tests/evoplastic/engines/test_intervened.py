"""What is done to networks is what was asked for, and the same on both engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.engines.cpu.engine import run_cpu
from evoplastic.engines.intervened import intervene_lifetimes
from evoplastic.engines.reference.engine import run_reference
from evoplastic.lifetime.batch import LifetimeResult
from evoplastic.lifetime.intervention import Intervention
from evoplastic.lifetime.recording import Recording
from tests.evoplastic.engines.test_recorded import CASES

COVERED = [
    *(
        name
        for name in CASES
        if name.endswith(", fixed") and not name.startswith(("activity", "all"))
    ),
    "node_perturbation, self_paced",
]


def _held(groups: Any, lives: int) -> Intervention:
    hidden, modulator, response = (
        groups.num_clamped + 1,
        groups.modulators.start,
        groups.response.start,
    )
    rates_PH = np.array([[0.3, -0.6, 0.8]] * lives, dtype=np.float32)
    rates_PH[1] *= 0.5  # each life has its own
    return Intervention(
        lesioned=(0, groups.num_clamped, groups.modulators.start + 1),
        held=(hidden, modulator, response),
        held_PH=rates_PH,
        frozen_from=5,
    )


@pytest.mark.parametrize("name", COVERED)
def test_the_engines_agree(name: str) -> None:
    params, groups, batch, config = CASES[name]
    intervention = _held(groups, 3)
    ours, engine = intervene_lifetimes(*CASES[name], intervention, threads=2)
    theirs, slow = intervene_lifetimes(*CASES[name], intervention, engine="reference")
    assert (engine, slow) == ("cpu", "reference")
    _assert_close(ours, theirs)
    intact = run_cpu(params, groups, batch, config)
    assert not torch.equal(intact.loss_PK, ours.loss_PK)


@pytest.mark.parametrize("name", ["node_perturbation, fixed", "node_perturbation, self_paced"])
def test_nothing_done_is_the_intact_network(name: str) -> None:
    for engine, run in (("cpu", run_cpu), ("reference", run_reference)):
        result, _ = intervene_lifetimes(*CASES[name], Intervention(frozen_from=99), engine=engine)
        plain = run(*CASES[name])
        _assert_same(result, plain if isinstance(plain, LifetimeResult) else plain.result)


@pytest.mark.parametrize("name", ["node_perturbation, fixed", "node_perturbation, self_paced"])
def test_a_networks_own_rates_played_back_change_nothing(name: str) -> None:
    params, groups, batch, config = CASES[name]
    everything = Recording(trials=tuple(range(config.num_trials)), fields=("rate",))
    own = run_reference(params, groups, batch, config, recording=everything)
    assert own.recorded is not None
    neurons = tuple(range(groups.num_clamped + 2, groups.num_clamped + 5))
    played = np.nan_to_num(own.recorded.fields["rate"][..., list(neurons)])
    same = Intervention(played=neurons, played_PKTH=played)
    result, engine = intervene_lifetimes(*CASES[name], same)
    assert engine == "reference"
    _assert_same(result, own.result)
    another = Intervention(played=neurons, played_PKTH=np.roll(played, 1, axis=0))
    changed, _ = intervene_lifetimes(*CASES[name], another)
    assert not torch.equal(changed.loss_PK, own.result.loss_PK)


def test_frozen_weights_stay_and_later_trials_do_not_matter() -> None:
    _, groups, *_ = CASES["node_perturbation, fixed"]
    kept = Recording(trials=(3, 4, 7), fields=("p", "rate"))
    frozen = Intervention(frozen_from=5, held=(groups.num_clamped,), held_PH=np.full((3, 1), 0.25))
    inside = run_reference(*CASES["node_perturbation, fixed"], recording=kept, intervention=frozen)
    assert inside.recorded is not None
    p, rate = inside.recorded.fields["p"], inside.recorded.fields["rate"]
    np.testing.assert_array_equal(p[:, 1], p[:, 2])
    assert not np.array_equal(p[:, 0], p[:, 1])
    assert (rate[..., groups.num_clamped] == 0.25).all()


def test_a_lesion_leaves_the_others_what_they_are_without_it() -> None:
    """A neuron that nothing reads can be lesioned without an effect, bit for bit."""
    params, groups, batch, config = CASES["node_perturbation, fixed"]
    neuron = groups.num_clamped
    w_PNN, alpha_PNN = params.w_PNN.clone(), params.alpha_PNN.clone()
    w_PNN[:, :, neuron] = 0.0
    alpha_PNN[:, :, neuron] = 0.0
    deaf = params._replace(w_PNN=w_PNN, alpha_PNN=alpha_PNN)
    for engine in ("cpu", "reference"):
        intact, _ = intervene_lifetimes(
            deaf, groups, batch, config, Intervention(frozen_from=99), engine=engine
        )
        lesioned, _ = intervene_lifetimes(
            params, groups, batch, config, Intervention(lesioned=(neuron,)), engine=engine
        )
        _assert_same(lesioned, intact)


def _assert_same(ours: LifetimeResult, theirs: LifetimeResult) -> None:
    for name in LifetimeResult._fields:
        assert torch.equal(getattr(ours, name), getattr(theirs, name)), name


def _assert_close(ours: LifetimeResult, theirs: LifetimeResult) -> None:
    for name in ("correct_PK", "steps_PK"):
        assert torch.equal(getattr(ours, name), getattr(theirs, name)), name
    for name in ("loss_PK", "reward_PK", "smoothness_P"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=2e-5, rtol=2e-5)
