"""What a compiled lifetime gets as numbers (`Plan`), and how its memory is laid out.

Layout. Clamped neurons (stimulus, feedback, bias, action) are overwritten from outside, so their
own activation, and what they receive, can never be observed: the engine leaves them out. Neuron n
below means neuron C + n of the network, C = num_clamped. A vector of rates, and every row of a
matrix, is

    U' unclamped neurons | C' clamped neurons          row = U' + C'

each rounded up to a multiple of 16 numbers, the surplus held at 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evoplastic.engines.codes import FEEDBACK_CODES, OUTCOME_CODES
from evoplastic.engines.cpu.simd.philox import PHILOX_LANES
from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.lifetime.config import BINARY_LOSS_CORRECT, BINARY_LOSS_WRONG, LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import perturbation_constants, seed_key
from evoplastic.random.draws import purposes

LARGEST_RATE, LARGEST_GAIN = 1.001, 2.002  # of a neuron, and of one whose gain is modulated
CHUNK = 16  # steps of noise drawn at a time where a trial's length is not known beforehand


class Plan(NamedTuple):
    """Scalars of a batch of lifetimes.

    Of self-paced trials, the response window is all of the trial and the step before, and
    the feedback window is the first step.
    """

    self_paced: bool
    num_trials: int
    num_steps: int  # T, of the longest trial
    chunk: int  # steps whose noise is drawn at a time
    num_unclamped: int
    unclamped_width: int  # U'
    num_clamped: int
    clamped_width: int  # C'
    row: int  # U' + C'
    num_inputs: int
    num_outputs: int
    feedback_at: int  # first place of a group among the clamped neurons
    bias_at: int
    action_at: int
    modulators_at: int  # first place of a group among the unclamped neurons
    response_at: int
    bank_inputs: int  # channels in a row of the tables
    bank_outputs: int  # actions in a row of the tables
    num_kinds: int
    response_start: int
    response_stop: int
    feedback_start: int
    feedback_stop: int
    initial_activation: np.float32
    largest_rate: np.float32  # no rate of an unclamped neuron is larger, rounding included
    stimulus_gain: np.float32
    feedback_gain: np.float32
    action_gain: np.float32
    bias_rate: np.float32
    feedback: int
    outcome: int
    binary_correct: np.float32
    binary_wrong: np.float32
    target_low: np.float32
    target_high: np.float32
    in_tiles: bool  # whether matrices lie in tiles, as the lazy schedule wants them
    by_source: bool  # whether alpha lies as weight does, [row, U'], for every_step
    gate_always: bool
    with_baseline: bool
    per_kind: bool
    trace_gain: np.float32  # the change is clip(trace_gain * M * elig)
    max_change: np.float32
    first_trial: int
    retention: np.float32
    retention_read: np.float32  # decay of a trace once read: retention ** T, self_paced trials 1
    first_quiet_trial: int
    first_hit_step: int
    stop_hit_step: int
    quarter: int  # Q, counters of a step
    word_row: int
    hit_below: np.uint32  # threshold - 1
    hit_centre: np.uint32
    hit_scale: np.float32
    trial_purpose: np.uint32
    perturb_purpose: np.uint32
    key0: np.uint32
    key1: np.uint32


def make_plan(groups: NeuronGroups, batch: LifetimeBatch, config: LifetimeConfig) -> Plan:
    """Everything about a batch that compiled code needs as numbers."""
    dynamics = config.dynamics
    rule, noise = config.rule, config.perturbation
    constants = rule.constants
    unclamped = groups.num_neurons - groups.num_clamped
    unclamped_width, clamped_width = _round_up(unclamped), _round_up(groups.num_clamped)
    dt_ms, num_steps, response, feedback = windows(batch)
    self_paced = batch.self_paced
    chunk = min(CHUNK, num_steps) if self_paced else num_steps
    tables = batch.tables.interface
    retention = 1.0 - dt_ms / constants.tau_elig_ms
    threshold, centre, scale = perturbation_constants(noise.probability, noise.amplitude)
    quarter = -(-groups.num_neurons // 4)
    trial_purpose, perturb_purpose = purposes(batch)
    key0, key1 = seed_key(batch.seed)
    return Plan(
        self_paced=self_paced,
        num_trials=config.num_trials,
        num_steps=num_steps,
        chunk=chunk,
        num_unclamped=unclamped,
        unclamped_width=unclamped_width,
        num_clamped=groups.num_clamped,
        clamped_width=clamped_width,
        row=unclamped_width + clamped_width,
        num_inputs=groups.num_inputs,
        num_outputs=groups.num_outputs,
        feedback_at=groups.feedback.start,
        bias_at=groups.bias,
        action_at=groups.action.start,
        modulators_at=groups.modulators.start - groups.num_clamped,
        response_at=groups.response.start - groups.num_clamped,
        bank_inputs=tables.num_inputs,
        bank_outputs=tables.num_outputs,
        num_kinds=batch.tables.num_kinds,
        response_start=response[0],
        response_stop=response[1],
        feedback_start=feedback[0],
        feedback_stop=feedback[1],
        initial_activation=np.float32(dynamics.initial_activation),
        largest_rate=np.float32(LARGEST_GAIN if config.modulation.onto("gain") else LARGEST_RATE),
        stimulus_gain=np.float32(dynamics.stimulus_gain),
        feedback_gain=np.float32(dynamics.feedback_gain),
        action_gain=np.float32(dynamics.action_gain),
        bias_rate=np.float32(dynamics.bias_rate),
        feedback=FEEDBACK_CODES[config.feedback],
        outcome=OUTCOME_CODES[rule.outcome],
        binary_correct=np.float32(BINARY_LOSS_CORRECT),
        binary_wrong=np.float32(BINARY_LOSS_WRONG),
        target_low=np.float32(config.target_low),
        target_high=np.float32(config.target_high),
        in_tiles=config.schedule == "lazy",
        by_source=config.schedule == "every_step",
        gate_always=rule.gate == "always",
        with_baseline=rule.baseline != "none",
        per_kind=rule.baseline == "kind",
        trace_gain=np.float32(
            0.0 if config.schedule == "every_step" else rule.table.trace_gain(constants)
        ),
        max_change=np.float32(constants.max_change),
        first_trial=constants.first_trial,
        retention=np.float32(retention),
        retention_read=np.float32(1.0 if self_paced else retention**num_steps),
        first_quiet_trial=config.num_trials - config.quiet_trials,
        first_hit_step=min(noise.first_step, num_steps),
        stop_hit_step=num_steps if noise.stop_step is None else min(noise.stop_step, num_steps),
        quarter=quarter,
        word_row=chunk * quarter + 2 * PHILOX_LANES,
        hit_below=np.uint32(threshold - 1),
        hit_centre=np.uint32(centre),
        hit_scale=scale,
        trial_purpose=np.uint32(trial_purpose),
        perturb_purpose=np.uint32(perturb_purpose),
        key0=np.uint32(key0),
        key1=np.uint32(key1),
    )


Windows = tuple[float, int, tuple[int, int], tuple[int, int]]


def windows(batch: LifetimeBatch) -> Windows:
    """Time step, steps of the longest trial, response and feedback window."""
    tables = batch.tables
    if tables.timing is None:
        return tables.dt_ms, tables.num_steps, (-1, tables.num_steps), (0, 1)
    return tables.dt_ms, tables.num_steps, tables.timing.response, tables.timing.feedback


def _round_up(size: int) -> int:
    return -(-size // 16) * 16
