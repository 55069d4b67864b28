from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import neurogym
import numpy as np
import pytest

from evoplastic.checks import EnvironmentFault, UsageError
from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.conformance import POLICIES, find_difference
from tasks.neurogym.environments import EnvSource
from tasks.neurogym.stepping import oracle, play
from tasks.two_stimulus.env import TwoStimulusEnv, bank_from_env, env_id, register_environments
from tasks.two_stimulus.task import (
    CONDITIONS,
    NAMES,
    PERIODS_MS,
    TABLES,
    TwoStimulusTask,
    truth_table,
)

DMS = env_id("dms")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("table", TABLES)
def test_bank_is_the_environment_bit_for_bit(name: str, table: str) -> None:
    ours, theirs = TwoStimulusTask(name, table).trials(), bank_from_env(name, table)
    for field in ("observation_VI", "target_action_V", "flags_V", "reward_VO", "next_VO", "kind_M"):
        one, other = getattr(ours, field), getattr(theirs, field)
        assert one.dtype == other.dtype, field
        assert one.tobytes() == other.tobytes(), field
    assert ours.timing == theirs.timing
    assert ours.digest == theirs.digest


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("table", TABLES)
def test_oracle_earns_every_reward(name: str, table: str) -> None:
    played = play(env_id(name), oracle, seed=0, num_trials=8, table=table)
    assert played.correct_K.all()
    assert played.reward_K.tolist() == [1.0] * 8
    assert played.performance_K.tolist() == [1.0] * 8


@pytest.mark.parametrize("name", ["dms", "and", "nor"])
@pytest.mark.parametrize("action", [0, 1])
def test_constant_policy_scores_the_marginal_of_its_answer(name: str, action: int) -> None:
    played = play(env_id(name), lambda _env: action, seed=4, num_trials=400)
    expected = np.mean(np.array(truth_table(name)) == action)
    four_sd = 4 * np.sqrt(expected * (1 - expected) / 400)
    assert abs(played.correct_K.mean() - expected) < four_sd
    assert np.array_equal(played.reward_K, played.correct_K)


def test_random_policy_is_at_chance_and_paid_for_what_is_correct() -> None:
    choices = np.random.default_rng(1)
    played = play(DMS, lambda _env: int(choices.integers(2)), seed=2, num_trials=400)
    assert abs(played.correct_K.mean() - 0.5) < 4 * np.sqrt(0.25 / 400)
    assert np.array_equal(played.reward_K, played.correct_K)
    assert np.array_equal(played.performance_K, played.correct_K)


def test_reward_comes_once_at_the_end_of_the_response() -> None:
    played = play(DMS, oracle, seed=0, num_trials=3)
    first_step = 1  # reset takes the first step of the first trial
    steps = np.flatnonzero(played.reward_S) + first_step
    assert steps.tolist() == [34, 84, 134]


@pytest.mark.parametrize(("right_at_the_end", "reward"), [(True, 1.0), (False, 0.0)])
def test_only_the_last_action_of_the_response_counts(right_at_the_end: bool, reward: float) -> None:
    def change_of_mind(env: Any) -> int:
        return oracle(env) if (env.t_ind == 34) == right_at_the_end else 1 - oracle(env)

    assert play(DMS, change_of_mind, seed=0, num_trials=5).reward_K.tolist() == [reward] * 5


def test_every_trial_lasts_50_steps() -> None:
    played = play(DMS, oracle, seed=0, num_trials=5)
    assert len(played.reward_S) == 5 * 50 - 1


def test_the_answer_may_end_the_trial() -> None:
    played = play(DMS, oracle, seed=0, num_trials=5, answer_ends_trial=True)
    assert len(played.reward_S) == 5 * 35 - 1
    assert played.reward_K.tolist() == [1.0] * 5
    source = EnvSource(DMS, {"answer_ends_trial": True})
    bank = build_step_bank(source, 20, 1)
    assert set(bank.num_steps_M) == {35}
    assert sorted(set(bank.answer_M)) == [0, 1]
    for policy in POLICIES:
        assert find_difference(source, bank, 1, policy) is None


def test_ground_truth_is_asked_in_the_response_period_only() -> None:
    env = neurogym.make(env_id("nand")).unwrapped
    env.new_trial(stimulus1=0, stimulus2=0)
    assert np.flatnonzero(env.gt).tolist() == list(range(25, 35))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_trial_tells_its_condition(condition: tuple[int, int]) -> None:
    env = neurogym.make(DMS).unwrapped
    first, second = condition
    assert env.new_trial(stimulus1=first, stimulus2=second) == {
        "stimulus1": first,
        "stimulus2": second,
        "kind": 2 * first + second,
        "ground_truth": int(first == second),
    }


def test_periods_are_the_named_milliseconds() -> None:
    env = neurogym.make(DMS).unwrapped
    env.new_trial()
    starts = np.cumsum([0, *PERIODS_MS.values()])
    for name, start, stop in zip(PERIODS_MS, starts[:-1], starts[1:], strict=True):
        assert (env.start_t[name], env.end_t[name]) == (start, stop)
    assert env.tmax == 1000


def test_spaces_hold_what_is_shown_and_asked() -> None:
    env = neurogym.make(DMS)
    observation, _ = env.reset()
    assert env.observation_space.shape == (2,)
    assert env.action_space.n == 2
    for _ in range(60):
        assert env.observation_space.contains(observation)
        observation, *_ = env.step(env.action_space.sample())


def test_fresh_environments_with_one_seed_are_alike_step_by_step() -> None:
    first, again = (play(DMS, oracle, seed=11, num_trials=30) for _ in range(2))
    for field in first._fields:
        assert np.array_equal(getattr(first, field), getattr(again, field)), field


def test_seeds_draw_different_trials() -> None:
    one, other = (play(DMS, oracle, seed=seed, num_trials=30) for seed in (1, 2))
    assert not np.array_equal(one.observation_SI, other.observation_SI)


def test_conditions_are_drawn_evenly() -> None:
    env = neurogym.make(DMS).unwrapped
    env.seed(5)
    kinds = [env.new_trial()["kind"] for _ in range(1000)]
    counts = np.bincount(kinds, minlength=4)
    assert (np.abs(counts - 250) < 4 * np.sqrt(1000 * 0.25 * 0.75)).all()


def test_finer_steps_keep_the_milliseconds() -> None:
    env = neurogym.make(DMS, dt=10).unwrapped
    env.new_trial()
    assert (env.start_ind["response"], env.end_ind["response"], len(env.ob)) == (50, 70, 100)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TwoStimulusEnv("dsm"), "did you mean 'dms'"),
        (lambda: TwoStimulusEnv("dms", table="public"), "did you mean 'published'"),
        (lambda: TwoStimulusEnv("dms", dt=100), "dt = 100 ms does not divide the periods"),
        (lambda: TwoStimulusEnv("dms").new_trial(stimulus3=1), "unknown trial setting"),
    ],
)
def test_bad_settings_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


def test_docstring_shows_both_truth_tables() -> None:
    text = " ".join(str(TwoStimulusEnv.__doc__).split())
    intended, published = text.split("with table=")
    for name in NAMES:
        assert f"{name} {''.join(map(str, truth_table(name)))}" in intended
    for name in ("anti10", "nor"):
        assert f"{name} {''.join(map(str, truth_table(name, 'published')))}" in published


def test_registering_again_changes_nothing() -> None:
    before = dict(gymnasium.envs.registration.registry)
    register_environments()
    assert gymnasium.envs.registration.registry == before


def test_an_id_that_belongs_to_somebody_else_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = gymnasium.envs.registration.EnvSpec(id=DMS, entry_point="elsewhere:Env")
    monkeypatch.setitem(gymnasium.envs.registration.registry, DMS, foreign)
    with pytest.raises(EnvironmentFault, match="already registered to elsewhere:Env"):
        register_environments()
