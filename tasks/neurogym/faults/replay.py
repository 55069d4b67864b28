"""Draw one trial of a task again, by the number of the draw and the seed, and try all of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from evoplastic.checks import require
from evoplastic.trials.table import MAX_TRIAL_STEPS
from tasks.neurogym.environments import TRIALS, EnvSource, isolated
from tasks.neurogym.faults.raised import CODE_FAULTS, Raised, raised
from tasks.neurogym.object_graph import trial_envs
from tasks.neurogym.probing import NoNextTrial
from tasks.neurogym.refusals import Unbankable
from tasks.neurogym.stepped_life import SteppedLife
from tasks.neurogym.trial_cells import set_clock

MOST_TRIALS = 1_000_000


def replay_trial(source: EnvSource, seed: int, trial: int) -> Raised | int:
    """What a trial raises when it is drawn, or at one of its steps; else the number of its steps.

    Each action is tried at each step. For an environment whose steps draw random numbers or leave
    something behind, `replay_life` is the way.

    Raises:
        UsageError: the task cannot be made, or there are not that many trials.
    """
    require(trial < MOST_TRIALS, f"--trial is {trial}, expected less than {MOST_TRIALS}")
    top = source.make(seed)
    with isolated(seed, TRIALS):
        for _ in range(trial):
            with suppress(*CODE_FAULTS):
                top.new_trial()
        try:
            top.new_trial()
        except CODE_FAULTS as error:
            return raised(trial, "new_trial()", error)
        return _steps(top, trial)


def _steps(top: Any, trial: int) -> Raised | int:
    env = top.unwrapped
    for each in trial_envs(top):
        each._top = NoNextTrial()
    num_steps = min(int(env.tmax // env.dt), MAX_TRIAL_STEPS)
    for step in range(num_steps):
        ends = []
        for action in range(int(top.action_space.n)):
            set_clock(env, step * env.dt, step)
            try:
                ends.append(bool(top.step(action)[4]["new_trial"]))
            except CODE_FAULTS as error:
                return raised(trial, f"step({action}) at step {step}", error)
        if all(ends):
            return step + 1
    return num_steps


def replay_life(source: EnvSource, seed: int, trial: int, actions: Sequence[int]) -> Raised | None:
    """What a trial raises in an environment in which these actions are taken, one after the other.

    Raises:
        UsageError: the task cannot be made, or breaks down for another reason.
    """
    for isolate in (False, True):  # with global generators as they are, or seeded at each step
        life = SteppedLife(source, seed, MAX_TRIAL_STEPS, has_answers=False, isolate=isolate)
        with suppress(Unbankable):
            for action in actions:
                life.act(action)
        found = next((each for each in life.raised if each.trial == trial), None)
        if found is not None:
            return found
    return None
