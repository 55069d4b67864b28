"""What a GPU lifetime is told: sizes of its tiles, and its numbers in two small device arrays.

Numbers that change from generation to generation travel in arrays, not as arguments: a kernel is
compiled once per network and task size, not once per seed. Needs no Triton.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.lifetime.config import BINARY_LOSS_CORRECT, BINARY_LOSS_WRONG, LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import perturbation_constants, seed_key
from evoplastic.random.draws import purposes
from evoplastic.rules.table import Schedule
from evoplastic.trials.timing import TrialTiming

SMALLEST_TILE = 16  # a matrix product on the GPU takes no smaller blocks
# Unclamped neurons whose matrices fit into the registers of one program, and how many matrices:
# the weights alone; or weights, coefficients, plastic weights and traces.
ON_CHIP: dict[Schedule, tuple[int, int]] = {"at_outcome": (128, 1), "lazy": (64, 4)}
REGISTERS_FOR_MATRICES = 128  # of the 255 that a thread can have
REGISTERS_IF_FREE = 160  # of the 255, where sources that are clamped count too
FULL_WARPS = 8  # warps of 255 registers a thread that fill a streaming multiprocessor


class Ints(NamedTuple):
    """Whole numbers of a batch of lifetimes, an int64 array on the device."""

    num_individuals: int
    w_stride: int  # from the matrix of one individual to that of the next; 0 if all share it
    alpha_stride: int
    num_trials: int
    num_steps: int
    response_start: int
    response_stop: int
    feedback_start: int
    feedback_stop: int
    first_trial: int
    first_quiet_trial: int
    first_hit_step: int
    perturb_modulators: int
    hit_below: int  # threshold - 1
    hit_centre: int
    trial_purpose: int
    perturb_purpose: int
    key0: int
    key1: int


class Reals(NamedTuple):
    """Numbers of a batch of lifetimes, a float32 array on the device."""

    leak: float
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
    baseline_decay: float
    baseline_rest: float  # 1 - baseline_decay
    retention: float
    target_low: float
    target_high: float
    hit_scale: float


class Tiles(NamedTuple):
    """Sizes that a kernel is compiled for.

    A matrix lies transposed, [row, U'], row = U' + C': U' is the number U of unclamped neurons and
    C' the number C of clamped ones, rounded up; row j < U' is unclamped source j, row U' + c is
    clamped source c, column i is unclamped target i, and everything beyond U and C is 0. What
    clamped neurons receive can never be observed and is left out.
    """

    on_chip: bool
    wide: int  # U'
    clamped: int  # C'
    block_sources: int
    block_targets: int
    num_warps: int
    programs_per_processor: int

    @property
    def row(self) -> int:
        """U' + C'."""
        return self.wide + self.clamped

    @property
    def matrix(self) -> int:
        """Numbers of one matrix."""
        return self.row * self.wide


def make_tiles(
    groups: NeuronGroups, config: LifetimeConfig, streamed: bool = False, free: bool = False
) -> Tiles:
    """How a network is laid out: on chip where it fits, else streamed block by block.

    Trials that run freely keep what comes from clamped neurons on chip too, whose rates change at
    every step.
    """
    unclamped = groups.num_neurons - groups.num_clamped
    wide = max(SMALLEST_TILE, _power_of_two(unclamped))
    clamped = max(SMALLEST_TILE, _power_of_two(groups.num_clamped))
    largest, matrices = ON_CHIP[config.rule.table.schedule]
    if max(wide, clamped) <= largest and not streamed:
        if free:
            numbers = matrices * (wide + clamped) * wide
            num_warps = _power_of_two(-(-numbers // (32 * REGISTERS_IF_FREE)))
        else:
            num_warps = max(1, matrices * wide * wide // (32 * REGISTERS_FOR_MATRICES))
        return Tiles(
            on_chip=True,
            wide=wide,
            clamped=clamped,
            block_sources=SMALLEST_TILE,
            block_targets=min(wide, 64),
            num_warps=num_warps,
            programs_per_processor=FULL_WARPS // num_warps,
        )
    block_sources, block_targets = (32, 64) if wide >= 64 else (SMALLEST_TILE, SMALLEST_TILE)
    return Tiles(
        on_chip=False,
        wide=_round_up(unclamped, block_targets),
        clamped=_round_up(groups.num_clamped, block_sources),
        block_sources=block_sources,
        block_targets=block_targets,
        num_warps=FULL_WARPS,
        programs_per_processor=1,
    )


def windows_of(timing: TrialTiming | None) -> tuple[int, int, int, int]:
    """First and last step of the response and of the feedback; self-paced trials have none."""
    if timing is None:
        return 0, 0, 0, 0
    return *timing.response, *timing.feedback


def make_ints(
    num_individuals: int,
    strides: tuple[int, int],
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
) -> Ints:
    """The whole numbers of `num_individuals` lifetimes, whose w and alpha lie `strides` apart."""
    tables, noise = batch.tables, config.perturbation
    response_start, response_stop, feedback_start, feedback_stop = windows_of(tables.timing)
    threshold, centre, _ = perturbation_constants(noise.probability, noise.amplitude)
    trial_purpose, perturb_purpose = purposes(batch)
    key0, key1 = seed_key(batch.seed)
    return Ints(
        num_individuals=num_individuals,
        w_stride=strides[0],
        alpha_stride=strides[1],
        num_trials=config.num_trials,
        num_steps=tables.num_steps,
        response_start=response_start,
        response_stop=response_stop,
        feedback_start=feedback_start,
        feedback_stop=feedback_stop,
        first_trial=config.rule.constants.first_trial,
        first_quiet_trial=config.num_trials - config.quiet_trials,
        first_hit_step=noise.first_step,
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
    return Reals(
        leak=tables.dt_ms / dynamics.tau_ms,
        initial_activation=dynamics.initial_activation,
        stimulus_gain=dynamics.stimulus_gain,
        feedback_gain=dynamics.feedback_gain,
        action_gain=dynamics.action_gain,
        bias_rate=dynamics.bias_rate,
        response_length=response_stop - response_start,
        binary_correct=BINARY_LOSS_CORRECT,
        binary_wrong=BINARY_LOSS_WRONG,
        trace_gain=rule.table.trace_gain(constants),
        max_change=constants.max_change,
        baseline_decay=rule.baseline_decay,
        baseline_rest=1.0 - rule.baseline_decay,
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


def num_kind_slots(batch: LifetimeBatch) -> int:
    """Room for the running means of all trial kinds."""
    return max(SMALLEST_TILE, _power_of_two(batch.tables.num_kinds))


def num_clamp_slots(tiles: Tiles) -> int:
    """Room for the clamped neurons in kernels that know both layouts."""
    return _power_of_two(tiles.clamped)


def num_action_slots(groups: NeuronGroups) -> int:
    """Room for the actions where they are read from memory."""
    return max(SMALLEST_TILE, _power_of_two(groups.num_outputs))


def _power_of_two(size: int) -> int:
    return 1 << (size - 1).bit_length()


def _round_up(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
