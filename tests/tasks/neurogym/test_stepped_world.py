"""Real environments as worlds: as banks say, equal for equal streams, safe from breakdowns."""

from __future__ import annotations

import logging
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from evoplastic.engines import run_lifetimes
from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.stacked import stack_tables
from evoplastic.trials.timing import ANSWER, HOLD, OVER_RIGHT, UNSCORED
from evoplastic.trials.wiring import Wiring
from evoplastic.trials.world import SteppedTask
from evoplastic.types import NO_TARGET
from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.refusals import Unbankable
from tasks.neurogym.stepped_task import stepped_task
from tasks.neurogym.stepped_world import SteppedEnv, SteppedWorld, environment_seeds
from tests.evoplastic.engines.cases import make_config, make_params

ENVS = "tests/tasks/small_envs.py"


def batch_of(task: SteppedTask, streams: list[int], **changes: Any) -> LifetimeBatch:
    """One individual for each stream."""
    stream_P = np.array(streams, dtype=np.int64)
    batch = LifetimeBatch(
        tasks=task,
        task_P=0 * stream_P,
        seed=5,
        epoch=2,
        trial_stream_P=stream_P,
        perturb_stream_P=stream_P,
    )
    return batch._replace(**changes)


def mine(name: str, **settings: Any) -> SteppedEnv:
    """A task of the tests' own file, as a user would name it."""
    return stepped_task(f"{ENVS}:{name}", settings)


def live_at_random(world: SteppedWorld, num_steps: int) -> list[tuple[NDArray[Any], ...]]:
    """What everyone meets and earns; all act alike."""
    rng, P = np.random.default_rng(0), len(world.failed_P)
    came: list[tuple[NDArray[Any], ...]] = []
    for _ in range(num_steps):
        choice_P = np.full(P, rng.integers(world.num_actions_P[0]))
        came.append((*world.observe(), *world.step(choice_P, np.ones(P, dtype=bool))))
    return came


def test_a_task_that_has_a_bank_is_stepped_as_its_bank_says() -> None:
    task = mine("Echo")
    assert isinstance(task, SteppedTask)
    assert (task.interface.num_inputs, task.interface.num_outputs) == (3, 3)
    assert (task.has_answers, task.max_trial_steps, task.isolate) == (True, 30, False)
    batch = batch_of(task, [3])
    bank = build_step_bank(task.env_source, 50, environment_seeds(batch.trial_streams)[0]).table()
    world, rng, entry = task.open(batch.trial_streams), np.random.default_rng(0), 0
    node = int(bank.first_M[0])
    while entry < 49:
        seen = world.observe()
        assert np.array_equal(seen.observation_PI[0], bank.observation_VI[node])
        assert (seen.target_action_P[0], seen.kind_P[0]) == (
            bank.target_action_V[node],
            bank.kind_M[entry],
        )
        # five steps ask for the answer; before, nothing is to be done
        step = node - bank.first_M[entry]
        assert seen.flags_P[0] == (ANSWER if step >= 10 else HOLD)
        choice = (
            int(rng.integers(3)) if rng.random() < 0.5 else max(int(seen.target_action_P[0]), 0)
        )
        reward, over, correct = world.step(np.array([choice]), np.array([True]))
        assert reward[0] == bank.reward_VO[node, choice]
        onward = int(bank.next_VO[node, choice])
        assert over[0] == (onward < 0)
        assert correct[0] == (onward == OVER_RIGHT)
        entry += over[0]
        node = onward if onward >= 0 else int(bank.first_M[min(entry, 49)])


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("HierarchicalReasoning-v0", True),
        ("Reaching1D-v0", False),  # its ground truth is an angle
        ("perceptualdecisionmaking.roitman02-v0", True),
    ],
)
def test_what_fits_into_no_bank_is_lived(name: str, answers: bool) -> None:
    """Equal streams meet the same, other streams, epochs and purposes meet something else."""
    task = stepped_task(name)
    assert task.has_answers == answers
    world = task.open(batch_of(task, [1, 2, 1]).trial_streams)
    came = live_at_random(world, 400)
    assert not world.failed_P.any()
    for values in came:
        for array in values:
            assert np.array_equal(array[0], array[2])
    shown_SPI = np.stack([values[0] for values in came])
    assert not np.array_equal(shown_SPI[:, 0], shown_SPI[:, 1])
    for changes in ({"seed": 6}, {"epoch": 3}, {"evaluation": True}):
        other = live_at_random(task.open(batch_of(task, [1], **changes).trial_streams), 400)
        assert not np.array_equal(shown_SPI[:, 0], np.stack([values[0][0] for values in other]))
    asked = {int(values[1][0]) for values in came}
    correct = sum(int(values[-1][0]) for values in came)
    assert (asked == {NO_TARGET}) == (not answers)
    assert answers or correct == 0
    assert {int(values[2][0]) for values in came} == ({HOLD, ANSWER} if answers else {UNSCORED})


def test_what_one_does_changes_what_it_sees_and_only_that() -> None:
    task = stepped_task("Reaching1D-v0")
    world = task.open(batch_of(task, [1, 1]).trial_streams)
    for _ in range(5):
        world.step(np.array([0, 1]), np.array([True, True]))
    seen = world.observe()
    assert not np.array_equal(seen.observation_PI[0, 16:], seen.observation_PI[1, 16:])
    assert np.array_equal(seen.observation_PI[0, :16], seen.observation_PI[1, :16])


def test_who_does_not_move_stays_where_it_is() -> None:
    task = mine("Echo")
    world, alone = (task.open(batch_of(task, streams).trial_streams) for streams in ([1, 2], [2]))
    for step in range(40):
        moving_P = np.array([True, step % 3 == 0])
        choice = step % 3 // 2
        world.step(np.array([0, choice]), moving_P)
        if moving_P[1]:
            alone.step(np.array([choice]), np.array([True]))
        here, there = world.observe(), alone.observe()
        assert np.array_equal(here.observation_PI[1], there.observation_PI[0])


def test_an_individual_does_not_depend_on_its_company() -> None:
    for name in ("PaysByGlobalChance", "RemembersInAttribute", "Staircase"):
        task = mine(name)
        assert task.isolate == (name == "PaysByGlobalChance")
        together = live_at_random(task.open(batch_of(task, [4, 7, 9]).trial_streams), 300)
        np.random.seed(1)
        alone = live_at_random(task.open(batch_of(task, [9]).trial_streams), 300)
        for values, own in zip(together, alone, strict=True):
            for array, its in zip(values, own, strict=True):
                assert np.array_equal(array[2], its[0])


def test_recipes_travel() -> None:
    task = pickle.loads(pickle.dumps(mine("Echo", wait_ms=200)))
    assert task.max_trial_steps == 40
    assert live_at_random(task.open(batch_of(task, [1]).trial_streams), 3)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("PaysNanInMidTrial", "pays nan"),
        ("PaysNan", "pays nan"),
        ("Grows", "shows shape"),
        ("RaisesWhenDrawn", "out of stimuli"),
        ("Terminates", "terminated or truncated"),
    ],
)
def test_a_breakdown_costs_one_life_and_is_told_once(
    name: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    sound = mine("Echo")
    task = replace(sound, task=name, source=f"{ENVS}:{name}")
    world = task.open(batch_of(task, [1, 2, 3]).trial_streams)
    with caplog.at_level(logging.WARNING):
        for step in range(60):
            # the third holds still; only what breaks by itself breaks for it
            world.step(np.array([0, 2 * (step % 15 == 7), 0]), np.array([True, True, True]))
            if name == "Terminates":
                world.step(np.array([0, 1, 0]), np.array([True, True, True]))
    by_itself = name in ("Grows", "RaisesWhenDrawn")
    assert world.failed_P.tolist() == [by_itself, True, by_itself]
    assert world.first_fault is not None
    assert told in world.first_fault
    assert [told in record.getMessage() for record in caplog.records] == [True]
    assert world.step(np.zeros(3, dtype=int), np.ones(3, dtype=bool)).over_P[1]
    assert world.observe().target_action_P[1] == NO_TARGET


def test_a_trial_without_end_breaks_down() -> None:
    task = replace(mine("Echo"), source=f"{ENVS}:NeverEnds", max_trial_steps=20)
    world = task.open(batch_of(task, [1, 2]).trial_streams)
    for step in range(25):
        world.step(np.array([0, 2 * (step % 12 == 11)]), np.array([True, True]))
    assert world.failed_P.tolist() == [True, False]
    assert world.first_fault is not None
    assert "a trial goes on after 20 steps; allow more by max_trial_steps" in world.first_fault


GROUPS = NeuronGroups(num_neurons=24, num_inputs=3, num_outputs=3)


def wired(batch: LifetimeBatch) -> LifetimeBatch:
    """Channels and actions on the first lines."""
    lines = np.tile(np.arange(3), (len(batch.task_P), 1))
    return batch._replace(wiring=Wiring(lines, lines))


def test_lifetimes_are_those_of_the_bank() -> None:
    """The same environment, once as a bank that begins at its first trial, once stepped."""
    task = mine("Echo")
    batch = wired(batch_of(task, [1, 2]))
    params = make_params(GROUPS, 2)
    stepped = run_lifetimes(params, GROUPS, batch, make_config(), engine="reference")
    banks = [
        build_step_bank(task.env_source, 8, seed) for seed in environment_seeds(batch.trial_streams)
    ]
    nodes = stack_tables([replace(bank.table(), block=8) for bank in banks])
    held = batch._replace(tasks=nodes, task_P=np.arange(2))
    for one, other in zip(
        stepped, run_lifetimes(params, GROUPS, held, make_config(), engine="reference"), strict=True
    ):
        assert torch.equal(one, other)
    assert stepped.steps_PK.min() > 10


def test_a_life_whose_task_breaks_down_has_the_worst_loss_and_the_others_theirs() -> None:
    sound = mine("Echo")
    task = replace(sound, source=f"{ENVS}:PaysNanInMidTrial")
    batch, params = wired(batch_of(task, list(range(12)))), make_params(GROUPS, 12)
    broken = run_lifetimes(params, GROUPS, batch, make_config(), engine="reference")
    failed_P = broken.loss_PK.isnan().any(dim=1)
    assert 0 < int(failed_P.sum()) < 12
    assert torch.equal(failed_P, broken.loss_PK.isnan().all(dim=1))
    whole = run_lifetimes(
        params, GROUPS, batch._replace(tasks=sound), make_config(), engine="reference"
    )
    assert torch.equal(broken.loss_PK[~failed_P], whole.loss_PK[~failed_P])


REFUSED = {
    "BoxActions": "actions",
    "DictActions": "actions",
    "Image": "observations",
    "Untimed": "no timing",
    "TooShort": "no steps",
    "NeverEnds": "endless",
    "RaisesInMidTrial": "raises",
    "RaisesWhenDrawn": "raises",
    "ShowsNan": "not finite",
    "PaysNan": "not finite",
    "Grows": "size changes",
    "Terminates": "ends the episode",
    "DrawsFromTheClock": "not reproducible",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_stepped_is_refused_before_anybody_lives_it(name: str) -> None:
    with pytest.raises(Unbankable) as caught:
        mine(name)
    assert caught.value.refusal.reason == REFUSED[name]
    assert name in str(caught.value)


def test_the_cost_is_measured_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        tasks = [stepped_task(f"{ENVS}:Echo", name="told once") for _ in range(2)]
    assert all(task.steps_per_s > 100 for task in tasks)
    assert [
        f"{tasks[0].steps_per_s:.0f} steps per second" in r.getMessage() for r in caplog.records
    ] == [True]
