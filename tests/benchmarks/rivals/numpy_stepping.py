"""ABCD on one network at a time, a step after a step, in plain NumPy: how one writes it first."""

from __future__ import annotations

import numpy as np

from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.trials.order import trial_numbers
from tests.benchmarks.rivals.jax_rules import (
    AMPLITUDE,
    CLAMPED,
    FIRST_STEP,
    LEAK,
    PROBABILITY,
    matrices_of,
)


def live(
    params: PlasticParams,
    batch: LifetimeBatch,
    person: int,
    num_trials: int,
    amplitude: float = AMPLITUDE,
) -> np.ndarray:
    """Losses [K] of one lifetime of trials of the published form.

    Args:
        params: innate weights, plasticity coefficients, and those of the rule "abcd".
        batch: the individuals.
        person: which one.
        num_trials: K.
        amplitude: of the perturbations, which it draws itself; 0 for none.
    """
    fixed = batch.tables.fixed
    timing = fixed.timing
    w, alpha = params.w_PNN[person].numpy(), params.alpha_PNN[person].numpy()
    a, b, c, d = (matrices_of(params.rule)[name][person] for name in "ABCD")
    size = len(w)
    random = np.random.default_rng(person)
    x = np.full(size, 0.1, np.float32)
    rate = np.full(size, 0.1, np.float32)
    rate[:5] = (0.0, 0.0, 0.0, 0.0, 1.0)
    p = np.zeros_like(w)
    loss_K = np.zeros(num_trials, np.float32)
    for trial in range(num_trials):
        number = trial_numbers(batch.trial_streams, batch.tables, trial)[person]
        stimulus_TI = fixed.stimulus_MTI[number]
        target = np.where(fixed.target_MO[number] > 0, 0.9, 0.1).astype(np.float32)
        activity = np.zeros(2, np.float32)
        loss = np.float32(0)
        for step in range(timing.num_steps):
            pre = rate
            x = x + np.float32(LEAK) * ((w + alpha * p) @ pre - x)
            if step >= FIRST_STEP:
                hit = random.random(size) < PROBABILITY
                x = x + hit * random.uniform(-amplitude, amplitude, size).astype(np.float32)
            rate = np.tanh(x)
            rate[0:2] = 3.0 * stimulus_TI[step]
            rate[2:CLAMPED] = 0.0
            rate[4] = 1.0
            rate[-2:] = 0.0
            if timing.response[0] <= step < timing.response[1]:
                rate[-2:] = 1.0 / (1.0 + np.exp(-x[-2:]))
                activity += rate[-2:]
                length = timing.response[1] - timing.response[0]
                loss += ((rate[-2:] - target) ** 2).sum() / np.float32(length)
            p = p + a * np.outer(rate, pre) + b * pre + c * rate[:, None] + d
            largest = np.abs(p[CLAMPED:]).max()
            if largest > 0:
                p = p / largest
            if timing.feedback[0] <= step < timing.feedback[1]:
                rate[2:4] = 3.0 * loss
                rate[5 + activity.argmax()] = 3.0
        loss_K[trial] = loss
    return loss_K
