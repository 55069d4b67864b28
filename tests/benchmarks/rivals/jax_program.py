"""A straightforward JAX program of the same lifetimes: vmap over individuals, scan over trials and
steps, jit over everything. Threads are XLA's own."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch

from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams

ETA, MAX_CHANGE, FIRST_TRIAL, QUIET_TRIALS = 0.03, 0.01, 31, 19
LEAK, RETENTION, PROBABILITY, AMPLITUDE, FIRST_STEP = 0.2, 0.98, 0.1, 0.5, 2


def missing() -> str | None:
    """Why this rival cannot run here, or None if it can."""
    return None if importlib.util.find_spec("jax") else "jax is not installed"


def version() -> Iterator[tuple[str, str]]:
    """A row of the report on what was measured, if this rival can run."""
    if missing() is None:
        from importlib.metadata import version

        yield "jax, of the rival", version("jax")


def device() -> str:
    """Where the program runs: the first of JAX's devices."""
    import jax

    return f"{jax.default_backend()}, {jax.devices()[0]}"


def live(params: PlasticParams, batch: LifetimeBatch, num_trials: int) -> torch.Tensor:
    """Losses [P, K] of the published lifetime gated by the outcome."""
    import jax

    fixed = batch.tables.fixed
    answer_M, timing = fixed.target_action_M, fixed.timing
    windows = (timing.num_steps, *timing.response, *timing.feedback)
    loss_PK = _program(windows, num_trials)(
        params.w_PNN.numpy(),
        params.alpha_PNN.numpy(),
        np.ascontiguousarray(answer_M.reshape(-1, 4)[batch.task_P]),
        jax.random.split(jax.random.key(batch.seed), 1 + batch.perturb_stream_P.max())[
            batch.perturb_stream_P
        ],
        fixed.stimulus_MTI[:4],
    )
    return torch.from_numpy(np.array(loss_PK))


_PROGRAMS: dict[Any, Any] = {}


def _program(windows: tuple[int, ...], num_trials: int) -> Any:
    """One jitted program for each shape of trial, so that a second call does not trace again."""
    import jax

    if (windows, num_trials) not in _PROGRAMS:
        life = partial(_life, windows, num_trials)
        _PROGRAMS[windows, num_trials] = jax.jit(jax.vmap(life, in_axes=(0, 0, 0, 0, None)))
    return _PROGRAMS[windows, num_trials]


def _life(
    windows: tuple[int, ...],
    num_trials: int,
    w: Any,
    alpha: Any,
    answer: Any,
    key: Any,
    stimulus_4TI: Any,
) -> Any:
    """One individual; written as one would write it first."""
    import jax
    import jax.numpy as jnp

    num_steps, response_start, response_stop, feedback_start, feedback_stop = windows
    size = w.shape[0]
    response = slice(size - 2, size)

    def run_steps(
        carry: Any, steps: Any, w_eff: Any, stimulus_TI: Any, xi_TN: Any, told: Any
    ) -> Any:
        target, feedback, action = told

        def run_step(carry: Any, step: Any) -> tuple[Any, None]:
            x, rate, elig, loss, activity = carry
            xi = xi_TN[step]
            x = x + LEAK * (w_eff @ rate - x) + xi
            elig = RETENTION * (elig + xi[:, None] * rate[None, :])
            rate = jnp.tanh(x)
            rate = rate.at[0:2].set(3.0 * stimulus_TI[step])
            rate = rate.at[2:4].set(jnp.where(step < feedback_stop, feedback, 0.0))
            rate = rate.at[4].set(1.0)
            rate = rate.at[5:7].set(jnp.where(step < feedback_stop, action, 0.0))
            speaking = (step >= response_start) & (step < response_stop)
            spoken = jnp.where(speaking, jax.nn.sigmoid(x[response]), 0.0)
            rate = rate.at[response].set(spoken)
            miss = ((spoken - target) ** 2).sum() / (response_stop - response_start)
            loss = loss + jnp.where(speaking, miss, 0.0)
            return (x, rate, elig, loss, activity + spoken), None

        return jax.lax.scan(run_step, carry, steps)[0]

    def run_trial(carry: Any, trial: Any) -> tuple[Any, Any]:
        x, rate, elig, p, baseline = carry
        kind_key, hit_key, size_key = jax.random.split(jax.random.fold_in(key, trial), 3)
        kind = jax.random.randint(kind_key, (), 0, 4)
        target = jnp.where(jnp.arange(2) == answer[kind], 0.9, 0.1)
        shape = (num_steps, size)
        hit = jax.random.bernoulli(hit_key, PROBABILITY, shape)
        xi_TN = jnp.where(
            hit
            & (jnp.arange(num_steps)[:, None] >= FIRST_STEP)
            & (trial < num_trials - QUIET_TRIALS),
            jax.random.uniform(size_key, shape, minval=-AMPLITUDE, maxval=AMPLITUDE),
            0.0,
        )
        stimulus_TI = stimulus_4TI[kind]
        silence = (target, jnp.zeros(2), jnp.zeros(2))
        inside = (x, rate, elig, jnp.zeros(()), jnp.zeros(2))
        before = jnp.arange(feedback_start + 1)
        inside = run_steps(inside, before, w + alpha * p, stimulus_TI, xi_TN, silence)
        x, rate, elig, loss, activity = inside
        mean = baseline[kind]
        change = jnp.clip(-ETA * elig * mean * (loss - mean), -MAX_CHANGE, MAX_CHANGE)
        p = jnp.where(trial >= FIRST_TRIAL, p + change, p)
        baseline = baseline.at[kind].set(0.9 * mean + 0.1 * loss)
        feedback = jnp.full(2, 3.0 * loss)
        action = 3.0 * jax.nn.one_hot(activity.argmax(), 2)
        rate = rate.at[2:4].set(feedback).at[5:7].set(action)
        after = jnp.arange(feedback_start + 1, num_steps)
        told = (target, feedback, action)
        inside = (x, rate, elig, loss, activity)
        x, rate, elig, _, _ = run_steps(inside, after, w + alpha * p, stimulus_TI, xi_TN, told)
        return (x, rate, elig, p, baseline), loss

    x = jnp.where(jnp.arange(size) < 5, 0.0, 0.1)
    matrix = jnp.zeros((size, size))
    newborn = (x, x.at[4].set(1.0), matrix, matrix, jnp.zeros(4))
    return jax.lax.scan(run_trial, newborn, jnp.arange(num_trials))[1]
