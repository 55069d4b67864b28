"""The schedule "lazy" on chip: weights, coefficients, plastic weights and traces in registers.

Every step changes every plastic weight, so nothing is put off: one program simulates one individual
through all trials and steps, and only the perturbations of one trial wait in global memory.
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
    modulator_signs,
    rates_after,
)
from evoplastic.engines.gpu.course import fixed_trial, if_taught, teaches
from evoplastic.engines.gpu.matrices import (
    MATRIX_ALPHA,
    MATRIX_ELIG,
    MATRIX_P,
    MATRIX_W,
    drive_of,
    lay_out,
    limit,
    matrix_of,
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
def run_lazy(individuals, tasks, numbers, all_memory, record, S: tl.constexpr):
    """Simulate every `num_programs`-th individual; the arguments are those of `gpu.bundles`."""
    WIDE: tl.constexpr = S.wide
    CLAMPED: tl.constexpr = S.clamped
    i = tl.arange(0, WIDE)
    c = tl.arange(0, CLAMPED)
    is_response = (i >= S.response_at) & (i < S.num_unclamped)
    action = i - S.response_at
    sign = modulator_signs(i, S)
    num_steps = whole(numbers, NUM_STEPS)
    num_trials = whole(numbers, NUM_TRIALS)
    response_start = whole(numbers, RESPONSE_START)
    response_stop = whole(numbers, RESPONSE_STOP)
    feedback_start = whole(numbers, FEEDBACK_START)
    feedback_stop = whole(numbers, FEEDBACK_STOP)
    first_trial = whole(numbers, FIRST_TRIAL)
    retention = real(numbers, RETENTION)
    gain = real(numbers, TRACE_GAIN)
    bound = real(numbers, MAX_CHANGE)
    response_length = real(numbers, RESPONSE_LENGTH)

    program = tl.program_id(0).to(tl.int64)
    memory = memory_of(all_memory, program, numbers, S)
    for turn in range(tl.program_id(0), whole(numbers, NUM_INDIVIDUALS), tl.num_programs(0)):
        individual = program * 0 + turn
        tl.debug_barrier()
        lay_out(individuals, individual, memory, numbers, S)
        own = intrinsic_of(individuals, individual, S)
        leak = leak_of(own, i, numbers, S)
        tl.debug_barrier()
        w, w_c = matrix_of(memory, MATRIX_W, S)
        alpha, alpha_c = matrix_of(memory, MATRIX_ALPHA, S)
        p, p_c = matrix_of(memory, MATRIX_P, S)
        elig, elig_c = matrix_of(memory, MATRIX_ELIG, S)
        task = tl.load(individuals.task + individual)
        start = tl.load(tasks.start + task).to(tl.int32)
        size = tl.load(tasks.size + task).to(tl.uint32)
        trial_stream = tl.load(individuals.trial_stream + individual).to(tl.uint32)
        perturb_stream = tl.load(individuals.perturb_stream + individual).to(tl.uint32)
        x = tl.where(i < S.num_unclamped, real(numbers, INITIAL_ACTIVATION), 0.0)
        rate = x
        clamped = clamped_at_birth(c, numbers, S)
        means = means_at_birth(individuals, individual, S)
        roughness = tl.full([], 0.0, tl.float32)

        for trial in range(0, num_trials):
            entry = fixed_trial(numbers, task, trial, trial_stream, start, size, S)
            learns = teaches(numbers, task, trial, S)
            loud = if_taught(learns, trial, num_trials, S)  # behind the last trial none is
            kept = if_taught(learns, retention, 1.0, S)
            tl.debug_barrier()
            draw_noise(memory, numbers, loud, perturb_stream, 0, num_steps, S)
            target = tl.load(tasks.target + entry * S.outputs + action, mask=is_response, other=0.0)
            loss = tl.zeros([WIDE], tl.float32)
            activity = tl.zeros([WIDE], tl.float32)
            mod_before = tl.full([], 0.0, tl.float32)
            choice = tl.full([], 0, tl.int32)
            first = tl.full([], 0.0, tl.float32)
            second = tl.full([], 0.0, tl.float32)
            may_change = if_taught(learns, trial >= first_trial, False, S)
            tl.debug_barrier()

            for step in range(0, num_steps):
                xi = tl.load(memory.xi + step * WIDE + i)
                drive = drive_of(w, alpha, p, rate) + drive_of(w_c, alpha_c, p_c, clamped)
                elig = kept * (elig + rate[:, None] * xi[None, :])
                elig_c = kept * (elig_c + clamped[:, None] * xi[None, :])
                x = x + leak * (drive - x) + xi
                in_window = (response_start <= step) & (step < response_stop)
                rate = rates_after(x, rate, own, i, is_response, in_window, S)
                answers = is_response & in_window
                error = rate - target
                loss += tl.where(answers, error * error / response_length, 0.0)
                activity += tl.where(answers, rate, 0.0)

                mod = tl.sum(rate * sign, 0)
                in_feedback = (feedback_start <= step) & (step < feedback_stop)
                gate_open = may_change
                if not S.gate_always:
                    gate_open = gate_open & in_feedback
                gate = tl.where(gate_open, mod, 0.0)
                p += limit(gain * elig * gate, bound)
                p_c += limit(gain * elig_c * gate, bound)
                jump = mod - mod_before
                roughness += tl.where(may_change & (step > 0), jump * jump, 0.0)
                mod_before = mod

                if step == feedback_start:
                    choice, first, second, _, means = conclude(
                        loss, activity, action, is_response, entry, means, learns, tasks, record,
                        individual * num_trials + trial, numbers, S,
                    )  # fmt: skip
                clamped = clamped_rates(
                    c, tasks, entry * num_steps + step, in_feedback, first, second, choice,
                    numbers, S,
                )  # fmt: skip
        tl.store(record.roughness + individual, roughness)
