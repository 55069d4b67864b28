"""State machines: trials by a plain interpreter, target actions, what varies, what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evoplastic.checks import UsageError
from evoplastic.trials.timing import ANSWER, HOLD, UNSCORED
from tasks.baselines.levels import best_fixed, chance, oracle
from tasks.machines.draws import draw
from tasks.machines.state_machine import (
    ProbabilityVariable,
    RewardRule,
    StateMachine,
    StateVariable,
)
from tasks.machines.states import machine_nodes, realise
from tests.tasks.machines.machines import (
    HARLOW,
    MACHINES,
    META_RL,
    T_MAZE,
    expected_best,
    interpret,
    moves,
)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_nodes_say_what_an_interpreter_of_the_rules_does(machine: StateMachine) -> None:
    draws = draw(machine, 40, 3)
    bank = realise(machine, draws)
    rng = np.random.default_rng(0)
    for trial in range(40):
        for _ in range(8):
            actions = [int(a) for a in rng.integers(machine.num_actions, size=machine.num_steps)]
            node = int(bank.first_M[trial])
            for step, taken in enumerate(interpret(machine, draws, trial, actions)):
                assert node >= 0
                assert np.array_equal(bank.observation_VI[node], taken.observation_I)
                assert bank.reward_VO[node, actions[step]] == np.float32(taken.reward)
                node = int(bank.next_VO[node, actions[step]])
                assert (node < 0) == taken.over


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_what_is_asked_earns_in_the_mean_the_best_that_can_be_expected(
    machine: StateMachine,
) -> None:
    machine = replace(machine, instance_trials=10_000, switch=0.0)
    for seed in (1, 2, 3):
        draws = draw(machine, 10_000, seed)
        bank = realise(machine, draws)
        expected = expected_best(machine, draws, 0)
        assert oracle(bank).reward == pytest.approx(expected, abs=4 / 10_000**0.5)
        assert oracle(bank).reward > chance(bank).reward + 0.04


def test_levels_of_known_tasks() -> None:
    maze = machine_nodes(T_MAZE, 1000, 1)
    assert oracle(maze) == (1.0, 1.0)
    assert chance(maze) == pytest.approx((0.5, 0.5))
    harlow = machine_nodes(HARLOW, 6000, 1)
    assert oracle(harlow) == (1.0, 1.0)
    assert chance(harlow) == pytest.approx((0.25, 0.25))  # half of the trials never leave fixation
    assert best_fixed(harlow)[1] == pytest.approx((0.5, 0.5), abs=0.04)


def test_parts_tell_holding_from_answering() -> None:
    bank = machine_nodes(HARLOW, 6, 1)
    assert bank.flags_V[bank.first_M].tolist() == [HOLD] * 6
    assert bank.target_action_V[bank.first_M].tolist() == [0] * 6
    layouts = bank.observation_VI[:, 0] == 0
    assert (bank.flags_V[layouts] == ANSWER).all()
    maze = machine_nodes(T_MAZE, 5, 1)
    assert (maze.flags_V[maze.first_M] == UNSCORED).all()  # in the stem all actions are alike


def test_variables_stay_for_an_instance_and_differ_between_instances() -> None:
    draws = draw(META_RL, 400, 1)
    for values_MX in (draws.probability_MX, draws.stimulus_MX):
        per_instance = values_MX.reshape(100, 4, -1)
        assert (per_instance == per_instance[:, :1]).all()
        assert len(np.unique(per_instance[:, 0])) >= 3
    switches = (
        draws.state_MX.reshape(100, 4)[:, 1:] != draws.state_MX.reshape(100, 4)[:, :-1]
    ).mean()
    assert switches == pytest.approx(0.2, abs=0.12)
    harlow = draw(HARLOW, 600, 1)
    assert set(harlow.state_MX.ravel()) == {1, 2}
    assert (harlow.stimulus_MX[:, 0] != harlow.stimulus_MX[:, 1]).all()


def test_whole_instances_from_seed_and_number_alone() -> None:
    short, long, other = (machine_nodes(META_RL, *each) for each in ((9, 1), (30, 1), (9, 2)))
    assert (len(short.first_M), short.block) == (12, 4)
    stop = int(long.first_M[12])
    assert np.array_equal(short.observation_VI, long.observation_VI[:stop])
    assert np.array_equal(short.next_VO, long.next_VO[:stop])
    assert short.digest != other.digest
    assert short.digest == machine_nodes(META_RL, 9, 1).digest


def test_draws_are_uniform() -> None:
    draws = draw(META_RL, 4000, 5)
    for values in (draws.moves_MTSO, draws.pays_MTS):
        assert 0.0 <= values.min() < 1e-3
        assert 1.0 - 1e-3 < values.max() < 1.0
        assert values.mean() == pytest.approx(0.5, abs=0.005)
        assert values.var() == pytest.approx(1 / 12, abs=0.002)


def test_a_state_is_shown_for_a_while_and_acts_at_its_last_step() -> None:
    plain = machine_nodes(HARLOW, 12, 1)
    slow = machine_nodes(replace(HARLOW, dwell_steps=3), 12, 1)
    assert slow.num_steps == 3 * plain.num_steps
    assert (oracle(slow), chance(slow)) == (oracle(plain), chance(plain))
    waiting = np.arange(len(slow.target_action_V)) % 3 != 2
    assert (slow.flags_V[waiting] == UNSCORED).all()
    assert not slow.reward_VO[waiting].any()
    assert np.array_equal(slow.observation_VI, plain.observation_VI.repeat(3, axis=0))
    assert np.array_equal(slow.target_action_V[~waiting], plain.target_action_V)


def test_stated_actions_are_asked_whatever_they_earn() -> None:
    draws = draw(T_MAZE, 1000, 1)
    stubborn = realise(replace(T_MAZE, target_actions=(None, 1, None, None)), draws)
    assert oracle(stubborn) == (1.0, (draws.state_MX == 3).mean())


def test_equal_arms_ask_for_nothing_and_two_best_arms_are_both_right() -> None:
    def bandit(*probabilities: float) -> StateMachine:
        rules = (RewardRule(action=a, probability=p) for a, p in enumerate(probabilities))
        return StateMachine(
            name="bandit",
            transition_SOS=np.ones((1, len(probabilities), 1)),
            stimuli=(None,),
            code_YI=np.zeros((0, 1), dtype=np.float32),
            rewards=tuple(rules),
            num_steps=1,
        )

    assert not machine_nodes(bandit(0.5, 0.5), 3, 1).has_answers
    both = machine_nodes(bandit(0.1, 0.9, 0.9), 3, 1)
    assert both.target_action_V.tolist() == [1] * 3
    assert chance(both).accuracy == pytest.approx(2 / 3)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "shape": ({"transition_SOS": np.ones((2, 2, 3))}, r"expected \(S, O, S\)"),
    "sums": ({"transition_SOS": 0.5 * T_MAZE.transition_SOS}, "add up to 1"),
    "stimuli": ({"stimuli": (0,)}, "1 stimuli for 4 states"),
    "stimulus": ({"stimuli": (0, 1, 2, None)}, r"stimuli .* hold \[2\], expected 0 to 1"),
    "steps": ({"num_steps": 0}, "num_steps .* is 0"),
    "switch": ({"switch": 1.5}, "expected a probability"),
    "target_actions": ({"target_actions": (0, 1)}, "expected an action or None for each"),
    "action": ({"rewards": (RewardRule(action=2),)}, "actions of rules"),
    "state": ({"ends": (4,)}, "ends and holds"),
    "no variable": ({"rewards": (RewardRule(new=StateVariable(1)),)}, "state variables"),
    "no chance": (
        {"rewards": (RewardRule(probability=ProbabilityVariable(0)),)},
        "probability variables",
    ),
    "odds": ({"rewards": (RewardRule(probability=1.2),)}, r"\[1.2\], expected 0 to 1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_parts_that_contradict_each_other_are_refused(case: str) -> None:
    changes, message = REFUSED[case]
    with pytest.raises(UsageError, match=message):
        replace(T_MAZE, **changes)


def test_a_table_of_moves_is_what_tests_say_it_is() -> None:
    assert moves(({0: 1.0}, {0: 1.0})).shape == (1, 2, 1)
    with pytest.raises(UsageError, match="num_trials is 0"):
        machine_nodes(T_MAZE, 0, 1)
