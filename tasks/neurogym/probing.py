"""Ask a real environment what each action at each step of one trial would pay and end.

The environment's own `step` is called, with its clock set back before each call, so nothing about
rewards is guessed. What makes that legitimate, that a step leaves nothing behind but the clock, is
checked for each trial by comparing all that the environment holds before and after.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from neurogym.core import TrialEnv
from numpy.typing import NDArray

from evoplastic.types import BoolArray, Float32Array, Int64Array
from tasks.neurogym.environments import refuse_raising
from tasks.neurogym.faults.raised import CODE_FAULTS
from tasks.neurogym.ground_truth import actions_in, by_step, note_built
from tasks.neurogym.object_graph import generators, random_state, trial_envs
from tasks.neurogym.refusals import Unbankable, refuse
from tasks.neurogym.trial_cells import TrialCells, set_clock

MAX_STEPS = 10_000


class ProbedTrial(NamedTuple):
    """One trial as arrays; T is its own length."""

    observation_TI: Float32Array
    ground_truth_T: Int64Array
    reward_TO: Float32Array
    ends_TO: BoolArray
    periods: dict[str, tuple[int, int]]  # steps [start, stop)
    informed: bool  # its ground truth, if any, is what `info["gt"]` says


class NoNextTrial:
    """Stands where the environment asks for its next trial, so that probing draws none."""

    def new_trial(self, **_: Any) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class Prober:
    """Draws the trials of one environment, one after the other, and probes them."""

    name: str
    top: Any  # the environment with its wrappers
    rng: np.random.Generator  # which cells a shortcut verifies

    @property
    def num_actions(self) -> int:
        """O."""
        return int(self.top.action_space.n)

    @cached_property
    def envs(self) -> list[TrialEnv]:
        """The environments behind `top`: one, or those of a schedule."""
        return trial_envs(self.top)

    @cached_property
    def generators(self) -> list[Any]:
        """Every random generator within reach, NumPy's global one included."""
        return generators((self.top, np.random.mtrand._rand))

    def next_trial(self, *, thorough: bool, deep: bool, sparsely: bool = False) -> ProbedTrial:
        """Draw the next trial and probe it: all steps and actions, or enough to tell segments.

        Without `thorough`, steps in the same periods with the same ground truth are taken to pay
        alike: the first of them is probed, and the last and a random one, in all such segments or,
        `sparsely`, in one of the trial's segments at random. That a step leaves nothing
        behind is checked after each step for what the environment's attributes are; with `deep`
        also, once per segment, for what is inside of them.

        Raises:
            Unbankable: with the reason.
            SegmentsDiffer: without `thorough`, steps of one segment do not pay alike.
        """
        env, periods = self._draw()
        num_steps = self._natural_length(env)
        observation_TI = np.array(env.ob[:num_steps], dtype=np.float32)
        target_T = self._asked(env, num_steps)
        for each in self.envs:
            each._top = NoNextTrial()
        try:
            probe = TrialCells(self.name, self.top, env, deep)
            drawn = random_state(self.generators)
            informed = target_T is None
            if target_T is None:
                target_T = self._expect_actions_by_step(probe.said(num_steps), num_steps)
            reward_TO, ends_TO = self._tables(probe, target_T, periods, thorough, sparsely)
            self._expect(
                random_state(self.generators) == drawn,
                "reward is random",
                "a step draws random numbers; draw them in _new_trial instead",
            )
        finally:
            for each in self.envs:
                each._top = self.top
            set_clock(env, 0, 0)
        ground_truth_T = self._ground_truth(target_T)
        num_steps = int(ends_TO.all(axis=1).argmax()) + 1
        return ProbedTrial(
            observation_TI[:num_steps],
            ground_truth_T[:num_steps],
            reward_TO[:num_steps],
            ends_TO[:num_steps],
            {name: _clip(span, num_steps) for name, span in periods.items()},
            informed,
        )

    def _draw(self) -> tuple[TrialEnv, dict[str, tuple[int, int]]]:
        """The next trial, and the environment (one of a schedule's) that drew it."""
        added: list[str] = []
        for env in self.envs:
            _listen(env, added)
        try:
            self.top.new_trial()
        except CODE_FAULTS as error:
            raise Unbankable(refuse_raising(self.name, "new_trial()", error)) from error
        finally:
            for env in self.envs:
                del env.add_period
        env = self.top.unwrapped
        note_built(env)
        set_clock(env, 0, 0)
        spans = {
            name: (int(env.start_ind[name]), int(env.end_ind[name]))
            for name in dict.fromkeys(added)
        }
        return env, spans

    def _natural_length(self, env: TrialEnv) -> int:
        self._expect(
            hasattr(env, "ob"),
            "observation depends on history",
            "its trials hold no observations (env.ob); what is shown is known only when stepping",
        )
        num_steps = int(env.tmax // env.dt)
        self._expect(
            num_steps >= 1 and len(env.ob) >= 1,
            "no steps",
            f"a trial has no step: its periods add up to {env.tmax} ms, its time step is {env.dt} "
            "ms, and each period is rounded down to whole steps",
        )
        self._expect(
            num_steps <= MAX_STEPS,
            "endless",
            f"a trial lasts up to {num_steps} steps, expected at most {MAX_STEPS}",
        )
        shape, shown = tuple(self.top.observation_space.shape), np.asarray(env.ob)
        self._expect(
            shown.shape[1:] == shape,
            "size changes",
            f"a trial shows observations of shape {shown.shape[1:]}, the space says {shape}",
        )
        self._expect(
            bool(np.isfinite(shown).all()), "not finite", "an observation is NaN or infinite"
        )
        return min(num_steps, len(shown))  # a task that makes them itself may add no periods

    def _asked(self, env: TrialEnv, num_steps: int) -> NDArray[Any] | None:
        """What `gt` or `gt_now` say by step, whatever it is; None if they say nothing."""
        try:
            target_T = by_step(env, num_steps)
        except CODE_FAULTS as error:
            raise Unbankable(refuse_raising(self.name, "gt_now", error)) from error
        return None if target_T is None else self._expect_actions_by_step(target_T, num_steps)

    def _expect_actions_by_step(self, target_T: NDArray[Any], num_steps: int) -> NDArray[Any]:
        self._expect(
            target_T.ndim == 1 and len(target_T) >= num_steps,
            "ground truth",
            f"its ground truth has shape {target_T.shape}, expected one action for each step",
        )
        return target_T[:num_steps]

    def _ground_truth(self, target_T: NDArray[Any]) -> Int64Array:
        fits_T = actions_in(target_T, self.num_actions)
        self._expect(
            bool(fits_T.all()),
            "ground truth",
            f"its ground truth {target_T[~fits_T][:1]} is not one of the actions 0 to "
            f"{self.num_actions - 1}",
        )
        return target_T.astype(np.int64)

    def _tables(
        self,
        probe: TrialCells,
        target_T: NDArray[Any],
        periods: dict[str, tuple[int, int]],
        thorough: bool,
        sparsely: bool,
    ) -> tuple[Float32Array, BoolArray]:
        everything = range(self.num_actions)
        reward_TO = np.zeros((len(target_T), self.num_actions), dtype=np.float32)
        ends_TO = np.ones(reward_TO.shape, dtype=bool)
        found = segments(target_T, periods)
        verified = int(self.rng.integers(len(found))) if sparsely else -1
        for place, steps in enumerate(found):
            first = probe.cells(int(steps[0]), everything, deep=probe.deep and thorough)
            if probe.deep and not thorough:
                probe.expect_unchanged(f"step {steps[0]}")
            rewards, ends = zip(*first, strict=True)
            reward_TO[steps], ends_TO[steps] = rewards, ends
            if all(ends):  # later steps are never reached
                ends_TO[steps[0] :] = True
                return reward_TO, ends_TO
            if thorough:
                for step in steps[1:]:
                    cells = probe.cells(int(step), everything)
                    reward_TO[step], ends_TO[step] = zip(*cells, strict=True)
                continue
            if sparsely and place != verified:
                continue
            for step in {int(steps[-1]), int(self.rng.choice(steps))} - {int(steps[0])}:
                probed = {0, int(self.rng.integers(self.num_actions))}
                if 0 <= target_T[step] < self.num_actions:
                    probed.add(int(target_T[step]))
                if probe.cells(step, sorted(probed)) != [
                    first[action] for action in sorted(probed)
                ]:
                    raise SegmentsDiffer
        return reward_TO, ends_TO

    def _expect(self, condition: bool, reason: str, detail: str) -> None:
        if not condition:
            raise Unbankable(refuse(reason, self.name, detail))


class SegmentsDiffer(Exception):
    """Steps in the same periods with the same ground truth pay differently: probe all of them."""


def segments(target_T: NDArray[Any], periods: dict[str, tuple[int, int]]) -> list[Int64Array]:
    """Consecutive steps in the same periods with the same ground truth; the last step is apart."""
    spans = np.array(list(periods.values()), dtype=np.int64).reshape(-1, 2)
    steps = np.arange(len(target_T))
    inside_TQ = (steps[:, None] >= spans[:, 0]) & (steps[:, None] < spans[:, 1])
    keys = np.column_stack([inside_TQ, target_T, steps == len(target_T) - 1])
    changes = np.flatnonzero((keys[1:] != keys[:-1]).any(axis=1)) + 1
    return np.split(steps, changes)


def _listen(env: TrialEnv, added: list[str]) -> None:
    """Note the periods that a trial adds: those of earlier trials stay in `start_ind`."""
    add_period = env.add_period

    def noting(period: Any, *args: Any, **kwargs: Any) -> None:
        if isinstance(period, str):
            added.append(period)
        add_period(period, *args, **kwargs)

    env.add_period = noting


def _clip(span: tuple[int, int], num_steps: int) -> tuple[int, int]:
    return min(max(span[0], 0), num_steps), min(max(span[1], 0), num_steps)
