"""A trial that raises costs that trial: the next is drawn, it is counted, and can be seen again."""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from evoplastic.trials import faults
from evoplastic.trials.faults import Faults, TrialFault
from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.conformance import POLICIES, find_difference
from tasks.neurogym.environments import EnvSource, find_source
from tasks.neurogym.examination import examine
from tasks.neurogym.faults import share
from tasks.neurogym.faults.replay import replay_life, replay_trial
from tasks.neurogym.refusals import Refusal, Unbankable
from tasks.neurogym.stepped_life import SteppedLife
from tasks.neurogym.stepped_task import stepped_task
from tests.tasks import small_envs as envs

FILE = "tests/tasks/small_envs.py"
RARE = [envs.RaisesAtTimes, envs.RaisesInStepsAtTimes]
SEED, TRIALS = 4, 700


@pytest.fixture(autouse=True)
def _none_noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(faults, "_told", set())
    monkeypatch.setattr(share, "_known", {})
    faults.drain()
    yield
    faults.drain()


def rare(name: str, **settings: object) -> EnvSource:
    return find_source(f"{FILE}:{name}", settings)


def test_a_bank_leaves_out_what_raises_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        bank = build_step_bank(rare("RaisesAtTimes"), TRIALS, SEED)
    assert len(bank.num_steps_M) == TRIALS
    assert 0 < len(bank.left_out) <= TRIALS // 50
    noted = faults.drain()["RaisesAtTimes"]
    assert noted.number == len(bank.left_out)
    assert noted.first.trial == bank.left_out[0]
    assert "raise RuntimeError" in noted.first.traceback
    assert "small_envs.py" in noted.first.traceback
    told = [record for record in caplog.records if "RaisesAtTimes" in record.getMessage()]
    assert len(told) == 1, "said once"
    assert "out of luck" in told[0].getMessage()
    again = build_step_bank(rare("RaisesAtTimes"), TRIALS, SEED)
    assert (again.digest, again.left_out) == (bank.digest, bank.left_out)


def test_the_trials_that_stay_are_those_of_the_same_draws() -> None:
    """The same generator without the exception: the kept trials are its trials but for those."""

    class Sound(envs.RaisesAtTimes):
        def _new_trial(self, **kwargs: object) -> dict[str, object]:
            self.unlucky = self.rng.randint(self.one_in) == 0
            if self.unlucky:
                self.add_period(list(self.timing))
                self.add_ob(9)
                return {}
            return envs.Echo._new_trial(self, **kwargs)

    bank = build_step_bank(rare("RaisesAtTimes"), TRIALS, SEED)
    whole = build_step_bank(EnvSource(Sound), TRIALS + len(bank.left_out), SEED)
    unlucky_M = whole.observation_MTI[:, 0, 0] == 9
    assert np.flatnonzero(unlucky_M).tolist() == list(bank.left_out)
    assert np.array_equal(whole.observation_MTI[~unlucky_M], bank.observation_MTI)


@pytest.mark.parametrize("task", RARE)
def test_stepping_meets_the_trials_of_the_bank(task: type[envs.Echo]) -> None:
    """Whoever holds still never breaks the lever, and so meets all trials that can be drawn."""
    bank = build_step_bank(rare(task.__name__), TRIALS, SEED)
    left_out = bank.left_out if task is envs.RaisesInStepsAtTimes else ()
    life = SteppedLife(rare(task.__name__), SEED, 100, has_answers=True, isolate=False)
    number = 0
    while number < TRIALS:
        skipped = life.drawn - 1 in left_out
        assert skipped or np.array_equal(life.observation_I, bank.observation_MTI[number, 0])
        while not life.act(0).over:
            pass
        number += not skipped
    drawn = {each.trial for each in life.raised}
    assert drawn == (set(bank.left_out) if task is envs.RaisesAtTimes else set())


def test_a_step_that_raises_ends_its_trial_and_the_life_goes_on() -> None:
    life = SteppedLife(
        rare("RaisesInStepsAtTimes", one_in=20), SEED, 100, has_answers=True, isolate=False
    )
    ended: list[tuple[float, bool]] = []
    while len(ended) < 200:
        step = life.act(max(life.target_action, 0))
        if step.over:
            ended.append((step.reward, step.correct))
    broken = ended.count((0.0, False))
    assert 0 < broken == len(life.raised) < 20
    assert ended.count((1.0, True)) == 200 - broken
    assert faults.drain()["RaisesInStepsAtTimes"].number == broken


@pytest.mark.parametrize("task", RARE)
def test_examination_takes_a_task_that_rarely_raises(task: type[envs.Echo]) -> None:
    seed = next(
        seed for seed in range(60) if build_step_bank(rare(task.__name__), 32, seed).left_out
    )
    found = examine(rare(task.__name__), 32, seed)
    assert not isinstance(found, Refusal)
    bank = build_step_bank(rare(task.__name__), 120, seed)
    for policy in POLICIES:
        assert find_difference(rare(task.__name__), bank, seed, policy) is None


@pytest.mark.parametrize("name", ["RaisesAtTimes", "RaisesInStepsAtTimes"])
def test_a_task_that_often_raises_is_refused_with_the_share(name: str) -> None:
    with pytest.raises(Unbankable, match=r"trials of seed 0 raise, and 1 in 100 may") as caught:
        build_step_bank(rare(name, one_in=25), TRIALS, SEED)
    assert caught.value.refusal.reason == "raises"
    assert "small_envs.py" in str(caught.value)
    shown = re.search(r"`.* --trial (\d+) --seed 0` shows one", str(caught.value))
    assert shown is not None
    assert not isinstance(replay_trial(rare(name, one_in=25), 0, int(shown[1])), int)


def test_a_stepped_task_that_often_raises_is_refused_too() -> None:
    assert stepped_task(f"{FILE}:RandomAndRaising", {"one_in": 1000}).has_answers
    with pytest.raises(
        Unbankable, match=r"new_trial\(\) raised .*out of luck.* 1 in 100 may .*--trial"
    ):
        stepped_task(f"{FILE}:RandomAndRaising", {"one_in": 20})


@pytest.mark.parametrize("name", ["RaisesAtTimes", "RaisesInStepsAtTimes"])
def test_one_trial_is_drawn_again_by_number_and_seed(name: str) -> None:
    bank = build_step_bank(rare(name), TRIALS, SEED)
    fault = faults.drain()[name].first
    for number in bank.left_out:
        again = replay_trial(rare(name), SEED, number)
        assert not isinstance(again, int)
        assert (again.trial, again.said) == (number, fault.said)
    assert (fault.seed, fault.trial) == (SEED, bank.left_out[0])
    assert replay_trial(rare(name), SEED, bank.left_out[0] + 1) == 15
    words = shlex.split(fault.command)
    assert words[1:] == [
        "tasks", "check", f"{FILE}:{name}", "--trial", str(fault.trial), "--seed", str(SEED),
    ]  # fmt: skip


def test_a_life_is_lived_again_by_its_actions() -> None:
    source = rare("RandomAndRaising", one_in=60)
    life = SteppedLife(source, SEED, 100, has_answers=True, isolate=False)
    rng = np.random.default_rng(0)
    while not life.raised:
        life.act(int(rng.integers(3)))
    fault = faults.drain()["RandomAndRaising"].first
    assert fault.actions
    found = replay_life(source, SEED, fault.trial, fault.actions)
    assert found is not None
    assert (found.trial, found.said) == (fault.trial, fault.said)
    assert replay_life(source, SEED, fault.trial, fault.actions[:-1]) is None


def test_what_workers_count_is_added() -> None:
    fault = TrialFault("mine", 1, 2, "new_trial()", "no", "...", "evoplastic")
    faults.receive({"mine": Faults(2, fault)})
    faults.receive({"mine": Faults(3, fault._replace(trial=7))})
    assert faults.drain() == {"mine": Faults(5, fault)}
    assert faults.drain() == {}


def test_a_reset_that_raises_is_tried_with_the_next_trial(tmp_path: Path) -> None:
    class First(envs.Echo):
        drawn = 0

        def _new_trial(self, **kwargs: object) -> dict[str, object]:
            self.drawn += 1
            if self.drawn == 1:
                raise RuntimeError("cold")
            return super()._new_trial(**kwargs)

    assert len(build_step_bank(EnvSource(First), 4, 1).num_steps_M) == 4


def test_code_that_leaves_the_program_costs_its_trial_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`sys.exit` in somebody else's trial ends neither a run nor a command."""

    def leaving(self: envs.RaisesAtTimes, **kwargs: object) -> object:
        if self.rng.randint(self.one_in) == 0:
            raise SystemExit(3)
        return envs.Echo._new_trial(self, **kwargs)

    monkeypatch.setattr(envs.RaisesAtTimes, "_new_trial", leaving)
    bank = build_step_bank(EnvSource(envs.RaisesAtTimes), TRIALS, SEED)
    assert len(bank.left_out) > 0
    assert faults.drain()["RaisesAtTimes"].first.said == "SystemExit: 3"

    def gone(self: envs.RaisesAtTimes, dt: int = 20) -> None:
        raise SystemExit("gone")

    monkeypatch.setattr(envs.RaisesAtTimes, "__init__", gone)
    with pytest.raises(Unbankable, match="SystemExit: gone"):
        EnvSource(envs.RaisesAtTimes).make(SEED)
