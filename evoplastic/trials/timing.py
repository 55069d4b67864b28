"""Fixed timing: trials whose course is known beforehand, whatever the network does.

Such trials are rows of equal length: every action leads on to the next step, the response is what
the response neurons do in the answer window, and it is paid at the outcome. All that a lifetime
consists of but the response is known before it begins, which is what makes engines fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require
from evoplastic.types import Float32Array, Int64Array

OVER_WRONG, OVER_RIGHT = -1, -2  # in the place of a next state: the trial is over
HOLD, ANSWER, OUTCOME, FEEDBACK = 1, 2, 4, 8  # flags of a state
UNSCORED = 0

Int8Array = NDArray[np.int8]
Int32Array = NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class TrialTiming:
    """Fixed timing: every trial lasts `num_steps`; windows are half-open step ranges [start, stop).

    The response is the activity of the response neurons summed over `response`; the outcome is
    clamped onto the feedback neurons during `feedback`, and is known from its first step on.
    """

    dt_ms: float
    num_steps: int  # T
    response: tuple[int, int]
    feedback: tuple[int, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "dt_ms", float(self.dt_ms))  # 20 and 20.0 have one digest
        require(self.dt_ms > 0, f"dt_ms is {self.dt_ms}, expected a positive duration")
        for name in ("response", "feedback"):
            start, stop = getattr(self, name)
            require(
                0 <= start < stop <= self.num_steps,
                f"{name} window [{start}, {stop}) does not lie inside the trial of "
                f"{self.num_steps} steps; shorten the window or lengthen the trial",
            )
        require(
            self.response[1] <= self.feedback[0],
            f"feedback starts at step {self.feedback[0]}, before the response window ends at "
            f"step {self.response[1]}; the outcome is known only when the response is over",
        )

    @property
    def flags_T(self) -> Int8Array:
        """The flags of the states of a trial."""
        flags_T = np.zeros(self.num_steps, dtype=np.int8)
        flags_T[slice(*self.response)] |= ANSWER
        flags_T[slice(*self.feedback)] |= FEEDBACK
        flags_T[self.feedback[0]] |= OUTCOME
        return flags_T


class FixedTrials(NamedTuple):
    """The M trials of fixed timing as they can be read beforehand: views of a table's arrays."""

    timing: TrialTiming
    stimulus_MTI: Float32Array
    target_action_M: Int64Array
    reward_MO: Float32Array  # for each response

    @property
    def target_MO(self) -> Float32Array:
        """1 for the target action, else 0."""
        one_hot: Float32Array = np.eye(self.reward_MO.shape[1], dtype=np.float32)
        return one_hot[self.target_action_M]


def fixed_trials(
    timing: TrialTiming,
    observation_VI: Float32Array,
    target_action_V: Int64Array,
    reward_VO: Float32Array,
) -> FixedTrials:
    """States laid out trial by trial, as trials."""
    T = timing.num_steps
    return FixedTrials(
        timing,
        observation_VI.reshape(-1, T, observation_VI.shape[1]),
        target_action_V[timing.feedback[0] :: T],
        reward_VO[timing.feedback[0] :: T],
    )


def find_timing(
    dt_ms: float,
    flags_V: Int8Array,
    target_action_V: Int64Array,
    reward_VO: Float32Array,
    next_VO: Int32Array,
    first_M: Int64Array,
) -> TrialTiming | None:
    """The fixed timing of trials whose states say when the outcome is known; else None.

    Raises:
        UsageError: such states, and trials that differ in their course, are paid at another step
            than at the outcome, or ask for no or several actions.
    """
    if not (flags_V & OUTCOME).any():
        require(
            not (flags_V & FEEDBACK).any(),
            "states show feedback, but none of them is flagged as the outcome",
        )
        return None
    M, V = len(first_M), len(flags_V)
    T = V // M
    require(
        V == M * T and np.array_equal(first_M, T * np.arange(M)),
        f"trials of fixed timing are laid out one after the other, all of one length; came {V} "
        f"states for {M} trials",
    )
    timing = _read_flags(dt_ms, flags_V[:T])
    require(
        np.array_equal(flags_V, np.tile(timing.flags_T, M)),
        "trials of fixed timing have one answer window and one feedback window, the same in each",
    )
    outcome = timing.feedback[0]
    target_MT = target_action_V.reshape(M, T)
    require(
        bool((target_MT[:, timing.response[0] :] == target_MT[:, [outcome]]).all()),
        "trials of fixed timing ask for one action, from the answer window to their end",
    )
    require(
        not np.delete(reward_VO.reshape(M, T, -1), outcome, axis=1).any(),
        "trials of fixed timing are paid at the outcome alone",
    )
    require(
        np.array_equal(next_VO, fixed_course(target_MT[:, outcome], T, reward_VO.shape[1])),
        "in trials of fixed timing every action leads to the next step, and the last step ends "
        "the trial, well for the target action",
    )
    return timing


def _read_flags(dt_ms: float, flags_T: Int8Array) -> TrialTiming:
    answer, shown = np.flatnonzero(flags_T & ANSWER), np.flatnonzero(flags_T & FEEDBACK)
    require(
        len(answer) > 0 and len(shown) > 0,
        "trials of fixed timing need an answer window and a feedback window",
    )
    return TrialTiming(
        dt_ms=dt_ms,
        num_steps=len(flags_T),
        response=(int(answer[0]), int(answer[-1]) + 1),
        feedback=(int(shown[0]), int(shown[-1]) + 1),
    )


def fixed_course(target_action_M: Int64Array, num_steps: int, num_actions: int) -> Int32Array:
    """The next state [V, O] after each action, in trials of fixed timing."""
    M = len(target_action_M)
    onward_V1 = np.arange(1, M * num_steps + 1, dtype=np.int32)[:, None]
    next_VO = np.repeat(onward_V1, num_actions, axis=1)
    right_MO = target_action_M[:, None] == np.arange(num_actions)
    next_VO[num_steps - 1 :: num_steps] = np.where(right_MO, OVER_RIGHT, OVER_WRONG)
    return next_VO
