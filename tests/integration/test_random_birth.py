"""With weights drawn anew for each lifetime, whoever does not learn is at chance on every task."""

from __future__ import annotations

import numpy as np
import pytest

from cluster.config.run import load_config
from cluster.experiment import Experiment, build_experiment
from evoplastic.genome.config import GenomeConfig
from evoplastic.lifetime.shards import ReplicateShard, simulate_replicates

LIFETIMES = 256
SETTING = (
    "num_neurons=24",
    "rule.first_trial=1",
    "lifetime.num_trials=12",
    "lifetime.scored_trials=8",
    "lifetime.perturbation.quiet_trials=8",
    "lifetime.birth.weights=random",
    "lifetime.birth.gain={form: groups, init: 1.5, spread: 0.5, transform: positive}",
    "lifetime.birth.density={form: groups, init: 0.6, spread: 0.2, lower: 0.1, upper: 1.0}",
    "lifetime.birth.mean={form: groups, spread: 1.0}",
    "lifetime.birth.alpha={form: groups, init: 0.5}",
    "engine=cpu",
    "threads=1",
)


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return build_experiment(load_config("smoke", SETTING))


def accuracies(experiment: Experiment, task: int, seed: int) -> np.ndarray:
    """Of 256 lifetimes of one genome, plasticity off."""
    problem = experiment.evaluation_problem
    genome_G = problem.layout.initial(seed, GenomeConfig())
    shard = ReplicateShard(seed, task, 0, LIFETIMES, plastic=False)
    return simulate_replicates(problem, genome_G, shard).accuracy_L


def test_plasticity_off_is_at_chance_on_every_task(experiment: Experiment) -> None:
    """Genomes with statistics at random, one for each task.

    Within a group neurons are exchangeable: over births, each action is as likely as the other,
    whatever is shown. A lifetime's accuracy has a standard deviation of about 0.2, so the mean of
    256 has a standard error of 0.0125 or less; it is held within 4 of its own. Over all tasks a
    false alarm has a chance below 0.001, and a mean that is off by 0.08 goes unseen with a chance
    below 0.01. Together, all tasks are held within 0.015.
    """
    problem = experiment.evaluation_problem
    means = []
    for task in range(len(problem.tasks)):
        accuracy_L = accuracies(experiment, task, seed=task)
        error = float(accuracy_L.std(ddof=1)) / LIFETIMES**0.5
        assert 0.005 < error < 0.02, "the power that is stated needs this spread"
        assert abs(float(accuracy_L.mean()) - 0.5) < 4 * error, problem.tasks[task].task
        means.append(float(accuracy_L.mean()))
    assert len(means) >= 10
    assert abs(np.mean(means) - 0.5) < 0.015


def test_innate_weights_would_be_found_out(experiment: Experiment) -> None:
    """The same test of one birth for all lifetimes fails on most tasks: it can fail."""
    innate = build_experiment(
        load_config("smoke", [*SETTING[:5], "genome.init_gain=3.0", *SETTING[-2:]])
    )
    far = 0
    for task in range(len(innate.evaluation_problem.tasks)):
        accuracy_L = accuracies(innate, task, seed=task)
        error = max(float(accuracy_L.std(ddof=1)) / LIFETIMES**0.5, 1e-6)
        far += abs(float(accuracy_L.mean()) - 0.5) > 4 * error
    assert far >= 3
