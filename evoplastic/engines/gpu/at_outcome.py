"""External modulation on chip: the weights of one network stay in registers for a whole trial.

One program lives one individual through all trials and steps, then takes the next. A step is one
product of the weights in registers with the rates. Everything that can be done for many steps at
once is done once per trial as a matrix product: what the clamped neurons send, which is known
beforehand, and elig, a sum of outer products over steps, for which each step leaves its rates.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.parts import (
    INITIAL_ACTIVATION,
    LEAK,
    MATRIX_WEIGHT,
    clamped_at_birth,
    conclude,
    credit_rest,
    force,
    lay_out,
    learn,
    present,
    respond,
)
from evoplastic.engines.gpu.perturbation import draw_noise, trial_entry
from evoplastic.engines.gpu.plan import Ints, Reals

NUM_INDIVIDUALS = tl.constexpr(Ints._fields.index("num_individuals"))
NUM_TRIALS = tl.constexpr(Ints._fields.index("num_trials"))
NUM_STEPS = tl.constexpr(Ints._fields.index("num_steps"))
RESPONSE_START = tl.constexpr(Ints._fields.index("response_start"))
RESPONSE_STOP = tl.constexpr(Ints._fields.index("response_stop"))
FEEDBACK_START = tl.constexpr(Ints._fields.index("feedback_start"))
FEEDBACK_STOP = tl.constexpr(Ints._fields.index("feedback_stop"))
FIRST_TRIAL = tl.constexpr(Ints._fields.index("first_trial"))
RESPONSE_LENGTH = tl.constexpr(Reals._fields.index("response_length"))


@triton.jit
def run_at_outcome(
    w_ptr, alpha_ptr, task_ptr, trial_stream_ptr, perturb_stream_ptr,
    stimulus_ptr, target_ptr, asked_ptr, bank_reward_ptr, kind_ptr, start_ptr, size_ptr,
    ints, reals, power_ptr, matrices_ptr, history_ptr, xi_ptr, force_ptr,
    loss_out, correct_out, reward_out,
    N: tl.constexpr, I: tl.constexpr, O: tl.constexpr, WIDE: tl.constexpr, CP: tl.constexpr,
    BJ: tl.constexpr, BI: tl.constexpr, BT: tl.constexpr, DRAWS: tl.constexpr,
    KINDS: tl.constexpr, FEEDBACK: tl.constexpr, OUTCOME: tl.constexpr, BASELINE: tl.constexpr,
):  # fmt: skip
    """Live every `num_programs`-th individual; `gpu.run_gpu` says what the arguments are."""
    CLAMPED: tl.constexpr = I + 3 + O
    U: tl.constexpr = N - CLAMPED
    ROW: tl.constexpr = WIDE + CP
    i = tl.arange(0, WIDE)
    c = tl.arange(0, CP)
    is_response = (i >= U - O) & (i < U)
    action = i - (U - O)
    num_steps = tl.load(ints + NUM_STEPS).to(tl.int32)
    num_trials = tl.load(ints + NUM_TRIALS).to(tl.int32)
    response_start = tl.load(ints + RESPONSE_START).to(tl.int32)
    response_stop = tl.load(ints + RESPONSE_STOP).to(tl.int32)
    feedback_start = tl.load(ints + FEEDBACK_START).to(tl.int32)
    feedback_stop = tl.load(ints + FEEDBACK_STOP).to(tl.int32)
    first_trial = tl.load(ints + FIRST_TRIAL).to(tl.int32)
    leak = tl.load(reals + LEAK)
    response_length = tl.load(reals + RESPONSE_LENGTH)
    never = num_steps <= 0

    program = tl.program_id(0).to(tl.int64)
    matrices = matrices_ptr + program * (5 * ROW * WIDE)
    history = history_ptr + program * ((num_steps + 1) * ROW)
    xi_T = xi_ptr + program * ((num_steps + 1) * WIDE)
    force_T = force_ptr + program * ((num_steps + 1) * WIDE)
    weight_at = (
        matrices + MATRIX_WEIGHT * (ROW * WIDE) + tl.arange(0, WIDE)[:, None] * WIDE + i[None, :]
    )
    num_individuals = tl.load(ints + NUM_INDIVIDUALS).to(tl.int32)
    for turn in range(tl.program_id(0), num_individuals, tl.num_programs(0)):
        life = program * 0 + turn
        tl.debug_barrier()
        lay_out(w_ptr, alpha_ptr, life, ints, matrices, N, CLAMPED, WIDE, ROW, BJ, BI)
        task = tl.load(task_ptr + life)
        start = tl.load(start_ptr + task).to(tl.int32)
        size = tl.load(size_ptr + task).to(tl.uint32)
        trial_stream = tl.load(trial_stream_ptr + life).to(tl.uint32)
        perturb_stream = tl.load(perturb_stream_ptr + life).to(tl.uint32)
        x = tl.where(i < U, tl.load(reals + INITIAL_ACTIVATION), 0.0)
        rate = x
        tl.store(history + WIDE + c, clamped_at_birth(c, reals, I, O))
        mean_correct = tl.full([], 1.0 / O, tl.float32)
        mean_reward = tl.full([], 0.0, tl.float32)
        baseline = tl.zeros([KINDS], tl.float32)

        for trial in range(0, num_trials):
            entry = trial_entry(ints, trial, trial_stream, start, size)
            first_row = entry * num_steps
            draw_noise(
                xi_T, ints, reals, trial, perturb_stream, 0, num_steps,
                N, O, CLAMPED, WIDE, DRAWS,
            )  # fmt: skip
            present(
                history, stimulus_ptr, first_row, 0, feedback_start, num_steps, num_steps,
                0.0, 0.0, 0, reals, I, WIDE, CP, BT,
            )  # fmt: skip
            tl.debug_barrier()
            force(
                matrices, history, xi_T, force_T, 0, feedback_start + 1, reals, WIDE, CP, BJ, BI, BT
            )
            target = tl.load(target_ptr + entry * O + action, mask=is_response, other=0.0)
            loss = tl.zeros([WIDE], tl.float32)
            activity = tl.zeros([WIDE], tl.float32)
            weight = tl.load(weight_at)
            tl.debug_barrier()

            for step in range(0, feedback_start + 1):
                tl.store(history + step * ROW + i, rate)
                forcing = tl.load(force_T + step * WIDE + i)
                drive = tl.sum(weight * rate[:, None], 0)
                x = x + leak * (drive - x) + forcing
                in_window = (response_start <= step) & (step < response_stop)
                rate = respond(x, is_response, in_window)
                heard = is_response & in_window
                error = rate - target
                loss += tl.where(heard, error * error / response_length, 0.0)
                activity += tl.where(heard, rate, 0.0)

            choice, first, second, gate, baseline, mean_correct, mean_reward = conclude(
                loss, activity, action, is_response, entry, mean_correct, mean_reward,
                baseline, asked_ptr, bank_reward_ptr, kind_ptr, life * num_trials + trial,
                loss_out, correct_out, reward_out, reals, O, KINDS, FEEDBACK, OUTCOME, BASELINE,
            )  # fmt: skip
            present(
                history, stimulus_ptr, first_row, feedback_start, num_steps, feedback_start,
                feedback_stop, first, second, choice, reals, I, WIDE, CP, BT,
            )  # fmt: skip
            tl.debug_barrier()
            learn(
                matrices, history, xi_T, power_ptr, feedback_start + 1, gate,
                trial >= first_trial, reals, WIDE, ROW, BJ, BI, BT,
            )  # fmt: skip
            tl.debug_barrier()
            force(
                matrices, history, xi_T, force_T, feedback_start + 1, num_steps, reals,
                WIDE, CP, BJ, BI, BT,
            )  # fmt: skip
            weight = tl.load(weight_at)
            tl.debug_barrier()

            for step in range(feedback_start + 1, num_steps):
                tl.store(history + step * ROW + i, rate)
                forcing = tl.load(force_T + step * WIDE + i)
                drive = tl.sum(weight * rate[:, None], 0)
                x = x + leak * (drive - x) + forcing
                rate = respond(x, is_response, never)

            tl.debug_barrier()
            credit_rest(
                matrices, history, xi_T, power_ptr, feedback_start + 1, num_steps,
                WIDE, ROW, BJ, BI, BT,
            )  # fmt: skip
            last = tl.load(history + num_steps * ROW + WIDE + c)
            tl.store(history + WIDE + c, last)
            tl.debug_barrier()
