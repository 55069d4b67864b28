"""The general path: what fits into no bank is stepped, with an environment for each life.

    task = stepped_task("HierarchicalReasoning-v0")  # of tasks.neurogym.stepped_task
    world = task.open(batch)

Always right and slow: Python steps one environment after the other. An environment that breaks down
in the middle of a life takes that life with it (its loss is NaN, which counts as worst), and no
other one.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evoplastic.trials.order import TrialStreams
from evoplastic.trials.timing import TrialTiming
from evoplastic.trials.world import Observed, Stepped
from evoplastic.types import NO_TARGET, BoolArray, Int64Array, Interface
from evoplastic.user_code.code_files import CodeFile
from tasks.neurogym.environments import DEFAULT_DT_MS, EnvSource, find_source, quietly
from tasks.neurogym.refusals import Unbankable
from tasks.neurogym.stepped_life import SteppedLife

logger = logging.getLogger(__name__)

_warned: set[tuple[str, str]] = set()  # warnings given, by kind and task


@dataclass(frozen=True, kw_only=True)
class SteppedEnv:
    """A task that is stepped for real, known by words, so that it can travel to workers."""

    task: str
    source: str  # a registered id, or /absolute/my_task.py:MyTask
    code: tuple[CodeFile, ...] = ()  # of a task in a file, and its data; used wherever it travels
    settings: Mapping[str, Any] = field(default_factory=dict)
    dt_ms: int = DEFAULT_DT_MS
    interface: Interface
    has_answers: bool  # its ground truth is an action; else reward is its only measure
    max_trial_steps: int
    isolate: bool  # it uses global generators
    steps_per_s: float  # of one environment, as measured when it was tried

    @property
    def num_kinds(self) -> int:
        """The target action in the end of a trial is its kind."""
        return self.interface.num_outputs if self.has_answers else 1

    @property
    def num_inputs_B(self) -> Int64Array:
        """Channels of the only task."""
        return np.array([self.interface.num_inputs], dtype=np.int64)

    @property
    def num_actions_B(self) -> Int64Array:
        """Actions of the only task."""
        return np.array([self.interface.num_outputs], dtype=np.int64)

    @property
    def env_source(self) -> EnvSource:
        """Where fresh environments come from: the code that was tried, whatever lies there now."""
        return find_source(self.source, self.settings, self.dt_ms, self.code)

    def begin(self, seed: int, env_source: EnvSource | None = None) -> SteppedLife:
        """A life in a fresh environment.

        Raises:
            Unbankable: the environment breaks down at once.
        """
        return SteppedLife(
            env_source or self.env_source,
            seed,
            self.max_trial_steps,
            has_answers=self.has_answers,
            isolate=self.isolate,
        )

    @property
    def timing(self) -> TrialTiming | None:
        """None: it is self-paced."""
        return None

    def open(self, streams: TrialStreams) -> SteppedWorld:
        """A world for some individuals, everyone at the first step of the first trial."""
        return SteppedWorld(self, streams)


class SteppedWorld:
    """P individuals, each in an environment of its own; equal streams meet equal environments."""

    def __init__(self, task: SteppedEnv, streams: TrialStreams) -> None:
        P = len(streams.task_P)
        self.task, self.max_trial_steps = task, task.max_trial_steps
        self.num_actions_P: Int64Array = np.full(P, task.interface.num_outputs, dtype=np.int64)
        self.failed_P: BoolArray = np.zeros(P, dtype=np.bool_)
        self.first_fault: str | None = None  # the traceback of the first breakdown
        self._lives: list[SteppedLife | None] = [None] * P
        source = task.env_source
        with quietly():
            for p, seed in enumerate(environment_seeds(streams)):
                try:
                    self._lives[p] = task.begin(seed, source)
                except Unbankable as error:
                    self._bury(p, error)

    def observe(self) -> Observed:
        """What everyone meets now; those whose task broke down see nothing and have no target."""
        P = len(self._lives)
        observed = Observed(
            np.zeros((P, self.task.interface.num_inputs), dtype=np.float32),
            np.full(P, NO_TARGET, dtype=np.int64),
            np.zeros(P, dtype=np.int8),
            np.zeros(P, dtype=np.int64),
        )
        for p, life in enumerate(self._lives):
            if life is not None:
                observed.observation_PI[p] = life.observation_I
                observed.target_action_P[p], observed.flags_P[p], observed.kind_P[p] = (
                    life.target_action,
                    life.flags,
                    life.kind,
                )
        return observed

    def step(self, choice_P: Int64Array, moving_P: BoolArray) -> Stepped:
        """Step the environments of those that move; trials of the failed are over at once."""
        P = len(self._lives)
        stepped = Stepped(np.zeros(P, dtype=np.float32), np.ones(P, bool), np.zeros(P, bool))
        with quietly():
            for p in np.flatnonzero(moving_P):
                life = self._lives[p]
                if life is None:
                    continue
                try:
                    step = life.act(int(choice_P[p]))
                except Unbankable as error:
                    self._bury(int(p), error)
                    continue
                stepped.reward_P[p], stepped.over_P[p], stepped.correct_P[p] = step
        return stepped

    def _bury(self, p: int, error: Unbankable) -> None:
        self._lives[p], self.failed_P[p] = None, True
        if self.first_fault is None:
            self.first_fault = "".join(traceback.format_exception(error))
            message = "task %s broke down, a lifetime in it counts as worst (said once)\n%s"
            tell_once("fault", self.task.task, message, self.first_fault)


def environment_seeds(streams: TrialStreams) -> list[int]:
    """The seed of each individual's environment, from word 0 and 1 of its order of trials."""
    high_P, low_P = streams.words(0)
    return [(int(high) << 32) | int(low) for high, low in zip(high_P, low_P, strict=True)]


def tell_once(kind: str, task: str, message: str, *values: Any) -> None:
    """Warn of one kind of thing about a task, the first time in this process."""
    if (kind, task) not in _warned:
        _warned.add((kind, task))
        logger.warning(message, task, *values)
