"""Networks too large for the registers of one program: matrices in global memory, block by block.

One program still simulates one individual through all trials and steps in one launch; its matrices
pass through the L2 cache, or device memory, at every step. Knows both schedules.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.activity import (
    clamped_at_birth,
    clamped_rates,
    intrinsic_of,
    leak_of,
    rates_after,
    signal_at,
)
from evoplastic.engines.gpu.course import fixed_trial, if_taught, teaches
from evoplastic.engines.gpu.matrices import (
    MATRIX_ALPHA,
    MATRIX_ELIG,
    MATRIX_P,
    MATRIX_W,
    MATRIX_WEIGHT,
    credit_rest,
    lay_out,
    learn,
    limit,
    memory_of,
)
from evoplastic.engines.gpu.numbers import (
    FEEDBACK_START,
    FEEDBACK_STOP,
    FIRST_TRIAL,
    INITIAL_ACTIVATION,
    MAX_CHANGE,
    NUM_INDIVIDUALS,
    NUM_STEPS,
    NUM_TRIALS,
    RESPONSE_LENGTH,
    RESPONSE_START,
    RESPONSE_STOP,
    RETENTION,
    TRACE_GAIN,
    real,
    whole,
)
from evoplastic.engines.gpu.outcome import conclude, means_at_birth
from evoplastic.engines.gpu.perturbation import draw_noise


@triton.jit
def awaken(memory, numbers, S: tl.constexpr):
    """Write the activations and rates of the unclamped neurons of a newborn."""
    TARGETS: tl.constexpr = S.block_targets
    for first_i in range(0, S.wide, TARGETS):
        i = first_i + tl.arange(0, TARGETS)
        x = tl.where(i < S.num_unclamped, real(numbers, INITIAL_ACTIVATION), 0.0)
        tl.store(memory.x + i, x)
        tl.store(memory.history + i, x)


@triton.jit
def advance(memory, own, step, gate, in_window, learns, numbers, S: tl.constexpr):
    """One step of the unclamped neurons, from the rates before it to those after it.

    With the lazy schedule plasticity lags in the matrices: what `gate` says of the step before is
    applied in the same pass that multiplies, so a step reads and writes every matrix once.
    """
    ROW: tl.constexpr = S.row
    SOURCES: tl.constexpr = S.block_sources
    TARGETS: tl.constexpr = S.block_targets
    matrix: tl.constexpr = S.matrix
    before = memory.history + step * ROW
    after = before + ROW
    xi_t = memory.xi + step * S.wide
    gain = real(numbers, TRACE_GAIN)
    bound = real(numbers, MAX_CHANGE)
    retention = if_taught(learns, real(numbers, RETENTION), 1.0, S)
    for first_i in range(0, S.wide, TARGETS):
        i = first_i + tl.arange(0, TARGETS)
        xi = tl.load(xi_t + i)
        drive = tl.zeros([TARGETS], tl.float32)
        for first_j in range(0, ROW, SOURCES):
            j = first_j + tl.arange(0, SOURCES)
            rate = tl.load(before + j)
            at = memory.matrices + j[:, None] * S.wide + i[None, :]
            if S.lazy:
                elig = tl.load(at + MATRIX_ELIG * matrix)
                p = tl.load(at + MATRIX_P * matrix) + limit(gain * elig * gate, bound)
                tl.store(at + MATRIX_P * matrix, p)
                elig = retention * (elig + rate[:, None] * xi[None, :])
                tl.store(at + MATRIX_ELIG * matrix, elig)
                alpha = tl.load(at + MATRIX_ALPHA * matrix)
                weight = tl.load(at + MATRIX_W * matrix) + alpha * p
            else:
                weight = tl.load(at + MATRIX_WEIGHT * matrix)
            drive += tl.sum(weight * rate[:, None], 0)
        x = tl.load(memory.x + i)
        x = x + leak_of(own, i, numbers, S) * (drive - x) + xi
        tl.store(memory.x + i, x)
        is_response = (i >= S.response_at) & (i < S.num_unclamped)
        tl.store(after + i, rates_after(x, before, own, i, is_response, in_window, S))


@triton.jit
def run_streamed(individuals, tasks, numbers, all_memory, record, S: tl.constexpr):
    """Simulate every `num_programs`-th individual; the arguments are those of `gpu.bundles`."""
    ROW: tl.constexpr = S.row
    WIDE: tl.constexpr = S.wide
    CLAMPED: tl.constexpr = S.clamped
    SOURCES: tl.constexpr = S.block_sources
    ACTIONS: tl.constexpr = S.action_slots
    CLAMPS: tl.constexpr = S.clamp_slots
    action = tl.arange(0, ACTIONS)
    is_action = action < S.outputs
    c = tl.arange(0, CLAMPS)
    num_steps = whole(numbers, NUM_STEPS)
    num_trials = whole(numbers, NUM_TRIALS)
    response_start = whole(numbers, RESPONSE_START)
    response_stop = whole(numbers, RESPONSE_STOP)
    feedback_start = whole(numbers, FEEDBACK_START)
    feedback_stop = whole(numbers, FEEDBACK_STOP)
    first_trial = whole(numbers, FIRST_TRIAL)
    response_length = real(numbers, RESPONSE_LENGTH)

    program = tl.program_id(0).to(tl.int64)
    memory = memory_of(all_memory, program, numbers, S)
    history = memory.history
    for turn in range(tl.program_id(0), whole(numbers, NUM_INDIVIDUALS), tl.num_programs(0)):
        individual = program * 0 + turn
        tl.debug_barrier()
        lay_out(individuals, individual, memory, numbers, S)
        own = intrinsic_of(individuals, individual, S)
        awaken(memory, numbers, S)
        tl.store(history + WIDE + c, clamped_at_birth(c, numbers, S), mask=c < CLAMPED)
        task = tl.load(individuals.task + individual)
        start = tl.load(tasks.start + task).to(tl.int32)
        size = tl.load(tasks.size + task).to(tl.uint32)
        trial_stream = tl.load(individuals.trial_stream + individual).to(tl.uint32)
        perturb_stream = tl.load(individuals.perturb_stream + individual).to(tl.uint32)
        means = means_at_birth(individuals, individual, S)
        roughness = tl.full([], 0.0, tl.float32)
        gate = tl.full([], 0.0, tl.float32)

        for trial in range(0, num_trials):
            entry = fixed_trial(numbers, task, trial, trial_stream, start, size, S)
            learns = teaches(numbers, task, trial, S)
            loud = if_taught(learns, trial, num_trials, S)  # behind the last trial none is
            draw_noise(memory, numbers, loud, perturb_stream, 0, num_steps, S)
            target = tl.load(tasks.target + entry * S.outputs + action, mask=is_action, other=0.0)
            loss = tl.zeros([ACTIONS], tl.float32)
            activity = tl.zeros([ACTIONS], tl.float32)
            mod_before = tl.full([], 0.0, tl.float32)
            choice = tl.full([], 0, tl.int32)
            first = tl.full([], 0.0, tl.float32)
            second = tl.full([], 0.0, tl.float32)
            may_change = if_taught(learns, trial >= first_trial, False, S)
            tl.debug_barrier()

            for step in range(0, num_steps):
                after = history + (step + 1) * ROW
                in_window = (response_start <= step) & (step < response_stop)
                advance(memory, own, step, gate, in_window, learns, numbers, S)
                tl.debug_barrier()
                answer = tl.load(after + S.response_at + action, mask=is_action, other=0.0)
                answers = is_action & in_window
                error = answer - target
                loss += tl.where(answers, error * error / response_length, 0.0)
                activity += tl.where(answers, answer, 0.0)
                in_feedback = (feedback_start <= step) & (step < feedback_stop)

                if S.lazy:
                    mod = signal_at(after, S)
                    gate_open = may_change
                    if not S.gate_always:
                        gate_open = gate_open & in_feedback
                    gate = tl.where(gate_open, mod, 0.0)
                    jump = mod - mod_before
                    roughness += tl.where(may_change & (step > 0), jump * jump, 0.0)
                    mod_before = mod

                if step == feedback_start:
                    choice, first, second, factor, means = conclude(
                        loss, activity, action, is_action, entry, means, learns, tasks, record,
                        individual * num_trials + trial, numbers, S,
                    )  # fmt: skip
                    if not S.lazy:
                        stop = if_taught(learns, feedback_start + 1, 0, S)
                        learn(memory, stop, factor, may_change, numbers, S)
                clamped = clamped_rates(
                    c, tasks, entry * num_steps + step, in_feedback, first, second, choice,
                    numbers, S,
                )  # fmt: skip
                tl.store(after + WIDE + c, clamped, mask=c < CLAMPED)
                tl.debug_barrier()

            if not S.lazy:
                rest = if_taught(learns, feedback_start + 1, num_steps, S)
                credit_rest(memory, rest, num_steps, S)
                tl.debug_barrier()
            for first_j in range(0, ROW, SOURCES):
                j = first_j + tl.arange(0, SOURCES)
                tl.store(history + j, tl.load(history + num_steps * ROW + j))
            tl.debug_barrier()
        tl.store(record.roughness + individual, roughness)
