"""What an environment itself says is the target action at each step of a trial.

The first of these that it has is believed:

1. `gt`, an action for each step, whether `set_groundtruth` made it or the task assigned it,
2. `gt_now`, where the task has its own, asked at each step,
3. `info["gt"]`, what `step` says of the step just taken.

An array that `set_groundtruth` made for an earlier trial is none of this one, which then has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from neurogym.core import TrialEnv
from numpy.typing import NDArray

from evoplastic.types import NO_TARGET, Int64Array

BUILT = "_evoplastic_built_gt"  # attribute of an environment: the array made last


def note_built(env: TrialEnv) -> None:
    """Remember the array of the trial just drawn if `set_groundtruth` made it."""
    if env._gt_built:
        setattr(env, BUILT, env.gt)


@contextmanager
def noting_built(envs: Sequence[TrialEnv]) -> Iterator[None]:
    """Remember what `set_groundtruth` makes inside of the block, over several trials too."""

    def listen(env: TrialEnv) -> None:
        plain = env._init_gt

        def noting() -> None:
            plain()
            note_built(env)

        env._init_gt = noting

    for env in envs:
        listen(env)
    try:
        yield
    finally:
        for env in envs:
            del env._init_gt


def by_step(env: TrialEnv, num_steps: int) -> NDArray[Any] | None:
    """What `gt` or `gt_now` say of the present trial, whatever it is; None if they say nothing.

    Args:
        env: after `note_built`, its clock anywhere in the trial.
        num_steps: T, the steps at which `gt_now` is asked; `gt` may be of any length.

    Raises:
        Exception: whatever the environment's own `gt_now` raises.
    """
    held = getattr(env, "gt", None)
    if held is not None and not env._gt_built and held is getattr(env, BUILT, None):
        return np.full(num_steps, NO_TARGET)
    said_T = None if held is None else _array(held)
    if said_T is not None and said_T.ndim:  # a single number is no word on each step
        return said_T
    if type(env).gt_now is TrialEnv.gt_now:
        return None
    clock = env.t, env.t_ind
    try:
        return plain([_gt_at(env, step) for step in range(num_steps)])
    finally:
        env.t, env.t_ind = clock


def _gt_at(env: TrialEnv, step: int) -> Any:
    env.t, env.t_ind = step * env.dt, step
    return env.gt_now


def plain(said: list[Any]) -> NDArray[Any]:
    """Words of single steps as an array; None is no target.

    >>> plain([0, None, 2])
    array([ 0, -1,  2])
    """
    return _array([NO_TARGET if value is None else value for value in said])


def _array(said: Any) -> NDArray[Any]:
    try:
        return np.asarray(said)
    except ValueError:  # rows of different lengths
        return np.array([repr(said)])


def are_actions(truth_T: NDArray[Any], num_actions: int) -> bool:
    """Whether a ground truth is an action, or none, at each step."""
    return bool(actions_in(truth_T, num_actions).all()) and truth_T.ndim == 1


def actions_in(truth_T: NDArray[Any], num_actions: int) -> NDArray[np.bool_]:
    """At which steps a ground truth is an action, or none."""
    if not (np.issubdtype(truth_T.dtype, np.number) or truth_T.dtype == np.bool_):
        return np.zeros(truth_T.shape, dtype=np.bool_)
    whole_T: Int64Array = truth_T.astype(np.int64)
    return np.asarray((whole_T == truth_T) & (whole_T < num_actions) & (whole_T >= NO_TARGET))


def says_nothing(truths: Sequence[NDArray[Any]]) -> bool:
    """Whether `info["gt"]` asks for doing nothing throughout, in all trials: a mere default."""
    return not any((np.asarray(truth_T) > 0).any() for truth_T in truths)
