"""Self-paced runs with known numbers: levels differ by task, some tasks have no answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from evoplastic.records.events import EndEvent, EvaluationEvent, Event, TaskEvaluation
from evoplastic.records.names import Condition, Role
from tests.analysis import runs


class FreeTask(NamedTuple):
    """A task with its levels; accuracy is None where nothing counts as correct."""

    name: str
    role: Role
    chance: float | None
    fixed_policy: float | None
    pay: float = 1.0  # reward of a correct trial

    @property
    def reward_levels(self) -> tuple[float, float, float]:
        """Chance, best fixed policy, oracle."""
        return -0.1 * self.pay, 0.3 * self.pay, self.pay


LONG = FreeTask("PerceptualDecisionMakingDelayResponse-v0", "held_out", 0.02, 0.5)
TWO = (
    FreeTask("yang19.go", "train", 0.0625, 0.125),
    FreeTask("yang19.ctxdlydm1", "held_out", 0.03, 0.25),
)
BANDIT = FreeTask("Bandit-v0", "train", None, None, pay=20.0)


def many(num_train: int, num_held_out: int) -> tuple[FreeTask, ...]:
    """Tasks with long names and different levels; the second one of each role has no answers."""
    tasks = []
    roles: list[tuple[Role, int]] = [("train", num_train), ("held_out", num_held_out)]
    for role, number in roles:
        for place in range(number):
            name = f"yang19.{'ctxdly' if place % 3 else 'multidlydm'}{place}{role[0]}"
            if place == 1:
                tasks.append(BANDIT._replace(name=f"Bandit{role[0]}-v0", role=role))
            else:
                tasks.append(FreeTask(name, role, 0.03 + 0.02 * (place % 9), 0.2 + 0.02 * place))
    return tasks[-1]._replace(name=LONG.name), *tasks[:-1]


def lived(
    task: FreeTask, condition: Condition, skill: float, lifetimes: int = 8, curve: bool = True
) -> TaskEvaluation:
    """Lifetimes whose accuracy lies evenly around `skill`, of the way from chance to certainty."""
    chance = task.chance if task.chance is not None else 0.0
    spread = np.linspace(-0.1, 0.1, lifetimes) if lifetimes > 1 else np.zeros(1)
    accuracy = np.clip(chance + (1 - chance) * (skill + spread), 0, 1)
    reward_chance, reward_fixed, oracle = task.reward_levels
    reward = reward_chance + (oracle - reward_chance) * (skill + spread)
    rise = 1 - np.exp(-np.arange(runs.NUM_TRIALS) / 12)
    correct = np.clip(chance + (1 - chance) * skill * rise, 0, 1)
    answered = task.chance is not None
    return TaskEvaluation(
        task=task.name,
        role=task.role,
        condition=condition,
        accuracy=tuple(accuracy.tolist()) if answered else (),
        loss_mean=0.25,
        chance=task.chance,
        fixed_policy_level=task.fixed_policy,
        curve=tuple(correct.tolist()) if curve and answered else None,
        reward=tuple(reward.tolist()),
        reward_chance=reward_chance,
        reward_fixed_policy=reward_fixed,
        reward_oracle=oracle,
        reward_curve=tuple((reward_chance + (oracle - reward_chance) * skill * rise).tolist())
        if curve
        else None,
    )


def session(tasks: Sequence[FreeTask], generation: int, skill: float) -> EvaluationEvent:
    """All tasks with controls and curves; the n-th task is a little harder than the one before."""
    skills = {"plastic": skill, "plasticity_off": 0.05, "random_genome": 0.12}
    conditions: tuple[Condition, ...] = ("plastic", "plasticity_off", "random_genome")
    entries = (
        lived(task, condition, skills[condition] * (1 - 0.3 * place / len(tasks)))
        for condition in conditions
        for place, task in enumerate(tasks)
    )
    return runs.evaluation(generation, *entries)


def middle(tasks: Sequence[FreeTask], generation: int, skill: float) -> EvaluationEvent:
    """All tasks without controls and curves."""
    return runs.evaluation(
        generation, *(lived(task, "plastic", skill, curve=False) for task in tasks)
    )


def whole_run(tasks: Sequence[FreeTask], seed: int = 5, shift: float = 0.0) -> list[Event]:
    """Forty generations, evaluated every ten."""
    return [
        runs.start(seed, f"free-{seed}"),
        session(tasks, 0, 0.12),
        middle(tasks, 10, 0.3 + shift),
        middle(tasks, 20, 0.5 + shift),
        middle(tasks, 30, 0.6 + shift),
        session(tasks, 40, 0.7 + shift),
        EndEvent(time_ms=9_000, generation=40, status="done"),
    ]


def families() -> EvaluationEvent:
    """Two meta-tasks of the family maze, and two of the family half, one without a level."""
    lived = session(TWO, 0, 0.5)
    entries = [
        replace(
            e,
            task=task,
            group="maze",
            accuracy=(),
            curve=None,
            reward=(0.5, 0.7),
            reward_chance=0.2,
            reward_adaptive=1.0,
        )
        for e in lived.entries
        for task in ("one", "two")
        if e.role == "held_out"
    ]
    entries += [
        replace(entries[0], group="half", task="three"),
        replace(entries[0], group="half", task="four", reward_adaptive=None),
    ]
    return replace(lived, entries=tuple(entries))
