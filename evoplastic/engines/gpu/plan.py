"""What a GPU lifetime gets as numbers, in two small device arrays.

Numbers that change from generation to generation travel in arrays, not as arguments: a kernel is
compiled once per network and task size, not once per seed. Needs no Triton.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.lifetime.config import BINARY_LOSS_CORRECT, BINARY_LOSS_WRONG, LifetimeConfig
from evoplastic.network.intrinsic import Intrinsic
from evoplastic.random.counters import perturbation_constants, seed_key
from evoplastic.random.draws import purposes
from evoplastic.trials.timing import TrialTiming

NEVER = (1 << 31) - 1  # a step that no trial reaches


class Ints(NamedTuple):
    """Whole numbers of a batch of lifetimes, an int64 array on the device."""

    num_individuals: int
    w_stride: int  # from the matrix of one individual to that of the next; 0 if all share it
    alpha_stride: int
    pair_stride: int  # of a rule's coefficients of connections
    num_trials: int
    num_steps: int
    response_start: int
    response_stop: int
    feedback_start: int
    feedback_stop: int
    first_trial: int
    first_quiet_trial: int
    first_hit_step: int
    stop_hit_step: int
    perturb_hidden: int
    perturb_modulators: int
    hit_below: int  # threshold - 1
    hit_centre: int
    trial_purpose: int
    perturb_purpose: int
    key0: int
    key1: int


class Reals(NamedTuple):
    """Numbers of a batch of lifetimes, a float32 array on the device."""

    leak: float  # dt / tau, unless it differs between neurons
    initial_activation: float
    stimulus_gain: float
    feedback_gain: float
    action_gain: float
    bias_rate: float
    response_length: float
    binary_correct: float
    binary_wrong: float
    trace_gain: float  # the change is limit(trace_gain * elig * M)
    max_change: float
    max_p: float
    mean_keep: float
    mean_rest: float  # 1 - mean_keep
    retention: float
    target_low: float
    target_high: float
    hit_scale: float


def windows_of(timing: TrialTiming | None) -> tuple[int, int, int, int]:
    """First and last step of the response and of the feedback; self-paced trials have none."""
    if timing is None:
        return 0, 0, 0, 0
    return *timing.response, *timing.feedback


def make_ints(
    num_individuals: int,
    strides: tuple[int, int, int],
    batch: LifetimeBatch,
    config: LifetimeConfig,
) -> Ints:
    """The whole numbers of a launch.

    Args:
        num_individuals: how many it simulates.
        strides: from one individual's w, alpha and coefficients to the next one's.
        batch: tasks and random streams.
        config: everything else about the lifetime.
    """
    tables, noise = batch.tables, config.perturbation
    response_start, response_stop, feedback_start, feedback_stop = windows_of(tables.timing)
    threshold, centre, _ = perturbation_constants(noise.probability, noise.amplitude)
    trial_purpose, perturb_purpose = purposes(batch)
    key0, key1 = seed_key(batch.seed)
    return Ints(
        num_individuals=num_individuals,
        w_stride=strides[0],
        alpha_stride=strides[1],
        pair_stride=strides[2],
        num_trials=config.num_trials,
        num_steps=tables.num_steps,
        response_start=response_start,
        response_stop=response_stop,
        feedback_start=feedback_start,
        feedback_stop=feedback_stop,
        first_trial=config.rule.constants.first_trial,
        first_quiet_trial=config.num_trials - config.quiet_trials,
        first_hit_step=noise.first_step,
        stop_hit_step=noise.stop_step or NEVER,
        perturb_hidden=int(noise.perturb_hidden),
        perturb_modulators=int(noise.perturb_modulators),
        hit_below=threshold - 1,
        hit_centre=centre,
        trial_purpose=trial_purpose,
        perturb_purpose=perturb_purpose,
        key0=key0,
        key1=key1,
    )


def make_reals(batch: LifetimeBatch, config: LifetimeConfig) -> Reals:
    """The other numbers, in double precision until they reach the device."""
    tables, dynamics, rule = batch.tables, config.dynamics, config.rule
    noise, constants = config.perturbation, config.rule.constants
    response_start, response_stop, *_ = windows_of(tables.timing)
    leak = Intrinsic().leak(dynamics, tables.dt_ms) if not dynamics.evolved else 0.0
    assert not isinstance(leak, Tensor), "a number of the recipe"
    return Reals(
        leak=leak,
        initial_activation=dynamics.initial_activation,
        stimulus_gain=dynamics.stimulus_gain,
        feedback_gain=dynamics.feedback_gain,
        action_gain=dynamics.action_gain,
        bias_rate=dynamics.bias_rate,
        response_length=response_stop - response_start,
        binary_correct=BINARY_LOSS_CORRECT,
        binary_wrong=BINARY_LOSS_WRONG,
        trace_gain=0.0 if config.schedule == "every_step" else rule.table.trace_gain(constants),
        max_change=constants.max_change,
        max_p=constants.max_p,
        mean_keep=constants.mean_keep,
        mean_rest=1.0 - constants.mean_keep,
        retention=1.0 - tables.dt_ms / constants.tau_elig_ms,
        target_low=config.target_low,
        target_high=config.target_high,
        hit_scale=float(perturbation_constants(noise.probability, noise.amplitude)[2]),
    )


def retention_powers(batch: LifetimeBatch, config: LifetimeConfig) -> NDArray[np.float32]:
    """What is left of a trace after 0, 1 .. T steps, [T + 1]."""
    tables = batch.tables
    retention = 1.0 - tables.dt_ms / config.rule.constants.tau_elig_ms
    return (retention ** np.arange(tables.num_steps + 1)).astype(np.float32)
