"""What imitation adds to losses: the numbers of a recording, of known likeness."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.imitation.measuring import likeness, simulate_imitating
from evoplastic.lifetime.imitation.similarity import matrix_of
from evoplastic.lifetime.imitation.term import Wanted, imitation_of
from evoplastic.lifetime.population import simulate
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.recorded import record_replicates
from evoplastic.lifetime.recording import Recording
from evoplastic.lifetime.shards import ReplicateShard
from evoplastic.network.neurons import NeuronGroups
from tasks.two_stimulus.task import TwoStimulusTask

CONDITIONS = ("1 1", "0 0", "0 1", "1 0")
TRAIN = (TwoStimulusTask("and").trials(), TwoStimulusTask("or").trials())
PATTERN = np.random.default_rng(0).normal(size=(4, 7))


def problem() -> LifetimeProblem:
    return LifetimeProblem(
        layout=Layout(NeuronGroups(num_neurons=16)),
        lifetime=LifetimeConfig(num_trials=22, scored_trials=10),
        train=TRAIN,
        held_out=(),
        seed=3,
        engine="reference",
    )


def term(measure: str = "cka", tasks: tuple[str, ...] = (), **changes: Any) -> Any:
    chosen: dict[str, Any] = {
        "weight": 2.0,
        "measure": measure,
        "trials": 20,
        "window_ms": (200.0, 500.0),
        "tasks": tasks,
        "conditions": CONDITIONS,
        "matrix_CC": matrix_of(PATTERN, measure),
    }
    return imitation_of(TRAIN, **(chosen | changes))


@pytest.mark.parametrize("measure", ["cka", "rdm"])
def test_what_is_added_is_what_a_recording_says(measure: str) -> None:
    posed = problem()
    genome = Genome.random(posed.layout, 1, GenomeConfig()).center_G
    flat_PG = torch.stack([genome, 0.8 * genome, genome])
    task_P, stream_P = np.array([0, 0, 1]), np.array([0, 0, 1])
    result, added_P = simulate_imitating(
        posed, flat_PG, task_P, stream_P, term(measure, ("and",)), epoch=5
    )
    plain = simulate(posed, posed.params(flat_PG), task_P, stream_P, epoch=5, evaluation=False)
    assert torch.equal(result.loss_PK, plain.loss_PK)  # it is looked at, not changed
    assert added_P[2] == 0.0  # of another task
    assert added_P[0] != added_P[1]
    # The same lifetime by itself, and the similarity by hand, conditions in the order of kinds.
    _, alone_P = simulate_imitating(
        posed, flat_PG[:1], task_P[:1], stream_P[:1], term(measure, ("and",)), epoch=5
    )
    assert alone_P[0] == pytest.approx(added_P[0], abs=1e-6)


def test_likeness_is_that_of_mean_rates_in_the_window() -> None:
    posed = problem()
    genome = Genome.random(posed.layout, 1, GenomeConfig()).center_G
    wanted = term().wanted[0]
    assert wanted.kinds == (0, 1, 2, 3)
    np.testing.assert_allclose(wanted.matrix_CC, matrix_of(PATTERN[[1, 2, 3, 0]], "cka"))
    lives = record_replicates(
        posed,
        genome,
        ReplicateShard(0, 0, 0, 1, True),
        Recording(trials=tuple(range(2, 22)), fields=("rate",)),
    )
    hidden = lives.recorded.fields["rate"][0, :, 10:25, posed.groups.hidden].mean(1)
    kind_R = lives.recorded.kind_PR[0]
    means = np.stack([hidden[kind_R == kind].mean(0) for kind in range(4)])
    x, y = means - means.mean(0), PATTERN[[1, 2, 3, 0]] - PATTERN.mean(0)
    expected = np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
    assert likeness(hidden, kind_R, wanted, "cka") == pytest.approx(expected)


def test_a_network_that_is_alike_adds_nothing() -> None:
    kind_R = np.array([0, 1, 2, 3, 0, 1])
    wanted = Wanted((0, 1, 2, 3), matrix_of(PATTERN, "cka"))
    alike = 3.0 * PATTERN[kind_R] + 1.0
    assert likeness(alike, kind_R, wanted, "cka") == pytest.approx(1.0)
    met = kind_R < 3  # of three conditions it is the same
    wanted = Wanted((0, 1, 2, 3), matrix_of(PATTERN, "rdm"))
    assert likeness(alike[met], kind_R[met], wanted, "rdm") == pytest.approx(1.0)
    assert likeness(alike[:2], kind_R[:2], wanted, "rdm") == 0.0  # two are too few
    assert likeness(np.full((6, 7), np.nan), kind_R, wanted, "rdm") == 0.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": ("adn",)}, "unknown training task to imitate 'adn'; did you mean 'and'"),
        ({"conditions": ("a", "0 0", "0 1", "1 0")}, "missing: 1 1; unknown: a"),
        ({"window_ms": (500.0, 500.0)}, "has no step of task 'and'"),
    ],
)
def test_bad_input(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        term(**changes)
    assert replace(problem(), imitation=term()).imitation is not None
