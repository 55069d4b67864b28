"""The best adaptive policy: closed forms, a plain recursion over beliefs, and bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasks.baselines.levels import best_fixed, chance, oracle
from tasks.machines.adaptive.exact import exact_adaptive
from tasks.machines.adaptive.level import adaptive_level
from tasks.machines.adaptive.sampling import play
from tasks.machines.metatasks.finding import find_meta_task
from tasks.machines.metatasks.form import MetaTask
from tasks.machines.metatasks.writing import to_plain
from tasks.machines.states import machine_nodes
from tests.tasks.machines.metatasks.worlds import fits, random_worlds


def named(name: str, **settings: Any) -> MetaTask:
    return find_meta_task(f"meta/{name}", settings)


def test_two_pulls_of_a_bandit_in_closed_form() -> None:
    """A first pull pays 1/2. After success, and with opposed odds after failure, the better arm has
    odds of 2/3; after failure of one of two independent arms the other has 1/2."""
    for name, second in (
        ("independent-bandit", 0.5 * 2 / 3 + 0.5 * 1 / 2),
        ("dependent-bandit", 2 / 3),
    ):
        machine = named(name, instance_trials=2).machine()
        assert exact_adaptive(machine) == pytest.approx((0.5 + second) / 2, abs=1e-12)


def test_one_look_is_enough_in_a_maze() -> None:
    for trials in (1, 4):
        machine = named("t-maze", instance_trials=trials).machine()
        assert exact_adaptive(machine) == pytest.approx((0.5 + trials - 1) / trials, abs=1e-12)


def by_recursion(task: MetaTask) -> float:
    """From the words of a meta-task whose only variable is a state, belief by belief."""
    plain = to_plain(task)
    states, ends = plain["states"], plain.get("ends", [])
    ((name, values),) = plain["variables"]["states"].items()
    T, K = task.num_steps, task.instance_trials

    def odds(value: str, old: str, action: str, new: str, flag: str) -> tuple[float, float]:
        found = (0.0, 0.0)
        for rule in plain["rewards"]:
            if fits(rule, old, action, new, flag, {f"${name}": value}):
                found = (rule["probability"], rule["value"])
        return found

    def leads(old: str, action: str) -> dict[str, float]:
        row = task.transitions[states.index(old)][task.actions.index(action)]
        return {new: chance for new, chance in zip(states, row, strict=True) if chance}

    def worth(k: int, t: int, old: str, flag: str, belief: tuple[float, ...]) -> float:
        if k == K:
            return 0.0
        return max(value(k, t, old, flag, belief, action) for action in task.actions)

    def value(k: int, t: int, old: str, flag: str, belief: tuple[float, ...], action: str) -> float:
        total = 0.0
        for new, likely_new in leads(old, action).items():
            after = flag
            for rule in plain.get("flags", []):
                if fits(rule, old, action, new, flag, {}):
                    after = rule["set"]
            after = "down" if new == states[0] else after
            told: dict[tuple[float, bool], list[float]] = {}
            for h, each in enumerate(values):
                probability, reward = odds(each, old, action, new, flag)
                over = any(end in (new, f"${name}") and new in (end, each) for end in ends)
                for paid, likely in ((reward, probability), (0.0, 1 - probability)):
                    shares = told.setdefault((paid, over), [0.0] * len(values))
                    shares[h] += belief[h] * likely
            for (paid, over), shares in told.items():
                mass = sum(shares)
                if mass < 1e-12:
                    continue
                later = tuple(share / mass for share in shares)
                onward = (
                    worth(k + 1, 0, states[0], "down", later)
                    if over or t + 1 == T
                    else worth(k, t + 1, new, after, later)
                )
                total += likely_new * mass * (paid + onward)
        return total

    return worth(0, 0, states[0], "down", (1 / len(values),) * len(values)) / K


def test_beliefs_by_recursion() -> None:
    tasks = [named("two-step", instance_trials=3), named("t-maze", instance_trials=3)]
    tasks += [named("find-the-spot", instance_trials=1, trial_steps=3)]
    for _, task in random_worlds(30):
        told = tuple(range(len(task.states)))
        hidden = any(not isinstance(s, int) for rule in task.flags for s in (rule.old, rule.new))
        if len(task.state_variables) == 1 and not task.probability_variables and not hidden:
            changed = {"stimuli": told, "stimulus_variables": (), "stimulus_pool": ()}
            tasks.append(
                replace(task, **changed, switch=0.0, instance_trials=2, trial_steps=2)  # type: ignore[arg-type]
            )
    assert len(tasks) >= 5
    for task in tasks:
        assert exact_adaptive(task.machine()) == pytest.approx(by_recursion(task), abs=1e-9)


@pytest.mark.parametrize("name", ["t-maze", "two-step", "dependent-bandit"])
def test_players_stay_below_what_is_best_and_above_who_learns_nothing(name: str) -> None:
    machine = named(name).machine()
    best = exact_adaptive(machine)
    assert best is not None
    bank = machine_nodes(machine, 60 * machine.instance_trials, 3)
    for policy in ("sampled", "mean"):
        found = play(machine, policy, 60, seed=5)
        assert found.reward < best + 4 * found.standard_error
        assert found.reward > max(chance(bank).reward, best_fixed(bank)[1].reward) + 0.05
    assert oracle(bank).reward > best - 0.05


def test_players_learn_what_pictures_mean_and_when_odds_turn() -> None:
    harlow = adaptive_level(named("harlow").machine(), tried=20, measured=60)
    assert harlow is not None
    assert harlow.how == "at least"
    assert harlow.reward == pytest.approx(0.95, abs=0.03)  # a guess, then all is known
    turning = play(named("reversal-bandit").machine(), "mean", 60, seed=2)
    assert turning.reward > 0.62  # best fixed: 0.5


def test_machines_with_nothing_to_find_out_have_no_such_level() -> None:
    task = replace(named("t-maze"), rewards=(), state_variables=())
    assert adaptive_level(task.machine()) is None
