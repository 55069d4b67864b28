"""Suites with tasks that must be stepped: simulated beside banks, and kept from leaking."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import ReplicateShard, simulate_population, simulate_replicates
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.config import ESConfig
from tasks.neurogym.task import SelfPacedTask
from tasks.suites.suite import Suite
from tests.evoplastic.engines.cases import make_config
from tests.evoplastic.lifetime.populations import pair_shard

ENVS = Path(__file__).parents[1] / "small_envs.py"
COPY = """
from tests.tasks.small_envs import Staircase


class Stairs(Staircase):
    pass
"""


def task(name: str, class_name: str, file: Path = ENVS) -> SelfPacedTask:
    return SelfPacedTask(name=name, source=f"{file}:{class_name}")


def suite(*held_out: SelfPacedTask, rule_cue: bool = False) -> Suite:
    return Suite(
        name="steps",
        description="",
        train=(task("echo", "Echo"), task("stairs", "Staircase"), task("paid", "PaysByChance")),
        held_out=held_out or (SelfPacedTask(name="dms", source="evoplastic/TwoStimulus-dms"),),
        rule_cue=rule_cue,
    )


@pytest.fixture(scope="module")
def problem() -> LifetimeProblem:
    ours = suite()
    banks = ours.trials(3, 12)
    return LifetimeProblem(
        layout=Layout(
            NeuronGroups(
                num_neurons=24,
                num_inputs=ours.interface.num_inputs,
                num_outputs=ours.interface.num_outputs,
            )
        ),
        lifetime=make_config(num_trials=4, scored_trials=2),
        train=banks[:3],
        held_out=banks[3:],
        seed=4,
        wiring=ours.wiring,
    )


def center(problem: LifetimeProblem) -> torch.Tensor:
    return Genome.random(problem.layout, 1, GenomeConfig()).center_G


def test_one_population_meets_banks_and_environments(problem: LifetimeProblem) -> None:
    search = ESConfig(popsize=12)
    shard = pair_shard(problem, search, 0, 0, 6)
    whole = simulate_population(problem, center(problem), shard)
    assert set(shard.task_P) == {0, 1, 2}
    assert np.isfinite(whole.loss_P).all()
    parts = [
        simulate_population(problem, center(problem), pair_shard(problem, search, 0, pair, 1))
        for pair in range(6)
    ]
    for name in whole._fields:
        together = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_allclose(getattr(whole, name), together, rtol=0, atol=1e-5)


def test_replicates_of_a_stepped_task_learn_and_repeat(problem: LifetimeProblem) -> None:
    shard = ReplicateShard(0, 1, 0, 3, True)
    one, again = (simulate_replicates(problem, center(problem), shard) for _ in range(2))
    assert np.array_equal(one.reward_LK, again.reward_LK)
    assert one.reward_LK.any()


def test_a_copy_of_a_stepped_task_is_no_held_out_task(tmp_path: Path) -> None:
    copy = tmp_path / "copied.py"
    copy.write_text(COPY)
    with pytest.raises(UsageError, match="'new' asks the same as training task 'stairs'"):
        _ = suite(task("new", "Stairs", copy)).interface


def test_a_rule_cue_has_no_line_into_an_environment() -> None:
    with pytest.raises(UsageError, match="'stairs' is stepped in its own environment"):
        suite(rule_cue=True).trials(1, 4)
