"""Descriptors of lifetimes: what they are, whom they leave out, and that asking changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from evoplastic.checks import UsageError
from evoplastic.engines.reference.engine import run_reference
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.asked import require_answerable
from evoplastic.lifetime.batch import LifetimeResult
from evoplastic.lifetime.behaviour.catalogue import DESCRIPTORS, learning_speed_of
from evoplastic.lifetime.behaviour.descriptor import Lived
from evoplastic.lifetime.behaviour.measuring import simulate_behaving
from evoplastic.lifetime.fields import genome_fields
from evoplastic.lifetime.population import simulate
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.recording import Recording
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.asking import Behaviour
from tests.evoplastic.engines.cases import make_bank, make_batch, make_config, make_params

GROUPS = NeuronGroups(num_neurons=14)
CONFIG = make_config(rule={"name": "backpropamine"})
PROBLEM = LifetimeProblem(
    layout=Layout(GROUPS, genome_fields(CONFIG)),
    lifetime=CONFIG,
    train=tuple(make_bank(number, task=f"toy{number}") for number in range(3)),
    held_out=(),
    seed=3,
    engine="cpu",
)
NAMES = tuple(DESCRIPTORS)
TASKS = np.array([0, 1, 2, 0])
STREAMS = np.arange(4)


def genomes() -> torch.Tensor:
    start = PROBLEM.layout.initial(3, GenomeConfig())
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=(4, len(start))) * 0.3)
    return (start + noise).float() * PROBLEM.layout.mask_G


def test_asking_changes_no_bit_of_a_lifetime() -> None:
    result, behaviour_PD = simulate_behaving(PROBLEM, genomes(), TASKS, STREAMS, NAMES, epoch=2)
    plain = simulate(PROBLEM, PROBLEM.params(genomes()), TASKS, STREAMS, epoch=2, evaluation=False)
    for name, ours, theirs in zip(LifetimeResult._fields, result, plain, strict=True):
        assert torch.equal(ours, theirs), name
    assert behaviour_PD.shape == (4, len(NAMES))
    assert np.isfinite(behaviour_PD[:, :4]).all()
    for column, name in enumerate(NAMES):
        if name in ("accuracy", "mean_modulation"):
            assert (behaviour_PD[:, column] >= DESCRIPTORS[name].lower).all()
            assert (behaviour_PD[:, column] <= DESCRIPTORS[name].upper).all()


def test_engines_describe_alike_and_neighbours_do_not_matter() -> None:
    found = [
        simulate_behaving(
            replace(PROBLEM, engine=engine), genomes(), TASKS, STREAMS, NAMES, epoch=2
        )[1]
        for engine in ("cpu", "reference")
    ]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-3, atol=1e-4)
    alone = simulate_behaving(PROBLEM, genomes()[1:2], TASKS[1:2], STREAMS[1:2], NAMES, epoch=2)[1]
    np.testing.assert_array_equal(alone, found[0][1:2])


def test_plastic_change_and_modulation_are_those_of_the_lifetime() -> None:
    params, batch = make_params(GROUPS, 2), make_batch([make_bank(0)], 2)
    trace = run_reference(params, GROUPS, batch, CONFIG)
    recordings = [
        Recording(trials=(7,), fields=("p",)),
        Recording(trials=tuple(range(8)), fields=("mod",)),
    ]
    for recording, name in zip(recordings, ("plastic_change", "mean_modulation"), strict=True):
        recorded = run_reference(params, GROUPS, batch, CONFIG, recording=recording).recorded
        lived = Lived(params, GROUPS, CONFIG, trace.result, recorded)
        value = DESCRIPTORS[name].of(lived)
        if name == "plastic_change":
            change = (params.alpha_PNN * trace.state.p_PNN)[:, GROUPS.num_clamped :].double()
            expected = change.square().mean((1, 2)).sqrt().log10()
        else:
            assert recorded is not None
            expected = torch.from_numpy(np.abs(recorded.fields["mod"]).mean((1, 2)))
        np.testing.assert_allclose(value, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("correct", "speed"),
    [("11111111", 0.5), ("11110000", 0.75), ("00001111", 0.25), ("00000001", 0.0), ("0" * 8, None)],
)
def test_speed_is_what_is_left_when_half_is_done(correct: str, speed: float | None) -> None:
    correct_PK = torch.tensor([[letter == "1" for letter in correct]])
    empty = torch.zeros(1, 8)
    result = LifetimeResult(empty, correct_PK, empty, empty[:, 0], empty)
    lived = Lived(make_params(GROUPS, 1), GROUPS, CONFIG, result, None)
    assert learning_speed_of(lived)[0] == pytest.approx(
        np.nan if speed is None else speed, nan_ok=True
    )


def test_a_descriptor_of_a_group_leaves_other_tasks_out() -> None:
    names = ("accuracy", "accuracy@first_half", "accuracy@second_half", "accuracy@toy0+toy2")
    behaviour_PD = simulate_behaving(PROBLEM, genomes(), TASKS, STREAMS, names, epoch=2)[1]
    there = ~np.isnan(behaviour_PD)
    assert there.T.tolist() == [
        [True] * 4,
        [True, True, False, True],
        [False, False, True, False],
        [True, False, True, True],
    ]
    for column in range(1, 4):
        rows = there[:, column]
        np.testing.assert_array_equal(behaviour_PD[rows, column], behaviour_PD[rows, 0])


def test_an_unknown_group_is_refused_with_the_nearest_task() -> None:
    require_answerable(PROBLEM, Behaviour(("accuracy@toy1", "plastic_change@second_half")))
    with pytest.raises(
        UsageError, match=r"'accuracy@tay1': unknown training task 'tay1'; did you mean 'toy1'"
    ):
        require_answerable(PROBLEM, Behaviour(("accuracy@tay1",)))
    withheld = replace(PROBLEM, held_out=(make_bank(9, task="away"),))
    with pytest.raises(UsageError, match="held-out task 'away', which takes no part in selection"):
        require_answerable(withheld, Behaviour(("accuracy@away",)))
    with pytest.raises(UsageError, match="unknown descriptor 'speed'"):
        require_answerable(PROBLEM, Behaviour(("speed",)))
