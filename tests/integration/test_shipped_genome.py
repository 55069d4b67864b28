"""The genome in the repository learns, in a lifetime, a task that evolution never showed it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evoplastic.genome.genome import Genome
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import ReplicateShard, simulate_replicates
from tasks.suites.levels import fixed_policy_level
from tasks.suites.loading import load_suite

SHIPPED = Path(__file__).resolve().parents[2] / "genomes" / "miconi2023.safetensors"


def test_shipped_genome_learns_held_out_tasks_and_only_by_plasticity() -> None:
    genome = Genome.load(SHIPPED)
    suite = load_suite("miconi2023")
    assert genome.provenance["suite"] == suite.name
    assert genome.provenance["suite_digest"] == suite.digest
    problem = LifetimeProblem(
        layout=genome.layout,
        lifetime=LifetimeConfig(),
        train=suite.trials(0, 0, train_only=True),
        held_out=suite.trials(0, 0)[len(suite.train) :],
        seed=20_261_122,
    )
    for index, task in enumerate(suite.held_out, start=len(suite.train)):
        learnt, innate = (
            simulate_replicates(
                problem, genome.center_G, ReplicateShard(0, index, 0, 32, plastic)
            ).accuracy_L
            for plastic in (True, False)
        )
        # 0.93 was measured on dms over 256 lifetimes, quartiles 0.92 and 0.97.
        assert learnt.mean() > 0.88, task.name
        level = fixed_policy_level(suite, task.name)
        assert level is not None
        assert np.median(innate) < level, task.name
