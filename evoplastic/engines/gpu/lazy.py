"""Internal modulation on chip: weights, coefficients, plastic weights and traces in registers.

Every step changes every plastic weight, so nothing is put off: one program lives one individual
through all trials and steps, and only the perturbations of one trial wait in global memory.
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
from evoplastic.engines.gpu.parts import (
    INITIAL_ACTIVATION,
    LEAK,
    MATRIX_ALPHA,
    MATRIX_ELIG,
    MATRIX_P,
    MATRIX_W,
    MAX_CHANGE,
    TRACE_GAIN,
    clamped_at_birth,
    clamped_rates,
    conclude,
    lay_out,
    limit,
    respond,
)
from evoplastic.engines.gpu.perturbation import draw_noise, trial_entry
from evoplastic.engines.gpu.plan import Reals

RETENTION = tl.constexpr(Reals._fields.index("retention"))


@triton.jit
def matrix_of(matrices, which: tl.constexpr, WIDE: tl.constexpr, CP: tl.constexpr):
    """One matrix as it lies in memory, from unclamped [U', U'] and from clamped [C', U'] sources.

    Newborn p and elig are read like w and alpha, not made here: so the compiler keeps all four
    in one arrangement of registers and moves nothing at each step.
    """
    at = matrices + which * ((WIDE + CP) * WIDE) + tl.arange(0, WIDE)[None, :]
    from_unclamped = tl.load(at + tl.arange(0, WIDE)[:, None] * WIDE)
    from_clamped = tl.load(at + (WIDE + tl.arange(0, CP))[:, None] * WIDE)
    return from_unclamped, from_clamped


@triton.jit
def drive_of(w, alpha, p, rate):
    """What the targets [U'] receive through (w + alpha * p) from one group of sources."""
    return tl.sum((w + alpha * p) * rate[:, None], 0)


@triton.jit
def run_lazy(
    w_ptr, alpha_ptr, task_ptr, trial_stream_ptr, perturb_stream_ptr,
    stimulus_ptr, target_ptr, asked_ptr, bank_reward_ptr, kind_ptr, start_ptr, size_ptr,
    ints, reals, matrices_ptr, xi_ptr, loss_out, correct_out, reward_out, roughness_out,
    N: tl.constexpr, I: tl.constexpr, O: tl.constexpr, WIDE: tl.constexpr, CP: tl.constexpr,
    BJ: tl.constexpr, BI: tl.constexpr, DRAWS: tl.constexpr, KINDS: tl.constexpr,
    FEEDBACK: tl.constexpr, OUTCOME: tl.constexpr, BASELINE: tl.constexpr,
    GATE_ALWAYS: tl.constexpr,
):  # fmt: skip
    """Live every `num_programs`-th individual; `gpu.run_gpu` says what the arguments are."""
    CLAMPED: tl.constexpr = I + 3 + O
    U: tl.constexpr = N - CLAMPED
    ROW: tl.constexpr = WIDE + CP
    i = tl.arange(0, WIDE)
    c = tl.arange(0, CP)
    is_response = (i >= U - O) & (i < U)
    action = i - (U - O)
    sign = tl.where(i == U - O - 2, 1.0, tl.where(i == U - O - 1, -1.0, 0.0))
    num_steps = tl.load(ints + NUM_STEPS).to(tl.int32)
    num_trials = tl.load(ints + NUM_TRIALS).to(tl.int32)
    response_start = tl.load(ints + RESPONSE_START).to(tl.int32)
    response_stop = tl.load(ints + RESPONSE_STOP).to(tl.int32)
    feedback_start = tl.load(ints + FEEDBACK_START).to(tl.int32)
    feedback_stop = tl.load(ints + FEEDBACK_STOP).to(tl.int32)
    first_trial = tl.load(ints + FIRST_TRIAL).to(tl.int32)
    leak = tl.load(reals + LEAK)
    retention = tl.load(reals + RETENTION)
    gain = tl.load(reals + TRACE_GAIN)
    bound = tl.load(reals + MAX_CHANGE)
    response_length = tl.load(reals + RESPONSE_LENGTH)

    program = tl.program_id(0).to(tl.int64)
    matrices = matrices_ptr + program * (5 * ROW * WIDE)
    xi_T = xi_ptr + program * ((num_steps + 1) * WIDE)
    num_individuals = tl.load(ints + NUM_INDIVIDUALS).to(tl.int32)
    for turn in range(tl.program_id(0), num_individuals, tl.num_programs(0)):
        life = program * 0 + turn
        tl.debug_barrier()
        lay_out(w_ptr, alpha_ptr, life, ints, matrices, N, CLAMPED, WIDE, ROW, BJ, BI)
        tl.debug_barrier()
        w, w_c = matrix_of(matrices, MATRIX_W, WIDE, CP)
        alpha, alpha_c = matrix_of(matrices, MATRIX_ALPHA, WIDE, CP)
        p, p_c = matrix_of(matrices, MATRIX_P, WIDE, CP)
        elig, elig_c = matrix_of(matrices, MATRIX_ELIG, WIDE, CP)
        task = tl.load(task_ptr + life)
        start = tl.load(start_ptr + task).to(tl.int32)
        size = tl.load(size_ptr + task).to(tl.uint32)
        trial_stream = tl.load(trial_stream_ptr + life).to(tl.uint32)
        perturb_stream = tl.load(perturb_stream_ptr + life).to(tl.uint32)
        x = tl.where(i < U, tl.load(reals + INITIAL_ACTIVATION), 0.0)
        rate = x
        clamped = clamped_at_birth(c, reals, I, O)
        mean_correct = tl.full([], 1.0 / O, tl.float32)
        mean_reward = tl.full([], 0.0, tl.float32)
        baseline = tl.zeros([KINDS], tl.float32)
        roughness = tl.full([], 0.0, tl.float32)

        for trial in range(0, num_trials):
            entry = trial_entry(ints, trial, trial_stream, start, size)
            tl.debug_barrier()
            draw_noise(
                xi_T, ints, reals, trial, perturb_stream, 0, num_steps,
                N, O, CLAMPED, WIDE, DRAWS,
            )  # fmt: skip
            target = tl.load(target_ptr + entry * O + action, mask=is_response, other=0.0)
            loss = tl.zeros([WIDE], tl.float32)
            activity = tl.zeros([WIDE], tl.float32)
            mod_before = tl.full([], 0.0, tl.float32)
            choice = tl.full([], 0, tl.int32)
            first = tl.full([], 0.0, tl.float32)
            second = tl.full([], 0.0, tl.float32)
            may_change = trial >= first_trial
            tl.debug_barrier()

            for step in range(0, num_steps):
                xi = tl.load(xi_T + step * WIDE + i)
                drive = drive_of(w, alpha, p, rate) + drive_of(w_c, alpha_c, p_c, clamped)
                elig = retention * (elig + rate[:, None] * xi[None, :])
                elig_c = retention * (elig_c + clamped[:, None] * xi[None, :])
                x = x + leak * (drive - x) + xi
                in_window = (response_start <= step) & (step < response_stop)
                rate = respond(x, is_response, in_window)
                heard = is_response & in_window
                error = rate - target
                loss += tl.where(heard, error * error / response_length, 0.0)
                activity += tl.where(heard, rate, 0.0)

                mod = tl.sum(rate * sign, 0)
                in_feedback = (feedback_start <= step) & (step < feedback_stop)
                gate_open = may_change
                if not GATE_ALWAYS:
                    gate_open = gate_open & in_feedback
                gate = tl.where(gate_open, mod, 0.0)
                p += limit(gain * elig * gate, bound)
                p_c += limit(gain * elig_c * gate, bound)
                jump = mod - mod_before
                roughness += tl.where(may_change & (step > 0), jump * jump, 0.0)
                mod_before = mod

                if step == feedback_start:
                    choice, first, second, _, baseline, mean_correct, mean_reward = conclude(
                        loss, activity, action, is_response, entry, mean_correct, mean_reward,
                        baseline, asked_ptr, bank_reward_ptr, kind_ptr,
                        life * num_trials + trial, loss_out, correct_out, reward_out, reals,
                        O, KINDS, FEEDBACK, OUTCOME, BASELINE,
                    )  # fmt: skip
                clamped = clamped_rates(
                    c, stimulus_ptr, entry * num_steps + step, in_feedback, first, second,
                    choice, reals, I,
                )  # fmt: skip
        tl.store(roughness_out + life, roughness)
