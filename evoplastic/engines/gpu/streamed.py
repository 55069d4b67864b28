"""Networks too large for the registers of one program: matrices in global memory, block by block.

One program still lives one individual through all trials and steps in one launch; its matrices
pass through the L2 cache, or device memory, at every step. Knows both modes of modulation.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.at_outcome import (
    FEEDBACK_START,
    FEEDBACK_STOP,
    FIRST_TRIAL,
    NUM_INDIVIDUALS,
    NUM_STEPS,
    NUM_TRIALS,
    RESPONSE_LENGTH,
    RESPONSE_START,
    RESPONSE_STOP,
)
from evoplastic.engines.gpu.lazy import RETENTION
from evoplastic.engines.gpu.parts import (
    INITIAL_ACTIVATION,
    LEAK,
    MATRIX_ALPHA,
    MATRIX_ELIG,
    MATRIX_P,
    MATRIX_W,
    MATRIX_WEIGHT,
    MAX_CHANGE,
    TRACE_GAIN,
    clamped_at_birth,
    clamped_rates,
    conclude,
    credit_rest,
    lay_out,
    learn,
    limit,
    respond,
)
from evoplastic.engines.gpu.perturbation import draw_noise, trial_entry


@triton.jit
def advance(
    matrices, before, after, xi_t, x_ptr, gate, in_window, reals, N: tl.constexpr, O: tl.constexpr,
    CLAMPED: tl.constexpr, WIDE: tl.constexpr, ROW: tl.constexpr, BJ: tl.constexpr,
    BI: tl.constexpr, LAZY: tl.constexpr,
):  # fmt: skip
    """One step of the unclamped neurons, from the rates `before` to the rates `after`.

    With the lazy schedule plasticity lags in the matrices: what `gate` says of the step before is
    applied in the same pass that multiplies, so a step reads and writes every matrix once.
    """
    matrix: tl.constexpr = ROW * WIDE
    leak = tl.load(reals + LEAK)
    gain = tl.load(reals + TRACE_GAIN)
    bound = tl.load(reals + MAX_CHANGE)
    retention = tl.load(reals + RETENTION)
    for first_i in range(0, WIDE, BI):
        i = first_i + tl.arange(0, BI)
        xi = tl.load(xi_t + i)
        drive = tl.zeros([BI], tl.float32)
        for first_j in range(0, ROW, BJ):
            j = first_j + tl.arange(0, BJ)
            rate = tl.load(before + j)
            at = matrices + j[:, None] * WIDE + i[None, :]
            if LAZY:
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
        x = tl.load(x_ptr + i)
        x = x + leak * (drive - x) + xi
        tl.store(x_ptr + i, x)
        is_response = (i >= N - CLAMPED - O) & (i < N - CLAMPED)
        tl.store(after + i, respond(x, is_response, in_window))


@triton.jit
def run_streamed(
    w_ptr, alpha_ptr, task_ptr, trial_stream_ptr, perturb_stream_ptr,
    stimulus_ptr, target_ptr, asked_ptr, bank_reward_ptr, kind_ptr, start_ptr, size_ptr,
    ints, reals, power_ptr, matrices_ptr, history_ptr, xi_ptr, x_ptr,
    loss_out, correct_out, reward_out, roughness_out,
    N: tl.constexpr, I: tl.constexpr, O: tl.constexpr, WIDE: tl.constexpr, CP: tl.constexpr,
    BJ: tl.constexpr, BI: tl.constexpr, BT: tl.constexpr, DRAWS: tl.constexpr,
    ACTIONS: tl.constexpr, CLAMPS: tl.constexpr, KINDS: tl.constexpr, FEEDBACK: tl.constexpr,
    OUTCOME: tl.constexpr, BASELINE: tl.constexpr, GATE_ALWAYS: tl.constexpr,
    LAZY: tl.constexpr,
):  # fmt: skip
    """Live every `num_programs`-th individual; `gpu.run_gpu` says what the arguments are."""
    CLAMPED: tl.constexpr = I + 3 + O
    U: tl.constexpr = N - CLAMPED
    ROW: tl.constexpr = WIDE + CP
    action = tl.arange(0, ACTIONS)
    is_action = action < O
    c = tl.arange(0, CLAMPS)
    num_steps = tl.load(ints + NUM_STEPS).to(tl.int32)
    num_trials = tl.load(ints + NUM_TRIALS).to(tl.int32)
    response_start = tl.load(ints + RESPONSE_START).to(tl.int32)
    response_stop = tl.load(ints + RESPONSE_STOP).to(tl.int32)
    feedback_start = tl.load(ints + FEEDBACK_START).to(tl.int32)
    feedback_stop = tl.load(ints + FEEDBACK_STOP).to(tl.int32)
    first_trial = tl.load(ints + FIRST_TRIAL).to(tl.int32)
    response_length = tl.load(reals + RESPONSE_LENGTH)

    program = tl.program_id(0).to(tl.int64)
    matrices = matrices_ptr + program * (5 * ROW * WIDE)
    history = history_ptr + program * ((num_steps + 1) * ROW)
    xi_T = xi_ptr + program * ((num_steps + 1) * WIDE)
    x_N = x_ptr + program * WIDE
    num_individuals = tl.load(ints + NUM_INDIVIDUALS).to(tl.int32)
    for turn in range(tl.program_id(0), num_individuals, tl.num_programs(0)):
        life = program * 0 + turn
        tl.debug_barrier()
        lay_out(w_ptr, alpha_ptr, life, ints, matrices, N, CLAMPED, WIDE, ROW, BJ, BI)
        for first_i in range(0, WIDE, BI):
            i = first_i + tl.arange(0, BI)
            x = tl.where(i < U, tl.load(reals + INITIAL_ACTIVATION), 0.0)
            tl.store(x_N + i, x)
            tl.store(history + i, x)
        tl.store(history + WIDE + c, clamped_at_birth(c, reals, I, O), mask=c < CP)
        task = tl.load(task_ptr + life)
        start = tl.load(start_ptr + task).to(tl.int32)
        size = tl.load(size_ptr + task).to(tl.uint32)
        trial_stream = tl.load(trial_stream_ptr + life).to(tl.uint32)
        perturb_stream = tl.load(perturb_stream_ptr + life).to(tl.uint32)
        mean_correct = tl.full([], 1.0 / O, tl.float32)
        mean_reward = tl.full([], 0.0, tl.float32)
        baseline = tl.zeros([KINDS], tl.float32)
        roughness = tl.full([], 0.0, tl.float32)
        gate = tl.full([], 0.0, tl.float32)

        for trial in range(0, num_trials):
            entry = trial_entry(ints, trial, trial_stream, start, size)
            draw_noise(
                xi_T, ints, reals, trial, perturb_stream, 0, num_steps,
                N, O, CLAMPED, WIDE, DRAWS,
            )  # fmt: skip
            target = tl.load(target_ptr + entry * O + action, mask=is_action, other=0.0)
            loss = tl.zeros([ACTIONS], tl.float32)
            activity = tl.zeros([ACTIONS], tl.float32)
            mod_before = tl.full([], 0.0, tl.float32)
            choice = tl.full([], 0, tl.int32)
            first = tl.full([], 0.0, tl.float32)
            second = tl.full([], 0.0, tl.float32)
            may_change = trial >= first_trial
            tl.debug_barrier()

            for step in range(0, num_steps):
                before = history + step * ROW
                after = before + ROW
                in_window = (response_start <= step) & (step < response_stop)
                advance(
                    matrices, before, after, xi_T + step * WIDE, x_N, gate, in_window, reals,
                    N, O, CLAMPED, WIDE, ROW, BJ, BI, LAZY,
                )  # fmt: skip
                tl.debug_barrier()
                answer = tl.load(after + (U - O) + action, mask=is_action, other=0.0)
                heard = is_action & in_window
                error = answer - target
                loss += tl.where(heard, error * error / response_length, 0.0)
                activity += tl.where(heard, answer, 0.0)
                in_feedback = (feedback_start <= step) & (step < feedback_stop)

                if LAZY:
                    mod = tl.load(after + (U - O - 2)) - tl.load(after + (U - O - 1))
                    gate_open = may_change
                    if not GATE_ALWAYS:
                        gate_open = gate_open & in_feedback
                    gate = tl.where(gate_open, mod, 0.0)
                    jump = mod - mod_before
                    roughness += tl.where(may_change & (step > 0), jump * jump, 0.0)
                    mod_before = mod

                if step == feedback_start:
                    choice, first, second, factor, baseline, mean_correct, mean_reward = conclude(
                        loss, activity, action, is_action, entry, mean_correct, mean_reward,
                        baseline, asked_ptr, bank_reward_ptr, kind_ptr,
                        life * num_trials + trial, loss_out, correct_out, reward_out, reals,
                        O, KINDS, FEEDBACK, OUTCOME, BASELINE,
                    )  # fmt: skip
                    if not LAZY:
                        learn(
                            matrices, history, xi_T, power_ptr, feedback_start + 1, factor,
                            may_change, reals, WIDE, ROW, BJ, BI, BT,
                        )  # fmt: skip
                clamped = clamped_rates(
                    c, stimulus_ptr, entry * num_steps + step, in_feedback, first, second,
                    choice, reals, I,
                )  # fmt: skip
                tl.store(after + WIDE + c, clamped, mask=c < CP)
                tl.debug_barrier()

            if not LAZY:
                credit_rest(
                    matrices, history, xi_T, power_ptr, feedback_start + 1, num_steps,
                    WIDE, ROW, BJ, BI, BT,
                )  # fmt: skip
                tl.debug_barrier()
            for first_j in range(0, ROW, BJ):
                j = first_j + tl.arange(0, BJ)
                tl.store(history + j, tl.load(history + num_steps * ROW + j))
            tl.debug_barrier()
        tl.store(roughness_out + life, roughness)
