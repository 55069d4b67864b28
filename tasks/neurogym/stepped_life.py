"""One individual in a real environment: what it observes, and where its actions lead.

Nothing is assumed of the environment but that it is a `TrialEnv`: each step is taken for real, and
each answer of the environment is checked, since it comes from somebody else's code.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext, suppress
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.trials.timing import ANSWER, HOLD, UNSCORED
from evoplastic.types import NO_TARGET, Float32Array
from tasks.neurogym.environments import TRIALS, EnvSource, isolated, refuse_raising
from tasks.neurogym.faults.raised import CODE_FAULTS, MOST_IN_A_ROW, NextTrial, Raised, raised
from tasks.neurogym.faults.reporting import report
from tasks.neurogym.ground_truth import by_step, note_built, plain
from tasks.neurogym.object_graph import trial_envs
from tasks.neurogym.refusals import Unbankable, refuse
from tasks.neurogym.trial_cells import set_clock


class Step(NamedTuple):
    """What followed from one action."""

    reward: float
    over: bool  # the trial ended; the next one has begun
    correct: bool


class SteppedLife:
    """Trials of one fresh environment, one after the other.

    Args:
        source: where the environment comes from.
        seed: of all its randomness.
        limit: steps after which a trial counts as endless.
        has_answers: whether its ground truth is an action.
        isolate: give each step global generators of its own; slow, for environments that use them.

    Raises:
        Unbankable: from each method, when the environment breaks down; with the reason.
    """

    def __init__(
        self, source: EnvSource, seed: int, limit: int, *, has_answers: bool, isolate: bool
    ) -> None:
        self.name, self.limit, self.has_answers = source.name, limit, has_answers
        self._seed, self._isolate, self._steps, self._step = seed, isolate, 0, 0
        self._source, self._top = source, source.make(seed)
        self._foreseen_T: NDArray[Any] | None = None  # what `info["gt"]` says of the present trial
        self.informed = False  # that is where the ground truth comes from
        self._size = int(self._top.observation_space.shape[0])
        self._drawing = NextTrial(self._top)
        for each in trial_envs(self._top):
            each._top = self._drawing
        self._actions: list[int] = []
        self._noted = self._broken_in_a_row = 0
        self.observation_I = self._new_trial()

    @property
    def _env(self) -> Any:
        return self._top.unwrapped  # of a schedule, another one from trial to trial

    @property
    def natural_steps(self) -> int:
        """Steps of the present trial if nothing ends it before its time."""
        return int(self._env.tmax // self._env.dt)

    @property
    def ground_truth(self) -> Any:
        """What the environment itself says by step, whatever it is; None without.

        Raises:
            Unbankable: its own `gt_now` raises.
        """
        try:
            truth_T = by_step(self._env, self.natural_steps)
        except CODE_FAULTS as error:
            raise Unbankable(refuse_raising(self.name, "gt_now", error)) from error
        self.informed = truth_T is None
        if truth_T is None and self._foreseen_T is None:
            self._foreseen_T = self._foresee()
        return self._foreseen_T if truth_T is None else truth_T

    def _foresee(self) -> NDArray[Any]:
        """What `info["gt"]` will say in this trial, from a copy that does nothing; or nothing."""
        said: list[Any] = [None] * self._env.t_ind
        over = False
        with isolated(self._seed, TRIALS + self._steps), suppress(*CODE_FAULTS):
            copied = deepcopy(self._top)
            while not over and len(said) < self.natural_steps:
                *_, info = copied.step(0)
                said.append(info.get("gt"))
                over = bool(info["new_trial"])
        return plain(said or [None])

    @property
    def target_action(self) -> int:
        """The target action at the present step."""
        truth_T = self.ground_truth if self.has_answers else None
        if truth_T is None or self._env.t_ind >= len(truth_T):
            return NO_TARGET
        return int(truth_T[self._env.t_ind])

    @property
    def flags(self) -> int:
        """ANSWER from the step on from which one action is the target to the end; before, HOLD."""
        if self.target_action == NO_TARGET:
            return UNSCORED
        rest_T = self.ground_truth[self._env.t_ind :]
        return ANSWER if (rest_T == rest_T[0]).all() else HOLD

    @property
    def kind(self) -> int:
        """The target action in the end tells trials apart, as in a bank."""
        truth_T = self.ground_truth if self.has_answers else None
        return 0 if truth_T is None else max(int(truth_T[-1]), 0)

    @property
    def raised(self) -> tuple[Raised, ...]:
        """Trials that raised so far; each was left out, or ended where it did."""
        return tuple(self._drawing.raised)

    @property
    def drawn(self) -> int:
        """Trials drawn so far, those that raised among them."""
        return self._drawing.drawn

    def act(self, action: int) -> Step:
        """Take an action; correct is who ends a trial by the target action of that step.

        A step that raises ends its trial, without reward; a next trial that does is drawn again.
        """
        target, where = self.target_action, f"step({action}) at step {self._step}"
        self._actions.append(action)
        try:
            with self._surroundings():
                shown, reward, terminated, truncated, info = self._top.step(action)
                reward, over = float(reward), bool(info["new_trial"])
                if self.has_answers and self.informed and info.get("gt") is not None:
                    target = int(info["gt"])
        except CODE_FAULTS as error:
            return self._end_broken(where, error)
        self._note()
        if terminated or truncated:
            self._break("ends the episode", f"{where} says terminated or truncated")
        if not math.isfinite(reward):
            self._break("not finite", f"{where} pays {reward}")
        self.observation_I = self._checked(shown)
        if over:
            self._begin()
            self._broken_in_a_row = 0
        self._step, self._steps = 0 if over else self._step + 1, self._steps + 1
        if self._step >= self.limit:
            self._break(
                "endless",
                f"a trial goes on after {self.limit} steps; allow more by max_trial_steps, or let "
                "it end with info['new_trial']",
            )
        return Step(reward, over, over and action == target)

    def _end_broken(self, where: str, error: BaseException) -> Step:
        """End a trial in which a step raised, and begin the next one."""
        self._broken_in_a_row += 1
        if self._drawing.given_up or self._broken_in_a_row == MOST_IN_A_ROW:
            where = "new_trial()" if self._drawing.given_up else where
            raise Unbankable(refuse_raising(self.name, where, error)) from error
        self._drawing.raised.append(raised(self._drawing.drawn - 1, where, error))
        self._step, self._steps = 0, self._steps + 1
        self.observation_I = self._new_trial()
        return Step(0.0, True, False)

    def _new_trial(self) -> Float32Array:
        """Draw a trial from outside of a step; what it shows at first."""
        try:
            with self._surroundings():
                self._drawing.new_trial()
                for each in trial_envs(self._top):
                    set_clock(each, 0, 0)  # performance too, as step() does
                self._begin()
                shown = self._first_shown()
        except CODE_FAULTS as error:
            raise Unbankable(refuse_raising(self.name, "new_trial()", error)) from error
        self._note()
        return self._checked(shown)

    def _note(self) -> None:
        """Report trials that raised since."""
        for each in self._drawing.raised[self._noted :]:
            report(self._source, self._seed, each, self._actions)
        self._noted = len(self._drawing.raised)

    def _begin(self) -> None:
        """A trial was drawn."""
        note_built(self._env)
        self._foreseen_T = None

    def _first_shown(self) -> Any:
        """What the first trial shows, and zeros for what only a step would tell.

        That is everything where the environment holds no observations (`env.ob`), and what
        wrappers append, such as the last reward.
        """
        shown = np.zeros(self._size)
        if hasattr(self._env, "ob"):
            first, *_ = self._env.post_step(
                np.array(self._env.ob[0]), 0.0, False, False, {"new_trial": True}
            )
            shown[: len(first)] = first
        return shown

    def _checked(self, shown: Any) -> Float32Array:
        if np.shape(shown) != (self._size,):
            self._break(
                "size changes", f"it shows shape {np.shape(shown)}, expected ({self._size},)"
            )
        observation_I = np.array(shown, dtype=np.float32)
        if not np.isfinite(observation_I).all():
            self._break("not finite", "an observation is NaN or infinite")
        return observation_I

    def _surroundings(self) -> AbstractContextManager[None]:
        if not self._isolate:
            return nullcontext()
        return isolated(self._seed, TRIALS + self._steps)

    def _break(self, reason: str, detail: str) -> None:
        raise Unbankable(refuse(reason, self.name, detail))
