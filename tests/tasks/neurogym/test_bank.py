"""Banks of small tasks: what they hold, what repeats, and what is refused for which reason."""

from __future__ import annotations

import numpy as np
import pytest
from neurogym.core import TrialEnv

from evoplastic.checks import UsageError
from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.conformance import POLICIES, find_difference
from tasks.neurogym.environments import EnvSource
from tasks.neurogym.examination import examine
from tasks.neurogym.refusals import Refusal, Unbankable
from tests.tasks import small_envs as envs


def test_a_bank_holds_what_the_task_says() -> None:
    bank = build_step_bank(EnvSource(envs.Echo), 8, 1)
    assert bank.period_names == ("stimulus", "wait", "answer")
    assert bank.period_MQ2[0].tolist() == [[0, 5], [5, 10], [10, 15]]
    assert bank.num_steps_M.tolist() == [15] * 8
    answer_M = bank.answer_M
    assert set(answer_M) == {1, 2}
    assert np.array_equal(bank.kind_M, answer_M)
    for m, answer in enumerate(answer_M):
        assert bank.observation_MTI[m, :5, answer].mean() > 0.5
        wrong = 3 - answer
        assert bank.reward_MTO[m, :10].tolist() == [[0.0, np.float32(-0.1), np.float32(-0.1)]] * 10
        assert not bank.ends_MTO[m, :10].any()
        assert bank.reward_MTO[m, 10:, answer].tolist() == [1.0] * 5
        assert not bank.reward_MTO[m, 10:, [0, wrong]].any()
        assert bank.ends_MTO[m, 10:, 1:].all()
        assert bank.ends_MTO[m, 10:, 0].tolist() == [False] * 4 + [True]


def test_settings_and_time_step_reach_the_task() -> None:
    bank = build_step_bank(EnvSource(envs.Echo, {"wait_ms": 200}, dt_ms=50), 2, 1)
    assert bank.period_MQ2[0].tolist() == [[0, 2], [2, 6], [6, 8]]
    assert bank.dt_ms == 50.0


@pytest.mark.parametrize("task", [envs.Echo, envs.DrawsInConstructor])
def test_a_seed_says_all(task: type[TrialEnv]) -> None:
    one, again, other = (build_step_bank(EnvSource(task), 6, seed) for seed in (1, 1, 2))
    assert one.digest == again.digest
    assert one.digest != other.digest


def test_a_longer_bank_begins_like_a_shorter_one() -> None:
    short, long = (build_step_bank(EnvSource(envs.Echo), number, 1) for number in (3, 9))
    assert np.array_equal(short.observation_MTI, long.observation_MTI[:3])
    assert np.array_equal(short.reward_MTO, long.reward_MTO[:3])


def test_building_leaves_global_randomness_as_it_was() -> None:
    np.random.seed(5)
    expected = np.random.rand(3)
    np.random.seed(5)
    build_step_bank(EnvSource(envs.Echo), 2, 1)
    assert np.array_equal(np.random.rand(3), expected)


@pytest.mark.parametrize("task", [envs.PaysByStep, envs.PaysRarely])
def test_steps_that_do_not_pay_alike_are_all_probed(task: type[TrialEnv]) -> None:
    source = EnvSource(task)
    bank = build_step_bank(source, 20, 1)
    assert bank.digest == build_step_bank(source, 20, 1, thorough=True).digest
    assert [find_difference(source, bank, 1, policy) for policy in POLICIES] == [None] * 3


REFUSED: list[tuple[type[TrialEnv], str, str, bool]] = [
    (envs.Untimed, "no timing", "timing", False),
    (envs.BoxActions, "actions", "Box", False),
    (envs.DictActions, "actions", "Dict", False),
    (envs.Image, "observations", "one axis", False),
    (envs.TooShort, "no steps", "rounded down", False),
    (envs.Endless, "endless", "at most 10000", False),
    (envs.RaisesInMidTrial, "raises", "step 7.*the lever broke.*small_envs.py", False),
    (envs.RaisesWhenDrawn, "raises", "out of stimuli", False),
    (envs.ShowsNan, "not finite", "NaN", False),
    (envs.PaysNan, "not finite", r"step\(2\).*pays nan", False),
    (envs.Grows, "size changes", r"\(4,\)", False),
    (envs.Terminates, "ends the episode", "new_trial", False),
    (envs.NoStepOfItsOwn, "cannot be made", "time step is 100 ms, not 20 ms", False),
    (envs.GoesOnUnseen, "observation depends on history", "after step 7", True),
    (envs.ShowsItsAction, "observation depends on action", "after step 0", True),
    (envs.RemembersInAttribute, "keeps state", "'chosen'", True),
    (envs.RemembersInList, "keeps state", "history", True),
    (envs.RemembersInClass, "keeps state", "count_in_class", True),
    (envs.PaysByChance, "reward is random", "_new_trial", True),
    (envs.PaysByNormal, "reward is random", "_new_trial", True),
    (envs.PaysByGlobalChance, "reward is random", "_new_trial", True),
    (envs.AsksForTheImpossible, "ground truth", r"\[3\].*0 to 2", True),
]


@pytest.mark.parametrize(
    ("task", "reason", "detail", "steppable"),
    REFUSED,
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_what_does_not_fit_is_refused(
    task: type[TrialEnv], reason: str, detail: str, steppable: bool
) -> None:
    with pytest.raises(Unbankable, match=detail) as caught:
        build_step_bank(EnvSource(task), 6, 1)
    assert caught.value.refusal.reason == reason
    assert caught.value.refusal.can_be_stepped == steppable
    assert task.__name__ in str(caught.value)


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        (envs.Staircase, "next trial depends on action"),
        (envs.DrawsFromTheClock, "not reproducible"),
        (envs.RemembersInList, "keeps state"),
    ],
)
def test_examination_sees_beyond_a_trial(task: type[TrialEnv], reason: str) -> None:
    found = examine(EnvSource(task), 12)
    assert isinstance(found, Refusal)
    assert found.reason == reason


def test_examination_hands_out_a_sound_bank() -> None:
    found = examine(EnvSource(envs.Echo), 12)
    assert not isinstance(found, Refusal)
    assert found.bank.digest == build_step_bank(EnvSource(envs.Echo), 12, 0).digest


def test_no_trials_and_unknown_ids_are_refused() -> None:
    with pytest.raises(UsageError, match="num_trials is 0"):
        build_step_bank(EnvSource(envs.Echo), 0, 1)
    with pytest.raises(UsageError, match=r"did you mean 'yang19\.dms-v0'"):
        build_step_bank(EnvSource("yang19.dsm-v0"), 1, 1)
