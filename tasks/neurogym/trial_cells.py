"""One cell of a trial: what one action at one step pays, ends and shows next.

The environment's own `step` is called with its clock set back, so nothing is guessed. What makes
that legitimate, that a step leaves nothing behind but the clock, is checked with each call.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import zip_longest
from typing import Any, NoReturn

import gymnasium
import numpy as np
from neurogym.core import TrialEnv
from numpy.typing import NDArray

from tasks.neurogym.environments import refuse_raising
from tasks.neurogym.faults.raised import CODE_FAULTS
from tasks.neurogym.ground_truth import plain
from tasks.neurogym.object_graph import changed_path, is_random, state_of
from tasks.neurogym.refusals import Unbankable, refuse


class TrialCells:
    """Steps one trial of one environment, each time from the state it was drawn in."""

    def __init__(self, name: str, top: Any, env: TrialEnv, deep: bool) -> None:
        self.name, self.top, self.env, self.deep = name, top, env, deep
        self.shown_TI = np.array(env.ob)
        self.shown_bytes_T = [row.tobytes() for row in self.shown_TI]
        self.held = [vars(env), *(vars(wrapper) for wrapper in wrappers_of(top))]
        set_clock(env, 0, 0)
        self.before = [tuple(each.values()) for each in self.held]
        self.deep_before = self._deep_state() if deep else None

    def cells(
        self, step: int, actions: Iterable[int], *, deep: bool = False
    ) -> list[tuple[float, bool]]:
        """Reward and end for some actions at one step."""
        env, take_step, found = self.env, self.top.step, []
        time_ms = step * env.dt
        for action in actions:
            env.t, env.t_ind, env.performance = time_ms, step, 0
            try:
                shown, reward, terminated, truncated, info = take_step(action)
                reward, ends = float(reward), bool(info["new_trial"])
            except CODE_FAULTS as error:
                where = f"step({action}) at step {step}"
                raise Unbankable(refuse_raising(self.name, where, error)) from error
            if terminated or truncated:
                self._refuse(
                    "ends the episode",
                    f"step({action}) at step {step} says terminated or truncated; a trial ends "
                    "with info['new_trial'], and no trial ends the lifetime",
                )
            if not math.isfinite(reward):
                self._refuse("not finite", f"step({action}) at step {step} pays {reward}")
            row = 0 if ends else step + 1
            if row >= len(self.shown_bytes_T):
                self._refuse(
                    "observation depends on history",
                    f"the trial goes on after step {step}, where its observations (env.ob) end",
                )
            if type(shown) is not np.ndarray or shown.tobytes() != self.shown_bytes_T[row]:
                self._compare(shown, row, step)
            env.t, env.t_ind, env.performance = 0, 0, 0
            for values, each in zip(self.before, self.held, strict=True):
                if len(values) != len(each) or not all(map(operator.is_, values, each.values())):
                    self._expect_equal(values, each, f"step({action}) at step {step}")
            if deep:
                self.expect_unchanged(f"step({action}) at step {step}")
            found.append((reward, ends))
        return found

    def said(self, num_steps: int) -> NDArray[Any]:
        """`info["gt"]` of each step, whatever it is; NO_TARGET where it hangs on the action.

        A step that cannot be taken, and those after it, say nothing here.
        """
        said: list[Any] = []
        with suppress(*CODE_FAULTS):
            for step in range(num_steps):
                words = []
                for action in (0, int(self.top.action_space.n) - 1):
                    set_clock(self.env, step * self.env.dt, step)
                    words.append(self.top.step(action)[4].get("gt"))
                said.append(words[0] if np.array_equal(*words) else None)
        set_clock(self.env, 0, 0)
        return plain(said + [None] * (num_steps - len(said)))

    def _compare(self, shown: Any, row: int, step: int) -> None:
        expected = self.shown_TI[row]
        if np.shape(shown) != expected.shape:
            self._refuse(
                "size changes",
                f"after step {step} it shows shape {np.shape(shown)}, expected {expected.shape}",
            )
        if not np.isfinite(shown).all():
            self._refuse("not finite", f"after step {step} it shows NaN or infinity")
        if (shown == expected).all():
            return
        seen = []
        for action in range(int(self.top.action_space.n)):
            set_clock(self.env, step * self.env.dt, step)
            seen.append(np.array(self.top.step(action)[0]))
        differs = any((each != seen[0]).any() for each in seen)
        self._refuse(
            "observation depends on action" if differs else "observation depends on history",
            f"after step {step}, step() shows something else than the trial holds (env.ob)",
        )

    def _deep_state(self) -> dict[str, Any]:
        return state_of((self.top, np.random.mtrand._rand))

    def _expect_equal(self, values: tuple[Any, ...], held: dict[str, Any], what: str) -> None:
        """Attributes may be set anew, to equal values."""
        after = tuple(held.values())
        for name, old, new in zip_longest(held, values, after):
            if old is not new and state_of(old) != state_of(new):
                self._refuse_state(what, f"its attribute {name!r}")

    def expect_unchanged(self, what: str) -> None:
        """Nothing within reach has another value than when the trial was drawn.

        Raises:
            Unbankable: something has.
        """
        assert self.deep_before is not None
        path = changed_path(self.deep_before, self._deep_state())
        if path is not None and is_random(path):
            self._refuse(
                "reward is random", f"{what} draws random numbers; draw them in _new_trial instead"
            )
        if path is not None:
            self._refuse_state(what, path)

    def _refuse_state(self, what: str, where: str) -> NoReturn:
        self._refuse(
            "keeps state",
            f"{what} changes {where}, which later rewards or observations may depend on",
        )

    def _refuse(self, reason: str, detail: str) -> NoReturn:
        raise Unbankable(refuse(reason, self.name, detail))


def wrappers_of(top: Any) -> Iterator[Any]:
    """The wrappers around the environment, outermost first."""
    while isinstance(top, gymnasium.Wrapper):
        yield top
        top = top.env


def set_clock(env: TrialEnv, time_ms: float, step: int) -> None:
    env.t, env.t_ind, env.performance = time_ms, step, 0
