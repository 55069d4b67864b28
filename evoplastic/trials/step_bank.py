"""Self-trials of fixed timing, step by step: what a NeuroGym task shows, asks, pays and ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evoplastic.checks import require
from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import ANSWER, HOLD, OVER_RIGHT, OVER_WRONG, UNSCORED
from evoplastic.types import (
    NO_TARGET,
    BoolArray,
    Float32Array,
    Int64Array,
    Interface,
    content_digest,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class StepBank:
    """Trials of a self-paced task: an action and a reward at every step.

    At step t of trial m the network sees `observation_MTI[m, t]`, takes an action a, is paid
    `reward_MTO[m, t, a]`, and the trial is over if `ends_MTO[m, t, a]`. A trial is over at the
    latest after `num_steps_M[m]` steps; what follows is padding: observation and reward 0, no
    ground truth, `ends_MTO` true. Entries are consecutive trials of one environment, so whoever
    reads them in order meets its blocks and alternations too.

    Raises:
        UsageError: arrays that contradict each other, or values that are not finite.
    """

    task: str
    dt_ms: float
    observation_MTI: Float32Array
    ground_truth_MT: Int64Array  # target action at each step, NO_TARGET = none
    num_steps_M: Int64Array
    reward_MTO: Float32Array  # the environment's own
    ends_MTO: BoolArray
    period_names: tuple[str, ...]
    period_MQ2: Int64Array  # steps [start, stop) of each period; (-1, -1) = not in this trial
    kind_M: Int64Array  # trial kind >= 0: what a per-kind baseline tells apart
    block: int = 1  # a lifetime begins at an entry whose number is a multiple of this
    left_out: tuple[int, ...] = ()  # draws that raised, numbered among all draws

    def __post_init__(self) -> None:
        require(self.dt_ms > 0, f"dt_ms is {self.dt_ms}, expected a positive duration")
        self._check_shapes()
        self._check_ends()
        for name in ("observation_MTI", "reward_MTO"):
            require(
                bool(np.isfinite(getattr(self, name)).all()),
                f"{name} of task {self.task!r} holds values that are not finite",
            )
        low, high = int(self.ground_truth_MT.min()), int(self.ground_truth_MT.max())
        require(
            low >= NO_TARGET and high < self.reward_MTO.shape[2],
            f"ground_truth_MT of task {self.task!r} spans {low} to {high}, expected actions 0 to "
            f"{self.reward_MTO.shape[2] - 1}, or {NO_TARGET} for none",
        )

    def _check_shapes(self) -> None:
        require(
            self.observation_MTI.ndim == 3 and min(self.observation_MTI.shape) > 0,
            f"observation_MTI of task {self.task!r} has shape {self.observation_MTI.shape}, "
            "expected (M, T, I), all at least 1",
        )
        M, T, _ = self.observation_MTI.shape
        O = self.reward_MTO.shape[-1]
        Q = len(self.period_names)
        for name, expected in (
            ("ground_truth_MT", (M, T)),
            ("num_steps_M", (M,)),
            ("reward_MTO", (M, T, O)),
            ("ends_MTO", (M, T, O)),
            ("period_MQ2", (M, Q, 2)),
            ("kind_M", (M,)),
        ):
            shape = getattr(self, name).shape
            require(
                shape == expected,
                f"{name} of task {self.task!r} has shape {shape}, expected {expected}",
            )
        require(int(self.kind_M.min()) >= 0, f"kind_M of task {self.task!r} must not be negative")
        start_MQ, stop_MQ = self.period_MQ2[..., 0], self.period_MQ2[..., 1]
        absent_MQ = (start_MQ == -1) & (stop_MQ == -1)
        inside_MQ = (start_MQ >= 0) & (start_MQ <= stop_MQ) & (stop_MQ <= self.num_steps_M[:, None])
        require(
            bool((absent_MQ | inside_MQ).all()),
            f"period_MQ2 of task {self.task!r} leaves the trial; expected 0 <= start <= stop <= "
            "num_steps, or (-1, -1) for a period that is not in the trial",
        )

    def _check_ends(self) -> None:
        T = self.ends_MTO.shape[1]
        over_MT = np.asarray(self.ends_MTO.all(axis=2))
        padding_MT = np.arange(T) >= self.num_steps_M[:, None]
        require(
            bool((self.num_steps_M >= 1).all() and (self.num_steps_M <= T).all())
            and bool(
                (over_MT[:, -1]).all() and (over_MT.argmax(axis=1) + 1 == self.num_steps_M).all()
            ),
            f"task {self.task!r}: num_steps_M must be the first step after which the trial is over "
            f"whatever the action, at most {T}; ends_MTO says otherwise",
        )
        require(
            bool(over_MT[padding_MT].all())
            and not self.observation_MTI[padding_MT].any()
            and not self.reward_MTO[padding_MT].any()
            and bool((self.ground_truth_MT[padding_MT] == NO_TARGET).all()),
            f"task {self.task!r} has content after the end of a trial; expected padding: "
            "observation and reward 0, no ground truth, ends_MTO true",
        )

    @property
    def interface(self) -> Interface:
        """The numbers of stimulus and response lines that a network must offer."""
        return Interface(
            num_inputs=self.observation_MTI.shape[2], num_outputs=self.reward_MTO.shape[2]
        )

    @property
    def answer_M(self) -> Int64Array:
        """The action with which whoever follows the ground truth ends a trial; -1 = none."""
        return final_answers(self.ground_truth_MT, self.ends_MTO)

    def table(self) -> TrialTable:
        """The same trials in the form that engines run: padding left out, one state a step."""
        _, T, O = self.reward_MTO.shape
        inside_MT = np.arange(T) < self.num_steps_M[:, None]
        first_M = np.concatenate([[0], np.cumsum(self.num_steps_M)[:-1]]).astype(np.int64)
        target_MT, answer_M1 = self.ground_truth_MT, self.answer_M[:, None]
        answered_MT = (target_MT == answer_M1) & (target_MT != NO_TARGET)
        right_MTO = self.ends_MTO & answered_MT[..., None] & (np.arange(O) == answer_M1[..., None])
        onward_MT = first_M[:, None] + np.arange(T) + 1
        over_MTO = np.where(right_MTO, OVER_RIGHT, OVER_WRONG)
        next_MTO = np.where(self.ends_MTO, over_MTO, onward_MT[..., None])
        part_MT = np.where(target_MT == NO_TARGET, UNSCORED, HOLD)
        part_MT[right_MTO.any(axis=2)] = ANSWER
        return TrialTable(
            task=self.task,
            dt_ms=self.dt_ms,
            observation_VI=self.observation_MTI[inside_MT],
            target_action_V=target_MT[inside_MT],
            flags_V=part_MT[inside_MT].astype(np.int8),
            reward_VO=self.reward_MTO[inside_MT],
            next_VO=next_MTO[inside_MT].astype(np.int32),
            first_M=first_M,
            kind_M=self.kind_M,
            block=self.block,
        )

    @property
    def digest(self) -> str:
        """SHA-256 (16 hexadecimal digits) of what the task asks; the name does not enter."""
        return content_digest(
            repr((self.dt_ms, self.period_names)),
            self.observation_MTI,
            self.ground_truth_MT,
            self.num_steps_M,
            self.reward_MTO,
            self.ends_MTO,
            self.period_MQ2,
            self.kind_M,
        )


def final_answers(ground_truth_MT: Int64Array, ends_MTO: BoolArray) -> Int64Array:
    """The last action of whoever follows the ground truth (action 0 where there is no target)."""
    followed_MT = np.maximum(ground_truth_MT, 0)
    ends_MT = np.take_along_axis(ends_MTO, followed_MT[..., None], axis=2)[..., 0]
    return ground_truth_MT[np.arange(len(ends_MT)), ends_MT.argmax(axis=1)]
