"""Known tasks in the language of state machines, and a plain interpreter of that language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tasks.machines.draws import Draws
from tasks.machines.state_machine import (
    ANY,
    FlagRule,
    ProbabilityVariable,
    RewardRule,
    StateMachine,
    StateVariable,
    StimulusVariable,
)


def moves(*rows: tuple[dict[int, float], dict[int, float]]) -> np.ndarray:
    """A transition table from the successors of each state by both actions."""
    table = np.zeros((len(rows), 2, len(rows)))
    for state, row in enumerate(rows):
        for action, successors in enumerate(row):
            for new, probability in successors.items():
                table[state, action, new] = probability
    return table


# the stem leads to the junction, the junction to an arm; one of them pays throughout an instance
T_MAZE = StateMachine(
    name="t-maze",
    transition_SOS=moves(({1: 1}, {1: 1}), ({2: 1}, {3: 1}), ({0: 1}, {0: 1}), ({0: 1}, {0: 1})),
    stimuli=(0, 1, None, None),
    code_YI=np.eye(2, dtype=np.float32),
    rewards=(RewardRule(new=StateVariable(0)),),
    num_steps=2,
    ends=(2, 3),
    state_ranges=((2, 3),),
    instance_trials=5,
)

# after fixation one of two layouts of two new objects; in each the same object pays, so the side
# that pays differs between layouts
HARLOW = StateMachine(
    name="harlow",
    transition_SOS=moves(({1: 0.5, 2: 0.5}, {0: 1}), ({0: 1}, {0: 1}), ({0: 1}, {0: 1})),
    stimuli=(0, StimulusVariable(0), StimulusVariable(1)),
    code_YI=np.eye(8, dtype=np.float32),
    rewards=(
        RewardRule(old=1, action=1),
        RewardRule(old=2, action=1),
        RewardRule(old=StateVariable(0), action=1, value=0.0),
        RewardRule(old=StateVariable(0), action=0),
    ),
    num_steps=2,
    holds=(0,),
    state_ranges=((1, 2),),
    stimulus_pool=(1, 2, 3, 4, 5, 6, 7),
    instance_trials=6,
)

# fetch the key from a place that varies, then pay at the door; two doors, of opposed odds
META_RL = StateMachine(
    name="meta-rl",
    transition_SOS=moves(
        ({1: 0.75, 2: 0.25}, {2: 0.75, 1: 0.25}),
        ({3: 1}, {0: 1}),
        ({0: 0.5, 3: 0.3, 2: 0.2}, {1: 1}),
        ({0: 1}, {2: 1}),
    ),
    stimuli=(0, 1, StimulusVariable(0), None),
    code_YI=np.eye(5, dtype=np.float32),
    rewards=(
        RewardRule(old=1, probability=0.1, value=0.5),
        RewardRule(old=3, action=0, probability=ProbabilityVariable(0), flag=1),
        RewardRule(old=3, action=1, probability=ProbabilityVariable(0, complement=True), flag=1),
        RewardRule(old=2, new=0, value=-0.25),
    ),
    flags=(FlagRule(new=StateVariable(0)), FlagRule(old=2, action=1, value=0)),
    num_steps=7,
    state_ranges=((1, 2),),
    probability_ranges=((0.1, 0.9),),
    stimulus_pool=(2, 3, 4),
    switch=0.2,
    instance_trials=4,
)
MACHINES = (T_MAZE, HARLOW, META_RL)


class Taken(NamedTuple):
    """One step of a trial, as the interpreter lives it."""

    observation_I: np.ndarray
    reward: float
    over: bool


def interpret(
    machine: StateMachine, draws: Draws, trial: int, actions: list[int]
) -> Iterator[Taken]:
    """Live one trial by the rules, one after the other."""

    def is_state(state: int | StateVariable, here: int) -> bool:
        if isinstance(state, StateVariable):
            return bool(draws.state_MX[trial, state.number] == here)
        return state in (ANY, here)

    state, flag = 0, 0
    for step, action in enumerate(actions):
        stimulus = machine.stimuli[state]
        if isinstance(stimulus, StimulusVariable):
            stimulus = int(draws.stimulus_MX[trial, stimulus.number])
        shown = 0 * machine.code_YI[0] if stimulus is None else machine.code_YI[stimulus]
        row = machine.transition_SOS[state, action]
        u, new = draws.moves_MTSO[trial, step, state, action], -1
        for likely in sorted(range(len(row)), key=lambda s: (-row[s], s)):
            new, u = likely, u - row[likely]
            if u < 0:
                break
        reward = 0.0
        for rule in machine.rewards:
            fits = is_state(rule.old, state) and is_state(rule.new, new)
            if fits and rule.action in (ANY, action) and rule.flag in (ANY, flag):
                odds = rule.probability
                if isinstance(odds, ProbabilityVariable):
                    value = float(draws.probability_MX[trial, odds.number])
                    odds = 1.0 - value if odds.complement else value
                reward = rule.value if draws.pays_MTS[trial, step, new] < odds else 0.0
        for each in machine.flags:
            fits = is_state(each.old, state) and is_state(each.new, new)
            if fits and each.action in (ANY, action):
                flag = each.value
        state, flag = new, flag if new else 0
        over = new in machine.ends or step + 1 == machine.num_steps
        yield Taken(shown, reward, over)
        if over:
            return


def expected_best(machine: StateMachine, draws: Draws, trial: int) -> float:
    """What a trial is worth to who knows its variables, by trying everything."""

    def worth(step: int, state: int, flag: int) -> float:
        return max(value(step, state, flag, action) for action in range(machine.num_actions))

    def value(step: int, state: int, flag: int, action: int) -> float:
        total = 0.0
        for new, probability in enumerate(machine.transition_SOS[state, action]):
            if probability:
                total += probability * after(step, state, flag, action, new)
        return total

    def after(step: int, state: int, flag: int, action: int, new: int) -> float:
        def fits(rule: RewardRule | FlagRule) -> bool:
            places = ((rule.old, state), (rule.new, new))
            return rule.action in (ANY, action) and all(
                draws.state_MX[trial, wanted.number] == here
                if isinstance(wanted, StateVariable)
                else wanted in (ANY, here)
                for wanted, here in places
            )

        paid = 0.0
        for rule in machine.rewards:
            if fits(rule) and rule.flag in (ANY, flag):
                odds = rule.probability
                if isinstance(odds, ProbabilityVariable):
                    drawn = float(draws.probability_MX[trial, odds.number])
                    odds = 1.0 - drawn if odds.complement else drawn
                paid = odds * rule.value
        for each in machine.flags:
            flag = each.value if fits(each) else flag
        if new in machine.ends or step + 1 == machine.num_steps:
            return paid
        return paid + worth(step + 1, new, flag if new else 0)

    return worth(0, 0, 0)
