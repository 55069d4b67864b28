"""The schedule "at_outcome" on chip: weights and traces stay in registers for a whole life.

One program simulates one individual through all trials and steps, then takes the next. A step is
one product of the weights with the rates, and one outer product of the rates with the step's
perturbations onto the traces. What the clamped neurons send is known beforehand, and is one matrix
product for many steps. Memory is read for p, w and alpha, once a trial, when the outcome is known.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.activity import (
    clamped_at_birth,
    force,
    intrinsic_of,
    leak_of,
    present,
    rates_after,
)
from evoplastic.engines.gpu.course import fixed_trial, if_taught, teaches
from evoplastic.engines.gpu.matrices import (
    MATRIX_ELIG,
    MATRIX_W,
    MATRIX_WEIGHT,
    credit_of,
    decayed,
    lay_out,
    learnt,
    matrix_of,
    memory_of,
)
from evoplastic.engines.gpu.numbers import (
    FEEDBACK_START,
    FEEDBACK_STOP,
    FIRST_TRIAL,
    INITIAL_ACTIVATION,
    NUM_INDIVIDUALS,
    NUM_STEPS,
    NUM_TRIALS,
    RESPONSE_LENGTH,
    RESPONSE_START,
    RESPONSE_STOP,
    real,
    whole,
)
from evoplastic.engines.gpu.outcome import conclude, means_at_birth
from evoplastic.engines.gpu.perturbation import draw_noise


@triton.jit
def run_at_outcome(individuals, tasks, numbers, all_memory, record, S: tl.constexpr):
    """Simulate every `num_programs`-th individual; the arguments are those of `gpu.bundles`."""
    WIDE: tl.constexpr = S.wide
    CLAMPED: tl.constexpr = S.clamped
    ROW: tl.constexpr = S.row
    i = tl.arange(0, WIDE)
    c = tl.arange(0, CLAMPED)
    is_response = (i >= S.response_at) & (i < S.num_unclamped)
    action = i - S.response_at
    num_steps = whole(numbers, NUM_STEPS)
    num_trials = whole(numbers, NUM_TRIALS)
    response_start = whole(numbers, RESPONSE_START)
    response_stop = whole(numbers, RESPONSE_STOP)
    feedback_start = whole(numbers, FEEDBACK_START)
    feedback_stop = whole(numbers, FEEDBACK_STOP)
    first_trial = whole(numbers, FIRST_TRIAL)
    response_length = real(numbers, RESPONSE_LENGTH)
    never = num_steps <= 0

    program = tl.program_id(0).to(tl.int64)
    memory = memory_of(all_memory, program, numbers, S)
    history = memory.history
    from_clamped = memory.matrices + MATRIX_WEIGHT * S.matrix + (WIDE + c)[:, None] * WIDE + i
    for turn in range(tl.program_id(0), whole(numbers, NUM_INDIVIDUALS), tl.num_programs(0)):
        individual = program * 0 + turn
        tl.debug_barrier()
        lay_out(individuals, individual, memory, numbers, S)
        own = intrinsic_of(individuals, individual, S)
        leak = leak_of(own, i, numbers, S)
        task = tl.load(individuals.task + individual)
        start = tl.load(tasks.start + task).to(tl.int32)
        size = tl.load(tasks.size + task).to(tl.uint32)
        trial_stream = tl.load(individuals.trial_stream + individual).to(tl.uint32)
        perturb_stream = tl.load(individuals.perturb_stream + individual).to(tl.uint32)
        x = tl.where(i < S.num_unclamped, real(numbers, INITIAL_ACTIVATION), 0.0)
        rate = x
        tl.debug_barrier()
        weight, _ = matrix_of(memory, MATRIX_W, S)
        elig, elig_c = matrix_of(memory, MATRIX_ELIG, S)
        tl.store(history + WIDE + c, clamped_at_birth(c, numbers, S))
        means = means_at_birth(individuals, individual, S)

        for trial in range(0, num_trials):
            entry = fixed_trial(numbers, task, trial, trial_stream, start, size, S)
            learns = teaches(numbers, task, trial, S)
            loud = if_taught(learns, trial, num_trials, S)  # behind the last trial none is
            first_row = entry * num_steps
            draw_noise(memory, numbers, loud, perturb_stream, 0, num_steps, S)
            present(
                memory, tasks, first_row, 0, feedback_start, num_steps, num_steps,
                0.0, 0.0, 0, numbers, S,
            )  # fmt: skip
            tl.debug_barrier()
            force(memory, own, 0, feedback_start + 1, numbers, S)
            target = tl.load(tasks.target + entry * S.outputs + action, mask=is_response, other=0.0)
            loss = tl.zeros([WIDE], tl.float32)
            activity = tl.zeros([WIDE], tl.float32)
            tl.debug_barrier()

            decays = if_taught(learns, feedback_start + 1, 0, S)
            elig, elig_c = decayed(elig, elig_c, memory, decays)
            for step in range(0, feedback_start + 1):
                forcing = tl.load(memory.force + step * WIDE + i)
                xi, clamped = credit_of(memory, i, c, step, feedback_start + 1, S)
                drive = tl.sum(weight * rate[:, None], 0)
                elig += rate[:, None] * xi[None, :]
                elig_c += clamped[:, None] * xi[None, :]
                x = x + leak * (drive - x) + forcing
                in_window = (response_start <= step) & (step < response_stop)
                rate = rates_after(x, rate, own, i, is_response, in_window, S)
                answers = is_response & in_window
                error = rate - target
                loss += tl.where(answers, error * error / response_length, 0.0)
                activity += tl.where(answers, rate, 0.0)

            choice, first, second, gate, means = conclude(
                loss, activity, action, is_response, entry, means, learns, tasks, record,
                individual * num_trials + trial, numbers, S,
            )  # fmt: skip
            present(
                memory, tasks, first_row, feedback_start, num_steps, feedback_start, feedback_stop,
                first, second, choice, numbers, S,
            )  # fmt: skip
            tl.debug_barrier()
            may_change = if_taught(learns, trial >= first_trial, False, S)
            weight, weight_c = learnt(elig, elig_c, memory, gate, may_change, numbers, S)
            tl.store(from_clamped, weight_c)
            tl.debug_barrier()
            force(memory, own, feedback_start + 1, num_steps, numbers, S)
            tl.debug_barrier()

            decays = if_taught(learns, num_steps - feedback_start - 1, 0, S)
            elig, elig_c = decayed(elig, elig_c, memory, decays)
            for step in range(feedback_start + 1, num_steps):
                forcing = tl.load(memory.force + step * WIDE + i)
                xi, clamped = credit_of(memory, i, c, step, num_steps, S)
                drive = tl.sum(weight * rate[:, None], 0)
                elig += rate[:, None] * xi[None, :]
                elig_c += clamped[:, None] * xi[None, :]
                x = x + leak * (drive - x) + forcing
                rate = rates_after(x, rate, own, i, is_response, never, S)

            tl.debug_barrier()
            last = tl.load(history + num_steps * ROW + WIDE + c)
            tl.store(history + WIDE + c, last)
            tl.debug_barrier()
