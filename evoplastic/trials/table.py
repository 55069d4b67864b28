"""A task as a table of trial states: what each shows, asks and pays, and where actions lead.

At a state the network meets an observation and takes an action; the action pays a reward and leads
to another state, or ends the trial, well or badly. Random transitions and rewards are drawn
beforehand, so a trial of a NeuroGym task is a chain of states, one a step, and a trial of a state
machine is a small graph. Whatever depends on trial, state, step and action alone fits.

Trials have *fixed timing* if their states say at which step the outcome is known (`timing.py`);
then the response is read in the answer window. Else they are *self-paced*: the network acts, and is
paid, at every step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from evoplastic.checks import UsageError, require
from evoplastic.trials.course import Course
from evoplastic.trials.timing import (
    ANSWER,
    FEEDBACK,
    HOLD,
    OUTCOME,
    OVER_RIGHT,
    UNSCORED,
    FixedTrials,
    Int8Array,
    Int32Array,
    TrialTiming,
    find_timing,
    fixed_course,
    fixed_trials,
)
from evoplastic.types import (
    NO_TARGET,
    Float32Array,
    Int64Array,
    Interface,
    content_digest,
)

MAX_TRIAL_STEPS = 10_000


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialTable:
    """Trials of one task; self-paced ones are consecutive trials of one environment.

    Raises:
        UsageError: arrays that contradict each other, values that are not finite, a state that
            leads out of the table, or a trial without end.
    """

    task: str
    dt_ms: float
    observation_VI: Float32Array  # dimensionless input, usually within [-1, 1]
    target_action_V: Int64Array  # target action, NO_TARGET = none
    flags_V: Int8Array  # HOLD (a target on the way to the answer) or ANSWER; OUTCOME, FEEDBACK
    reward_VO: Float32Array  # the environment's own
    next_VO: Int32Array  # state that an action leads to, OVER_WRONG or OVER_RIGHT
    first_M: Int64Array  # state at which a trial begins
    kind_M: Int64Array  # trial kind >= 0: what a per-kind baseline tells apart
    block: int = 1  # a lifetime begins at a trial whose number is a multiple of this
    course: Course | None = None  # of a stream: from where each trial of a lifetime is drawn

    def __post_init__(self) -> None:
        object.__setattr__(self, "dt_ms", float(self.dt_ms))
        require(self.dt_ms > 0, f"dt_ms is {self.dt_ms}, expected a positive duration")
        self._check_shapes()
        self._check_values()
        _ = self.num_steps, self.timing  # refuse endless trials, and a timing that is not fixed
        if self.course is not None:
            self.course.require_within(len(self.first_M), self.task)

    def _check_shapes(self) -> None:
        V, O = len(self.observation_VI), self.reward_VO.shape[-1]
        require(
            self.observation_VI.ndim == 2 and min(self.observation_VI.shape) > 0,
            f"observation_VI of task {self.task!r} has shape {self.observation_VI.shape}, "
            "expected (V, I), both at least 1",
        )
        M = len(self.first_M)
        for name, expected in (
            ("target_action_V", (V,)),
            ("flags_V", (V,)),
            ("reward_VO", (V, O)),
            ("next_VO", (V, O)),
            ("first_M", (M,)),
            ("kind_M", (M,)),
        ):
            shape = getattr(self, name).shape
            require(
                shape == expected,
                f"{name} of task {self.task!r} has shape {shape}, expected {expected}",
            )
        require(
            self.block >= 1 and M > 0 and M % self.block == 0,
            f"task {self.task!r} has {M} trials in blocks of {self.block}; expected whole blocks",
        )

    def _check_values(self) -> None:
        (V, O), M = self.reward_VO.shape, len(self.first_M)
        for name in ("observation_VI", "reward_VO"):
            require(
                bool(np.isfinite(getattr(self, name)).all()),
                f"{name} of task {self.task!r} holds values that are not finite",
            )
        for name, low, high in (
            ("target_action_V", NO_TARGET, O - 1),
            ("flags_V", UNSCORED, ANSWER | OUTCOME | FEEDBACK),
            ("next_VO", OVER_RIGHT, V - 1),
            ("first_M", 0, V - 1),
            ("kind_M", 0, max(M, O)),  # at most a kind for each trial or for each answer
        ):
            values = getattr(self, name)
            require(
                low <= int(values.min()) and int(values.max()) <= high,
                f"{name} of task {self.task!r} spans {values.min()} to {values.max()}, expected "
                f"{low} to {high}",
            )
        scored_V = (self.flags_V & (HOLD | ANSWER)) != 0
        require(
            bool((self.target_action_V[scored_V] != NO_TARGET).all()),
            f"task {self.task!r} scores states at which it asks for nothing",
        )
        require(
            not bool(((self.flags_V & (HOLD | ANSWER)) == (HOLD | ANSWER)).any()),
            f"task {self.task!r} has states flagged as both HOLD and ANSWER, expected one of them",
        )

    @cached_property
    def num_steps(self) -> int:
        """Steps of the longest trial, whatever the actions."""
        if self.timing is not None:
            return self.timing.num_steps
        reached, steps = np.unique(self.first_M), 0
        while len(reached):
            steps += 1
            require(
                steps <= min(len(self.next_VO), MAX_TRIAL_STEPS),
                f"a trial of task {self.task!r} need not end: after {steps} steps it still runs; "
                f"expected at most {MAX_TRIAL_STEPS} steps and no way back to an earlier state",
            )
            onward = self.next_VO[reached]
            reached = np.unique(onward[onward >= 0])
        return steps

    @cached_property
    def timing(self) -> TrialTiming | None:
        """The fixed timing of the trials, or None for self-paced ones."""
        try:
            return find_timing(
                self.dt_ms,
                self.flags_V,
                self.target_action_V,
                self.reward_VO,
                self.next_VO,
                self.first_M,
            )
        except UsageError as fault:
            raise UsageError(f"task {self.task!r}: {fault}") from fault

    @property
    def fixed(self) -> FixedTrials:
        """Trials of fixed timing, as they can be read beforehand."""
        assert self.timing is not None, f"task {self.task!r} is self-paced"
        return fixed_trials(self.timing, self.observation_VI, self.target_action_V, self.reward_VO)

    @property
    def in_order(self) -> bool:
        """How a lifetime without a course draws trials: one after the other from the first of a
        random block, so that it meets the blocks and alternations of an environment too; or, of
        fixed timing, each of them from all."""
        return self.timing is None

    @property
    def interface(self) -> Interface:
        """The numbers of stimulus and response lines that the task uses."""
        return Interface(
            num_inputs=self.observation_VI.shape[1], num_outputs=self.reward_VO.shape[1]
        )

    @property
    def has_answers(self) -> bool:
        """Whether trials can be right or wrong; else reward is the only measure."""
        return bool((self.next_VO == OVER_RIGHT).any())

    @property
    def digest(self) -> str:
        """SHA-256 (16 hexadecimal digits) of what the task asks; the name does not enter.

        Runs keep it; that of fixed timing is taken over the trials, as it was before both kinds
        of trials had one table.
        """
        if self.course is not None:
            return content_digest(self.course.digest + replace(self, course=None).digest)
        if self.timing is not None:
            fixed = self.fixed
            return content_digest(
                repr(self.timing),
                fixed.stimulus_MTI,
                fixed.target_MO,
                fixed.reward_MO,
                self.kind_M,
            )
        return content_digest(
            repr((self.dt_ms, self.block)),
            self.observation_VI,
            self.target_action_V,
            self.flags_V,
            self.reward_VO,
            self.next_VO,
            self.first_M,
            self.kind_M,
        )


def fixed_timing_table(
    *,
    task: str,
    timing: TrialTiming,
    stimulus_MTI: Float32Array,
    target_action_M: Int64Array,
    reward_MO: Float32Array,
    kind_M: Int64Array,
) -> TrialTable:
    """The table of trials of fixed timing.

    Args:
        task: its name.
        timing: what all trials have in common.
        stimulus_MTI: dimensionless input at each step, 0 = nothing shown.
        target_action_M: the correct response of each trial.
        reward_MO: the environment's own reward for each response, paid at the outcome.
        kind_M: trial kind.

    Raises:
        UsageError: arrays that do not fit together.
    """
    M, T = len(stimulus_MTI), timing.num_steps
    require(M > 0, f"the trial table of task {task!r} is empty, expected M >= 1 trials")
    require(
        stimulus_MTI.ndim == 3 and stimulus_MTI.shape[1] == T,
        f"stimulus_MTI of task {task!r} has shape {stimulus_MTI.shape}, expected (M, T, I) with "
        f"T = {T}",
    )
    require(
        reward_MO.ndim == 2 and len(reward_MO) == M,
        f"reward_MO of task {task!r} has shape {reward_MO.shape}, expected (M, O) with M = {M}",
    )
    require(
        target_action_M.shape == (M,) and int(target_action_M.min()) >= 0,
        f"target_action_M of task {task!r} must hold one action >= 0 for each of {M} trials",
    )
    start, outcome = timing.response[0], timing.feedback[0]
    target_MT = np.full((M, T), NO_TARGET, dtype=np.int64)
    target_MT[:, start:] = target_action_M[:, None]  # the response stands to the end
    reward_MTO = np.zeros((M, T, reward_MO.shape[1]), dtype=np.float32)
    reward_MTO[:, outcome] = reward_MO
    return TrialTable(
        task=task,
        dt_ms=timing.dt_ms,
        observation_VI=stimulus_MTI.reshape(M * T, -1),
        target_action_V=target_MT.reshape(-1),
        flags_V=np.tile(timing.flags_T, M),
        reward_VO=reward_MTO.reshape(M * T, -1),
        next_VO=fixed_course(target_action_M, T, reward_MO.shape[1]),
        first_M=T * np.arange(M, dtype=np.int64),
        kind_M=kind_M,
    )
