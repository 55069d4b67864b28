"""Straightforward JAX programs of rules that change weights at every step: vmap over individuals,
scan over trials and steps, jit over everything. Threads are XLA's own."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.rules.catalogue import RULES
from evoplastic.rules.params import RuleParams
from evoplastic.trials.order import trial_numbers
from tests.benchmarks.rivals.jax_program import missing as missing

LEAK, PROBABILITY, AMPLITUDE, FIRST_STEP = 0.2, 0.1, 0.5, 2
CLAMPED = 7  # stimulus 2, feedback 2, bias 1, action 2


def live(
    rule: str,
    params: PlasticParams,
    batch: LifetimeBatch,
    num_trials: int,
    amplitude: float = AMPLITUDE,
) -> torch.Tensor:
    """Losses [P, K] of lifetimes of trials of the published form, in the engine's order of trials.

    Args:
        rule: one of `CHANGES`.
        params: innate weights, plasticity coefficients, and those of the rule.
        batch: the individuals.
        num_trials: K.
        amplitude: of the perturbations, which JAX draws itself; 0 for none.
    """
    import jax

    fixed = batch.tables.fixed
    timing = fixed.timing
    windows = (timing.num_steps, *timing.response, *timing.feedback)
    trial_PK = np.stack(
        [trial_numbers(batch.trial_streams, batch.tables, k) for k in range(num_trials)], axis=1
    )
    keys = jax.random.split(jax.random.key(batch.seed), 1 + int(batch.perturb_stream_P.max()))
    loss_PK = _program(rule, windows, amplitude)(
        params.w_PNN.numpy(),
        params.alpha_PNN.numpy(),
        matrices_of(params.rule),
        trial_PK,
        keys[batch.perturb_stream_P],
        fixed.stimulus_MTI,
        np.where(fixed.target_MO > 0, 0.9, 0.1).astype(np.float32),
    )
    return torch.from_numpy(np.array(loss_PK))


def matrices_of(params: RuleParams) -> dict[str, np.ndarray]:
    """The coefficients of connections, by the last name of their product: A of eta A."""
    return {
        names[-1]: found.of_pair.numpy()
        for names, found in params.coefficients.items()
        if found.of_pair is not None
    }


def _oja(p: Any, post: Any, pre: Any, mod: Any, of_pair: dict[str, Any]) -> Any:
    eta = RULES["oja"].defaults.eta
    return p + eta * post[:, None] * (pre[None, :] - post[:, None] * p)


def _backpropamine(p: Any, post: Any, pre: Any, mod: Any, of_pair: dict[str, Any]) -> Any:
    import jax.numpy as jnp

    constants = RULES["backpropamine"].defaults
    grown = p + constants.eta * mod * post[:, None] * pre[None, :]
    return jnp.clip(grown, -constants.max_p, constants.max_p)


def _abcd(p: Any, post: Any, pre: Any, mod: Any, of_pair: dict[str, Any]) -> Any:
    import jax.numpy as jnp

    a, b, c, d = (of_pair[name] for name in "ABCD")
    p = p + a * post[:, None] * pre[None, :] + b * pre[None, :] + c * post[:, None] + d
    largest = jnp.abs(p[CLAMPED:]).max()
    return p / jnp.where(largest > 0, largest, 1.0)


CHANGES = {"oja": _oja, "backpropamine": _backpropamine, "abcd": _abcd}
_PROGRAMS: dict[Any, Any] = {}


def _program(rule: str, windows: tuple[int, ...], amplitude: float) -> Any:
    """One jitted program for each rule, so that a second call does not trace again."""
    import jax

    key = rule, windows, amplitude
    if key not in _PROGRAMS:
        life = partial(_life, CHANGES[rule], windows, amplitude)
        _PROGRAMS[key] = jax.jit(jax.vmap(life, in_axes=(0, 0, 0, 0, 0, None, None)))
    return _PROGRAMS[key]


def _life(
    change: Any,
    windows: tuple[int, ...],
    amplitude: float,
    w: Any,
    alpha: Any,
    of_pair: dict[str, Any],
    trial_K: Any,
    key: Any,
    stimulus_MTI: Any,
    target_MO: Any,
) -> Any:
    """One individual; written as one would write it first."""
    import jax
    import jax.numpy as jnp

    num_steps, response_start, response_stop, feedback_start, feedback_stop = windows
    size = w.shape[0]
    response = slice(size - 2, size)

    def run_steps(carry: Any, steps: Any, stimulus_TI: Any, xi_TN: Any, told: Any) -> Any:
        target, feedback, action = told

        def run_step(carry: Any, step: Any) -> tuple[Any, None]:
            x, pre, p, loss, activity = carry
            x = x + LEAK * ((w + alpha * p) @ pre - x) + xi_TN[step]
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
            p = change(p, rate, pre, rate[size - 4] - rate[size - 3], of_pair)
            return (x, rate, p, loss, activity + spoken), None

        return jax.lax.scan(run_step, carry, steps)[0]

    def run_trial(carry: Any, here: Any) -> tuple[Any, Any]:
        x, rate, p = carry
        trial, number = here
        hit_key, size_key = jax.random.split(jax.random.fold_in(key, trial))
        shape = (num_steps, size)
        hit = jax.random.bernoulli(hit_key, PROBABILITY, shape)
        hit = hit & (jnp.arange(num_steps)[:, None] >= FIRST_STEP)
        drawn = jax.random.uniform(size_key, shape, minval=-amplitude, maxval=amplitude)
        xi_TN = jnp.where(hit, drawn, 0.0)
        stimulus_TI, target = stimulus_MTI[number], target_MO[number]
        silence = (target, jnp.zeros(2), jnp.zeros(2))
        inside = (x, rate, p, jnp.zeros(()), jnp.zeros(2))
        before = jnp.arange(feedback_start + 1)
        x, rate, p, loss, activity = run_steps(inside, before, stimulus_TI, xi_TN, silence)
        feedback = jnp.full(2, 3.0 * loss)
        action = 3.0 * jax.nn.one_hot(activity.argmax(), 2)
        rate = rate.at[2:4].set(feedback).at[5:7].set(action)
        after = jnp.arange(feedback_start + 1, num_steps)
        inside = (x, rate, p, loss, activity)
        x, rate, p, _, _ = run_steps(inside, after, stimulus_TI, xi_TN, (target, feedback, action))
        return (x, rate, p), loss

    x = jnp.where(jnp.arange(size) < 5, 0.0, 0.1)
    newborn = (x, x.at[4].set(1.0), jnp.zeros((size, size)))
    return jax.lax.scan(run_trial, newborn, (jnp.arange(len(trial_K)), trial_K))[1]
