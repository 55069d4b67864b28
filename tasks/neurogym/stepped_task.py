"""Try a task before it is met by stepping it: does it work, repeat, end, and ask for actions?"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from evoplastic.checks import require
from evoplastic.trials.table import MAX_TRIAL_STEPS
from evoplastic.types import Interface
from evoplastic.watching import at
from tasks.neurogym.environments import DEFAULT_DT_MS, EnvSource, find_source, quietly
from tasks.neurogym.faults.raised import NEW_TRIAL
from tasks.neurogym.faults.share import (
    COUNTED_TRIALS,
    MOST_RAISED,
    SEED,
    Share,
    known_share,
    refuse_frequent,
    remember,
)
from tasks.neurogym.ground_truth import are_actions, says_nothing
from tasks.neurogym.refusals import Unbankable, refuse
from tasks.neurogym.sources.user_file import absolute, travelling_files
from tasks.neurogym.stepped_life import SteppedLife
from tasks.neurogym.stepped_world import SteppedEnv, tell_once

TRIED_TRIALS, TRIED_STEPS = 64, 4000  # a task is tried until either is reached
COUNTED_STEPS = 50_000  # in which trials that raise are counted, at most
SPARE = 2  # a trial may last so many times the longest one tried


def stepped_task(
    source: str,
    settings: Mapping[str, Any] | None = None,
    dt_ms: int = DEFAULT_DT_MS,
    *,
    name: str | None = None,
    max_trial_steps: int | None = None,
) -> SteppedEnv:
    """Try a task by random actions, and hand out what is needed to run it.

    A trial may last twice as long as the longest one tried, or `max_trial_steps`. The ground truth
    counts as an answer if it was an action in all trials.

    Raises:
        Unbankable: it cannot be made or stepped, or does not repeat from its seed; with the reason.
        UsageError: unknown id, file or class.
    """
    env_source = find_source(source, settings or {}, dt_ms)
    limit = MAX_TRIAL_STEPS if max_trial_steps is None else max_trial_steps
    require(
        1 <= limit <= MAX_TRIAL_STEPS,
        f"max_trial_steps is {limit}, expected 1 to {MAX_TRIAL_STEPS}",
    )
    tried = _try(env_source, limit, 0, isolate=False)
    isolate = tried.what_came != _try(env_source, limit, 1, isolate=False).what_came
    if isolate:
        tried, again = (_try(env_source, limit, each, isolate=True) for each in range(2))
        if tried.what_came != again.what_came:
            detail = "two fresh instances with one seed do differently; draw from self.rng"
            raise Unbankable(refuse("not reproducible", env_source.name, detail))
    if tried.raised:
        refuse_frequent(env_source, _share(env_source, limit, isolate=isolate))
    if max_trial_steps is None and tried.longest > MAX_TRIAL_STEPS:
        detail = f"a trial may last {tried.longest} steps, expected at most {MAX_TRIAL_STEPS}"
        raise Unbankable(refuse("endless", env_source.name, detail))
    task = SteppedEnv(
        task=name or env_source.name,
        source=absolute(source),
        code=travelling_files(source),
        settings=dict(settings or {}),
        dt_ms=dt_ms,
        interface=Interface(num_inputs=tried.num_inputs, num_outputs=tried.num_actions),
        has_answers=tried.has_answers,
        max_trial_steps=max_trial_steps or min(SPARE * tried.longest, MAX_TRIAL_STEPS),
        isolate=isolate,
        steps_per_s=tried.steps_per_s,
    )
    message = "task %s fits into no bank; its own environment is stepped, %.0f steps per second"
    tell_once("cost", task.task, message, task.steps_per_s)
    return task


@dataclass(frozen=True, kw_only=True)
class _Tried:
    """What came of stepping one environment."""

    what_came: tuple[bytes, ...]
    num_inputs: int
    num_actions: int
    has_answers: bool
    longest: int
    steps_per_s: float
    raised: bool  # some trial did


def _try(source: EnvSource, limit: int, surroundings: int, *, isolate: bool) -> _Tried:
    """Step one environment, always the same, while the global generators are somewhere else."""
    with quietly(), _elsewhere(surroundings):
        life = SteppedLife(source, 0, limit, has_answers=False, isolate=isolate)
        num_actions = int(source.make(0).action_space.n)
        rng, came, trials, steps = np.random.default_rng(0), [life.observation_I.tobytes()], 0, 0
        longest, has_answers, asked_any = 0, True, False
        began = time.perf_counter()
        while trials < TRIED_TRIALS and steps < TRIED_STEPS:
            at(f"stepping {source.name}", trials, TRIED_TRIALS)
            longest = max(longest, life.natural_steps)
            truth_T = life.ground_truth
            if truth_T is not None:
                asked_any |= not life.informed or not says_nothing([truth_T])
                has_answers &= are_actions(truth_T, num_actions)
            over = False
            while not over:
                reward, over, _ = life.act(int(rng.integers(num_actions)))
                came.append(life.observation_I.tobytes() + repr((reward, over)).encode())
                steps += 1
            trials += 1
        seconds = time.perf_counter() - began
    return _Tried(
        what_came=tuple(came),
        num_inputs=len(life.observation_I),
        num_actions=num_actions,
        has_answers=has_answers and asked_any,
        longest=longest,
        steps_per_s=steps / seconds,
        raised=bool(life.raised),
    )


def _share(source: EnvSource, limit: int, *, isolate: bool) -> Share:
    """How many of the first trials of one seed raise under random actions; counted once."""
    known = known_share(source, "stepping")
    if known is not None:
        return known
    rng = np.random.default_rng(SEED)
    with quietly():
        life = SteppedLife(source, SEED, limit, has_answers=False, isolate=isolate)
        num_actions = int(source.make(SEED).action_space.n)
        steps = 0
        while life.drawn < COUNTED_TRIALS and len(life.raised) <= MOST_RAISED:
            if steps >= COUNTED_STEPS:
                break
            life.act(int(rng.integers(num_actions)))
            steps += 1
    last = life.raised[-1] if life.raised else None
    detail = f"{last.where} raised {last.said}" if last else ""
    drawn = last is not None and last.where == NEW_TRIAL  # else it hangs on the actions before
    share = Share(len(life.raised), life.drawn, detail, last.trial if last and drawn else None)
    remember(source, "stepping", share)
    return share


@contextmanager
def _elsewhere(surroundings: int) -> Iterator[None]:
    """Put the global generators somewhere, and back."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    np.random.seed(surroundings)
    random.seed(surroundings)
    try:
        yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
