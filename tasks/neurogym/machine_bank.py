"""Environments of NeuroGym that are finite-state machines, drawn from their own generators.

    bank = machine_bank(EnvSource("Bandit-v0", {"p": (0.9, 0.1)}), num_trials=500, seed=1)

Their rewards depend on chance or on the way through the trial, so no table over steps holds them
(`tasks.neurogym.bank`). Taking their random numbers in the order in which they would take them
themselves makes the trials equal to the real ones, bit for bit. One thing about DawTwoStep differs:
it shows zeros in place of the first cue on a trial that follows an abort (`ZERO_CUE`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from neurogym.envs.native.bandit import Bandit
from neurogym.envs.native.dawtwostep import DawTwoStep
from numpy.typing import NDArray

from evoplastic.checks import require
from evoplastic.trials.table import TrialTable
from tasks.machines.draws import Draws
from tasks.machines.state_machine import (
    ProbabilityVariable,
    RewardRule,
    StateMachine,
    StateVariable,
)
from tasks.machines.states import realise
from tasks.neurogym.conformance import Difference
from tasks.neurogym.environments import EnvSource
from tasks.neurogym.meta_bandit import MetaBandit
from tasks.neurogym.refusals import Unbankable, refuse

ZERO_CUE = (
    "DawTwoStep shows zeros in place of the cue at the first step of a trial that follows an abort"
)
MIN_INSTANCES = 64  # fewer would leave levels to the luck of their arms
CHOICE, FIRST, SECOND, OVER = range(4)  # states of the two-step task


def machine_bank(source: EnvSource, num_trials: int, seed: int) -> TrialTable | None:
    """The first trials of a fresh instance, or None for an environment that is no known machine.

    Of a task that is drawn anew for each lifetime, whole instances, at least `MIN_INSTANCES`.

    The target action is that of highest expected reward: the better arm; in the two-step task the
    first choice that leads to the better state more often (its own ground truth), then to fixate,
    as anything else costs. Arms that are equally good ask for nothing.

    Raises:
        Unbankable: it cannot be made, or its settings contradict each other.
        UsageError: `num_trials` is not at least 1.
    """
    require(num_trials >= 1, f"num_trials is {num_trials}, expected at least 1")
    env = source.make(seed)
    realised = {Bandit: _bandit, MetaBandit: _meta_bandit, DawTwoStep: _two_step}.get(type(env))
    if realised is None:
        return None
    if isinstance(env, Bandit):
        _check_arms(source, env)
    return realise(*realised(source, env, num_trials))


def is_zero_cue(difference: Difference) -> bool:
    """Whether an environment differs from its machine in what `ZERO_CUE` says."""
    at_the_cue = (difference.what, difference.step) == ("shows", 0)
    return at_the_cue and not difference.came.any()


def _check_arms(source: EnvSource, env: Bandit) -> None:
    for what, values in (("p", env._p), ("rewards", env._rewards)):
        if np.shape(values) != (env.n,):
            detail = f"{what} has shape {np.shape(values)}, expected one for each of {env.n} arms"
            raise Unbankable(refuse("cannot be made", source.name, detail))
        if not np.isfinite(values).all():
            raise Unbankable(refuse("not finite", source.name, f"{what} is {values}"))


def bandit_machine(
    source: EnvSource,
    probabilities: Sequence[float | ProbabilityVariable],
    values: NDArray[Any],
    **variables: Any,
) -> StateMachine:
    """One state, one step; each arm pays its value with its probability."""
    arms = zip(probabilities, values, strict=True)
    return StateMachine(
        name=source.name,
        transition_SOS=np.ones((1, len(values), 1)),
        stimuli=(None,),
        code_YI=np.zeros((0, 1), dtype=np.float32),
        rewards=tuple(
            RewardRule(action=arm, probability=probability, value=float(value))
            for arm, (probability, value) in enumerate(arms)
        ),
        num_steps=1,
        dt_ms=float(source.dt_ms),
        **variables,
    )


def _bandit(source: EnvSource, env: Bandit, num_trials: int) -> tuple[StateMachine, Draws]:
    # a draw is below a bound beyond [0, 1) always or never
    machine = bandit_machine(source, np.clip(env._p, 0, 1).tolist(), env._rewards)
    return machine, _bandit_draws(env.rng.random(num_trials), np.zeros((num_trials, 0)), env.n)


def _meta_bandit(source: EnvSource, env: MetaBandit, num_trials: int) -> tuple[StateMachine, Draws]:
    block, n = env.instance_trials, env.n
    instances = max(-(-num_trials // block), MIN_INSTANCES)
    drawn_BX = env.rng.random((instances, n + block))
    probability_BX = env.low + drawn_BX[:, :n] * (env.high - env.low)
    if env.opposed:
        probability_BX[:, 1] = 1.0 - probability_BX[:, 0]
    machine = bandit_machine(
        source,
        [ProbabilityVariable(arm) for arm in range(n)],
        env._rewards,
        probability_ranges=((env.low, env.high),) * n,
        instance_trials=block,
    )
    draws = _bandit_draws(drawn_BX[:, n:].ravel(), probability_BX.repeat(block, axis=0), n)
    return machine, draws


def _bandit_draws(pay_M: NDArray[Any], probability_MX: NDArray[Any], n: int) -> Draws:
    M = len(pay_M)
    none = np.zeros((M, 0), dtype=np.int64)
    return Draws(np.zeros((M, 1, 1, n)), pay_M[:, None, None], none, probability_MX, none)


def two_step_machine(source: EnvSource, env: DawTwoStep) -> StateMachine:
    """A choice leads to one of two states, which pays; then fixate. The better state may switch."""
    transition_SOS = np.zeros((4, 3, 4))
    transition_SOS[:, :, OVER] = 1.0
    transition_SOS[CHOICE, 1] = (0.0, env.p1, 1.0 - env.p1, 0.0)
    transition_SOS[CHOICE, 2] = (0.0, 1.0 - env.p2, env.p2, 0.0)
    correct, abort = float(env.rewards["correct"]), float(env.rewards["abort"])
    low, high = env.low_reward_p, env.high_reward_p
    return StateMachine(
        name=source.name,
        transition_SOS=transition_SOS,
        stimuli=(0, 1, 2, None),
        code_YI=np.eye(3, dtype=np.float32),
        rewards=(
            RewardRule(old=CHOICE, new=FIRST, probability=low, value=correct),
            RewardRule(old=CHOICE, new=SECOND, probability=low, value=correct),
            RewardRule(old=CHOICE, new=StateVariable(0), probability=high, value=correct),
            RewardRule(old=CHOICE, action=0, value=abort),
            *(
                RewardRule(old=state, action=action, value=abort)
                for state in (FIRST, SECOND)
                for action in (1, 2)
            ),
        ),
        num_steps=2,
        ends=(OVER,),
        holds=(FIRST, SECOND),
        state_ranges=((FIRST, SECOND),),
        switch=env.p_switch,
        dt_ms=float(source.dt_ms),
    )


def _two_step(source: EnvSource, env: DawTwoStep, num_trials: int) -> tuple[StateMachine, Draws]:
    # a trial draws its moves by either choice, the switch, the pay of the better and other state
    drawn_MX = env.rng.random((num_trials, 5))
    switched_M = (drawn_MX[:, 2] < env.p_switch).cumsum() % 2
    first_is_better_M = env.state1_high_reward ^ (switched_M == 1)
    better_M = np.where(first_is_better_M, FIRST, SECOND)
    M = np.arange(num_trials)
    moves_MTSO = np.zeros((num_trials, 2, 4, 3))
    moves_MTSO[:, 0, CHOICE, 1:] = drawn_MX[:, :2]
    pays_MTS = np.zeros((num_trials, 2, 4))  # what costs, costs always
    pays_MTS[M, 0, better_M] = drawn_MX[:, 3]
    pays_MTS[M, 0, FIRST + SECOND - better_M] = drawn_MX[:, 4]
    none = np.zeros((num_trials, 0))
    draws = Draws(moves_MTSO, pays_MTS, better_M[:, None], none, none.astype(np.int64))
    return two_step_machine(source, env), draws
