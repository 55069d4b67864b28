"""What a compiled lifetime is told (`Plan`, `Banks`) and the memory it works in (`Room`).

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
from numpy.typing import NDArray

from evoplastic.kernels.lifetime.draws import purposes
from evoplastic.kernels.simd.philox import PHILOX_LANES
from evoplastic.lifetime import BINARY_LOSS_CORRECT, BINARY_LOSS_WRONG, LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.noise import perturbation_constants, seed_key
from evoplastic.types import LifetimeBatch

FEEDBACK_CODES = {"loss": 0, "correct": 1, "prediction_error": 2}


class Plan(NamedTuple):
    """Scalars of a batch of lifetimes."""

    num_trials: int
    num_steps: int
    num_unclamped: int
    unclamped_room: int  # U'
    num_clamped: int
    clamped_room: int  # C'
    row: int  # U' + C'
    num_inputs: int
    num_outputs: int
    num_kinds: int
    response_start: int
    response_stop: int
    feedback_start: int
    feedback_stop: int
    keep: np.float32  # 1 - leak
    leak: np.float32
    initial_activation: np.float32
    stimulus_gain: np.float32
    feedback_gain: np.float32
    action_gain: np.float32
    bias_rate: np.float32
    feedback: int
    binary: bool
    binary_correct: np.float32
    binary_wrong: np.float32
    internal: bool
    gate_always: bool
    with_baseline: bool
    per_kind: bool
    eta: np.float32
    max_change: np.float32
    first_trial: int
    baseline_decay: np.float32
    baseline_rest: np.float32  # 1 - baseline_decay
    retention: np.float32
    retention_trial: np.float32  # retention ** num_steps
    first_quiet_trial: int
    first_hit_step: int
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
    timing, dynamics = batch.paced.timing, config.dynamics
    plasticity, noise = config.plasticity, config.perturbation
    unclamped = groups.num_neurons - groups.num_clamped
    unclamped_room, clamped_room = _round_up(unclamped), _round_up(groups.num_clamped)
    leak = timing.dt_ms / dynamics.tau_ms
    retention = 1.0 - timing.dt_ms / plasticity.tau_elig_ms
    threshold, centre, scale = perturbation_constants(noise.probability, noise.amplitude)
    quarter = -(-groups.num_neurons // 4)
    trial_purpose, perturb_purpose = purposes(batch)
    key0, key1 = seed_key(batch.seed)
    return Plan(
        num_trials=config.num_trials,
        num_steps=timing.num_steps,
        num_unclamped=unclamped,
        unclamped_room=unclamped_room,
        num_clamped=groups.num_clamped,
        clamped_room=clamped_room,
        row=unclamped_room + clamped_room,
        num_inputs=groups.num_inputs,
        num_outputs=groups.num_outputs,
        num_kinds=batch.banks.num_kinds,
        response_start=timing.response[0],
        response_stop=timing.response[1],
        feedback_start=timing.feedback[0],
        feedback_stop=timing.feedback[1],
        keep=np.float32(1.0 - leak),
        leak=np.float32(leak),
        initial_activation=np.float32(dynamics.initial_activation),
        stimulus_gain=np.float32(dynamics.stimulus_gain),
        feedback_gain=np.float32(dynamics.feedback_gain),
        action_gain=np.float32(dynamics.action_gain),
        bias_rate=np.float32(dynamics.bias_rate),
        feedback=FEEDBACK_CODES[config.feedback],
        binary=plasticity.outcome == "binary",
        binary_correct=np.float32(BINARY_LOSS_CORRECT),
        binary_wrong=np.float32(BINARY_LOSS_WRONG),
        internal=plasticity.modulation == "internal",
        gate_always=plasticity.gate == "always",
        with_baseline=plasticity.baseline != "none",
        per_kind=plasticity.baseline == "kind",
        eta=np.float32(plasticity.eta),
        max_change=np.float32(plasticity.max_change),
        first_trial=plasticity.first_trial,
        baseline_decay=np.float32(plasticity.baseline_decay),
        baseline_rest=np.float32(1.0 - plasticity.baseline_decay),
        retention=np.float32(retention),
        retention_trial=np.float32(retention**timing.num_steps),
        first_quiet_trial=config.num_trials - noise.quiet_trials,
        first_hit_step=min(noise.first_step, timing.num_steps),
        quarter=quarter,
        word_row=timing.num_steps * quarter + 2 * PHILOX_LANES,
        hit_below=np.uint32(threshold - 1),
        hit_centre=np.uint32(centre),
        hit_scale=scale,
        trial_purpose=np.uint32(trial_purpose),
        perturb_purpose=np.uint32(perturb_purpose),
        key0=np.uint32(key0),
        key1=np.uint32(key1),
    )


class Banks(NamedTuple):
    """Trial banks as flat arrays."""

    stimulus: NDArray[np.float32]  # [M * T * I]
    changes: NDArray[np.bool_]  # [M * T], whether the stimulus differs from the step before
    target: NDArray[np.float32]  # [M * O], within [target_low, target_high]
    asked: NDArray[np.int64]  # [M], the correct action
    reward: NDArray[np.float32]  # [M * O]
    kind: NDArray[np.int64]  # [M]
    start: NDArray[np.int64]  # [B]
    size: NDArray[np.int64]  # [B]


def make_banks(batch: LifetimeBatch, config: LifetimeConfig) -> Banks:
    """The stacked banks of a batch, flattened."""
    banks = batch.paced
    stimulus_MTI = banks.stimulus_MTI
    changes_MT = np.ones(stimulus_MTI.shape[:2], dtype=np.bool_)
    changes_MT[:, 1:] = (stimulus_MTI[:, 1:] != stimulus_MTI[:, :-1]).any(axis=2)
    target_MO = np.clip(
        banks.target_MO, np.float32(config.target_low), np.float32(config.target_high)
    )
    return Banks(
        stimulus=as_row(stimulus_MTI, np.float32),
        changes=as_row(changes_MT, np.bool_),
        target=as_row(target_MO, np.float32),
        asked=as_row(banks.target_MO.argmax(1), np.int64),
        reward=as_row(banks.reward_MO, np.float32),
        kind=as_row(banks.kind_M, np.int64),
        start=as_row(banks.start_B, np.int64),
        size=as_row(banks.size_B, np.int64),
    )


class Room(NamedTuple):
    """Memory of one thread, for two lives side by side; all of it float32 unless said."""

    weight: NDArray[np.float32]  # [2, row, U'], or [2, U', row]: leak * (w + alpha p)
    alpha: NDArray[np.float32]  # [2, U', row] leak * alpha
    elig: NDArray[np.float32]  # [2, U', row], or the trace of cpu_internal
    rate: NDArray[np.float32]  # [2, T + 1, row] rates before step t of the current trial
    x: NDArray[np.float32]  # [2, U']
    drive: NDArray[np.float32]  # [2, U'] what the clamped neurons send
    clamp: NDArray[np.float32]  # [2, C'] rates of the clamped neurons
    baseline: NDArray[np.float32]  # [2, kinds]
    mean_correct: NDArray[np.float32]  # [2]
    settled: NDArray[np.float32]  # [2, U'] s at which the weights of a row were last settled
    share: NDArray[np.float32]  # [U'] s - settled
    bound: NDArray[np.float32]  # [2, U'] bound on |elig| of a row
    scale: NDArray[np.float32]  # [2] elig / U of cpu_internal
    clamp_changed: NDArray[np.bool_]  # [2]
    activity: NDArray[np.float32]  # [O]
    xi: NDArray[np.float32]  # [T, C' + U' + 16]
    words: NDArray[np.uint32]  # [4, word_row]
    hit: NDArray[np.uint32]  # t << 16 | n
    hit_start: NDArray[np.int64]  # [T + 1]
    tile: NDArray[np.float32]  # [16, 16]
    perturbed: NDArray[np.float32]  # [U'] 1 for neurons that perturbations reach, else 0
    in_scale: NDArray[np.float32]  # [U'] 1, or 1/2 for response neurons
    speaking: NDArray[np.float32]  # [2, U'] output scale and shift within the response window
    silent: NDArray[np.float32]  # [2, U'] and outside it
    retained: NDArray[np.float32]  # [T] what is left of a hit at step t when eligibility is read


class People(NamedTuple):
    """Who lives: genomes and streams of P individuals."""

    w: NDArray[np.float32]  # w of individual p starts at p * w_stride, row by row
    w_stride: int
    alpha: NDArray[np.float32]
    alpha_stride: int
    task: NDArray[np.int64]  # [P]
    trial_stream: NDArray[np.int64]  # [P]
    perturb_stream: NDArray[np.int64]  # [P]


class Record(NamedTuple):
    """What is left of the lives."""

    loss: NDArray[np.float32]  # [P, K]
    correct: NDArray[np.bool_]  # [P, K]
    reward: NDArray[np.float32]  # [P, K]
    smoothness: NDArray[np.float32]  # [P]


def as_row(array: NDArray, dtype: type) -> NDArray:
    """A flat, writable copy: compiled functions know no other kind, and would compile anew."""
    return np.array(array, dtype=dtype, order="C").reshape(-1)


def allocate(size: int, dtype: type = np.float32) -> NDArray:
    """Uninitialised memory that starts on a cache line (a straddling load costs two)."""
    raw: NDArray = np.empty(size + 16, dtype=dtype)
    offset = (-raw.ctypes.data % 64) // raw.itemsize
    return raw[offset : offset + size]


def make_room(
    groups: NeuronGroups, batch: LifetimeBatch, config: LifetimeConfig, plan: Plan
) -> Room:
    """Memory for one thread; what the lives change is left uninitialised."""
    steps, row, wide = plan.num_steps, plan.row, plan.unclamped_room
    response = slice(plan.num_unclamped - plan.num_outputs, plan.num_unclamped)
    modulators = slice(response.start - 2, response.start)

    def filled(size: int, value: float, part: slice | None = None) -> NDArray[np.float32]:
        array = allocate(size)
        array[:] = 0.0
        array[: plan.num_unclamped] = 1.0
        if part is not None:
            array[part] = value
        return array

    shared = not config.perturbation.perturb_modulators
    shift = allocate(2 * wide)
    silent = allocate(2 * wide)
    shift[:] = 0.0
    silent[:] = 0.0
    shift[:wide] = filled(wide, 0.5, response)
    shift[wide:][response] = 0.5
    silent[:wide] = filled(wide, 0.0, response)
    retention = 1.0 - batch.paced.timing.dt_ms / config.plasticity.tau_elig_ms
    step_T = np.arange(steps)
    exponent_T = (plan.feedback_start - step_T) % steps + 1
    exponent_T[step_T == plan.feedback_start] = 1
    xi = allocate(steps * row + 64)
    xi[:] = 0.0
    retained = allocate(steps)
    retained[:] = retention**exponent_T
    return Room(
        weight=allocate(2 * row * wide),
        alpha=allocate(2 * wide * row),
        elig=allocate(2 * wide * row),
        rate=allocate(2 * (steps + 1) * row),
        x=allocate(2 * wide),
        drive=allocate(2 * wide),
        clamp=allocate(2 * plan.clamped_room),
        baseline=allocate(2 * batch.banks.num_kinds),
        mean_correct=allocate(2),
        settled=allocate(2 * wide),
        share=allocate(wide),
        bound=allocate(2 * wide),
        scale=allocate(2),
        clamp_changed=np.zeros(2, dtype=np.bool_),
        activity=allocate(plan.num_outputs),
        xi=xi,
        words=allocate(4 * plan.word_row, np.uint32),
        hit=allocate(steps * wide + 16, np.uint32),
        hit_start=np.zeros(steps + 1, dtype=np.int64),
        tile=allocate(256),
        perturbed=filled(wide, 0.0, modulators if shared else None),
        in_scale=filled(wide, 0.5, response),
        speaking=shift,
        silent=silent,
        retained=retained,
    )


def _round_up(size: int) -> int:
    return -(-size // 16) * 16
