"""Trials that run freely: an action and a reward at every step, every individual on its own clock.

One program lives one individual through all trials of its life: a trial is a loop over steps that
ends when the table of nodes says so. What a step needs of a network that fits stays in registers:
its weights for a whole trial if they change at outcomes, all four matrices for the whole life if
at steps. Else the matrices lie in memory as in `gpu.streamed`.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.at_outcome import (
    FIRST_TRIAL,
    NUM_INDIVIDUALS,
    NUM_STEPS,
    NUM_TRIALS,
)
from evoplastic.engines.gpu.lazy import RETENTION, drive_of, matrix_of
from evoplastic.engines.gpu.parts import (
    ACTION_GAIN,
    BIAS_RATE,
    FEEDBACK_GAIN,
    INITIAL_ACTIVATION,
    LEAK,
    MATRIX_ALPHA,
    MATRIX_ELIG,
    MATRIX_P,
    MATRIX_W,
    MATRIX_WEIGHT,
    MAX_CHANGE,
    STIMULUS_GAIN,
    TRACE_GAIN,
    choose,
    feedback_pair,
    lay_out,
    learn,
    limit,
    reinforce,
    respond,
)
from evoplastic.engines.gpu.perturbation import draw_noise
from evoplastic.engines.gpu.plan import Reals
from evoplastic.engines.gpu.streamed import advance
from evoplastic.trials.timing import ANSWER, HOLD, OVER_RIGHT

TARGET_LOW = tl.constexpr(Reals._fields.index("target_low"))
TARGET_HIGH = tl.constexpr(Reals._fields.index("target_high"))
IN_HOLD, IN_ANSWER = tl.constexpr(HOLD), tl.constexpr(ANSWER)
ENDED_WELL = tl.constexpr(OVER_RIGHT)


@triton.jit
def _clamped(
    c, channel, action, node, choice, first, second, observation_ptr, reals, I: tl.constexpr,
    CHANNELS: tl.constexpr,
):  # fmt: skip
    """Rates [C'] of the clamped neurons before a step at `node`, after the action `choice`."""
    at = observation_ptr + node * CHANNELS + channel
    value = tl.load(reals + STIMULUS_GAIN) * tl.load(at, mask=channel >= 0, other=0.0)
    value = tl.where(c == I, first, value)
    value = tl.where(c == I + 1, second, value)
    value = tl.where(c == I + 2, tl.load(reals + BIAS_RATE), value)
    taken = (action >= 0) & (action == choice)
    return tl.where(taken, tl.load(reals + ACTION_GAIN), value)


@triton.jit
def _mean_of_parts(held, num_held, answered, num_answered):
    """Mean over the parts of a trial that occurred of their mean error; 0 if none did."""
    means = held / tl.maximum(num_held, 1.0) + answered / tl.maximum(num_answered, 1.0)
    return means / tl.maximum(tl.minimum(num_held, 1.0) + tl.minimum(num_answered, 1.0), 1.0)


@triton.jit
def run_self_paced(
    w_ptr, alpha_ptr, task_ptr, entry_ptr, perturb_stream_ptr, channel_ptr, action_ptr,
    observation_ptr, asked_ptr, part_ptr, earned_ptr, next_ptr, first_ptr, kind_ptr, start_ptr,
    size_ptr, ints, reals, power_ptr, matrices_ptr, history_ptr, xi_ptr, x_ptr,
    loss_out, correct_out, reward_out, roughness_out, steps_out,
    N: tl.constexpr, I: tl.constexpr, O: tl.constexpr, CHANNELS: tl.constexpr,
    CHOICES: tl.constexpr, WIDE: tl.constexpr, CP: tl.constexpr, BJ: tl.constexpr,
    BI: tl.constexpr, BT: tl.constexpr, DRAWS: tl.constexpr, ACTIONS: tl.constexpr,
    CLAMPS: tl.constexpr, KINDS: tl.constexpr, FEEDBACK: tl.constexpr, OUTCOME: tl.constexpr,
    BASELINE: tl.constexpr, GATE_ALWAYS: tl.constexpr, LAZY: tl.constexpr,
    ON_CHIP: tl.constexpr,
):  # fmt: skip
    """Live every `num_programs`-th individual; `gpu_launch.launch_free` says what comes in."""
    CLAMPED: tl.constexpr = I + 3 + O
    U: tl.constexpr = N - CLAMPED
    ROW: tl.constexpr = WIDE + CP
    c = tl.arange(0, CLAMPS)
    if ON_CHIP:  # responses are read where they are made, among all unclamped rates
        i = tl.arange(0, WIDE)
        is_response = (i >= U - O) & (i < U)
        line = i - (U - O)
        sign = tl.where(i == U - O - 2, 1.0, tl.where(i == U - O - 1, -1.0, 0.0))
    else:
        line = tl.arange(0, ACTIONS)
    is_line = (line >= 0) & (line < O)
    num_steps = tl.load(ints + NUM_STEPS).to(tl.int32)
    num_trials = tl.load(ints + NUM_TRIALS).to(tl.int32)
    first_trial = tl.load(ints + FIRST_TRIAL).to(tl.int32)
    leak = tl.load(reals + LEAK)
    retention = tl.load(reals + RETENTION)
    gain = tl.load(reals + TRACE_GAIN)
    bound = tl.load(reals + MAX_CHANGE)
    low, high = tl.load(reals + TARGET_LOW), tl.load(reals + TARGET_HIGH)

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
        task = tl.load(task_ptr + life)
        start = tl.load(start_ptr + task).to(tl.int32)
        stop = start + tl.load(size_ptr + task).to(tl.int32)
        entry = tl.load(entry_ptr + life).to(tl.int32)
        perturb_stream = tl.load(perturb_stream_ptr + life).to(tl.uint32)
        channel = tl.load(channel_ptr + life * I + c, mask=c < I, other=-1)
        signal = c - (I + 3)
        signal = tl.load(
            action_ptr + life * O + signal, mask=(signal >= 0) & (signal < O), other=-1
        )
        action = tl.load(action_ptr + life * O + line, mask=is_line, other=-1)
        is_action = action >= 0
        node = tl.load(first_ptr + entry)
        choice = tl.full([], -1, tl.int32)
        nothing = tl.full([], 0.0, tl.float32)
        clamped = _clamped(
            c, channel, signal, node, choice, nothing, nothing, observation_ptr, reals,
            I, CHANNELS,
        )  # fmt: skip
        if ON_CHIP:
            x = tl.where(i < U, tl.load(reals + INITIAL_ACTIVATION), 0.0)
            rate = x
        else:
            for first_i in range(0, WIDE, BI):
                at_i = first_i + tl.arange(0, BI)
                x_i = tl.where(at_i < U, tl.load(reals + INITIAL_ACTIVATION), 0.0)
                tl.store(x_N + at_i, x_i)
                tl.store(history + at_i, x_i)
            tl.store(history + WIDE + c, clamped, mask=c < CP)
        mean_correct = tl.full([], 1.0 / O, tl.float32)
        mean_reward = tl.full([], 0.0, tl.float32)
        baseline = tl.zeros([KINDS], tl.float32)
        roughness = tl.full([], 0.0, tl.float32)
        gate = tl.full([], 0.0, tl.float32)
        tl.debug_barrier()
        if ON_CHIP and LAZY:
            w, w_c = matrix_of(matrices, MATRIX_W, WIDE, CP)
            alpha, alpha_c = matrix_of(matrices, MATRIX_ALPHA, WIDE, CP)
            p, p_c = matrix_of(matrices, MATRIX_P, WIDE, CP)
            elig, elig_c = matrix_of(matrices, MATRIX_ELIG, WIDE, CP)

        for trial in range(0, num_trials):
            kind = tl.load(kind_ptr + entry)
            may_change = trial >= first_trial
            held, num_held = nothing, nothing
            answered, num_answered = nothing, nothing
            reward, earned, mod_before = nothing, nothing, nothing
            step = trial * 0
            if ON_CHIP and not LAZY:
                weight, weight_c = matrix_of(matrices, MATRIX_WEIGHT, WIDE, CP)

            while node >= 0:
                if step % BT == 0:
                    draw_noise(
                        xi_T, ints, reals, trial, perturb_stream, step,
                        tl.minimum(step + BT, num_steps), N, O, CLAMPED, WIDE, DRAWS,
                    )  # fmt: skip
                    tl.debug_barrier()
                before = history + step * ROW
                if ON_CHIP:
                    xi = tl.load(xi_T + step * WIDE + i)
                    if LAZY:
                        drive = drive_of(w, alpha, p, rate) + drive_of(w_c, alpha_c, p_c, clamped)
                        elig = retention * (elig + rate[:, None] * xi[None, :])
                        elig_c = retention * (elig_c + clamped[:, None] * xi[None, :])
                    else:  # elig is made of what each step leaves, when the trial is over
                        tl.store(before + i, rate)
                        tl.store(before + WIDE + c, clamped)
                        drive = tl.sum(weight * rate[:, None], 0)
                        drive += tl.sum(weight_c * clamped[:, None], 0)
                    x = x + leak * (drive - x) + xi
                    rate = respond(x, is_response, step >= 0)
                    answer = rate
                else:
                    advance(
                        matrices, before, before + ROW, xi_T + step * WIDE, x_N, gate, step >= 0,
                        reals, N, O, CLAMPED, WIDE, ROW, BJ, BI, LAZY,
                    )  # fmt: skip
                    tl.debug_barrier()
                    answer = tl.load(before + ROW + (U - O) + line, mask=is_line, other=0.0)

                choice = choose(answer, action, is_action, O)
                error = answer - tl.where(action == tl.load(asked_ptr + node), high, low)
                error = tl.sum(tl.where(is_action, error * error, 0.0), 0)
                part = tl.load(part_ptr + node)
                held += tl.where(part == IN_HOLD, error, 0.0)
                num_held += tl.where(part == IN_HOLD, 1.0, 0.0)
                answered += tl.where(part == IN_ANSWER, error, 0.0)
                num_answered += tl.where(part == IN_ANSWER, 1.0, 0.0)

                if LAZY:
                    if ON_CHIP:
                        mod = tl.sum(rate * sign, 0)
                    else:
                        modulators = before + ROW + (U - O - 2)
                        mod = tl.load(modulators) - tl.load(modulators + 1)
                    gate_open = may_change
                    if not GATE_ALWAYS:
                        gate_open = gate_open & (step == 0) & (trial > 0)
                    gate = tl.where(gate_open, mod, 0.0)
                    if ON_CHIP:  # else the next step's pass over the matrices applies the gate
                        p += limit(gain * elig * gate, bound)
                        p_c += limit(gain * elig_c * gate, bound)
                    jump = mod - mod_before
                    roughness += tl.where(may_change & (step > 0), jump * jump, 0.0)
                    mod_before = mod

                at = node * CHOICES + choice
                earned = tl.load(earned_ptr + at)
                reward += earned
                node = tl.load(next_ptr + at)
                step += 1
                shown = nothing
                if FEEDBACK >= 3:
                    shown = tl.load(reals + FEEDBACK_GAIN) * earned
                clamped = _clamped(
                    c, channel, signal, tl.maximum(node, 0), choice, shown, -shown,
                    observation_ptr, reals, I, CHANNELS,
                )  # fmt: skip
                if not ON_CHIP:
                    tl.store(before + ROW + WIDE + c, clamped, mask=c < CP)
                    tl.debug_barrier()

            loss = _mean_of_parts(held, num_held, answered, num_answered)
            correct = node == ENDED_WELL
            out = life * num_trials + trial
            tl.store(loss_out + out, loss)
            tl.store(correct_out + out, correct.to(tl.int8))
            tl.store(reward_out + out, reward)
            tl.store(steps_out + out, step)
            first, second = feedback_pair(
                loss, correct, earned, mean_correct, mean_reward, reals, FEEDBACK, OUTCOME
            )
            factor, baseline, mean_correct, mean_reward = reinforce(
                loss, correct, reward, kind, mean_correct, mean_reward, baseline, reals,
                KINDS, OUTCOME, BASELINE,
            )  # fmt: skip
            entry = tl.where(entry + 1 == stop, start, entry + 1)
            node = tl.load(first_ptr + entry)
            clamped = _clamped(
                c, channel, signal, node, choice, first, second, observation_ptr, reals,
                I, CHANNELS,
            )  # fmt: skip
            if not LAZY:
                tl.debug_barrier()
                learn(
                    matrices, history, xi_T, power_ptr, step, factor, may_change, reals,
                    WIDE, ROW, BJ, BI, BT,
                )  # fmt: skip
            tl.debug_barrier()
            if not ON_CHIP:
                for first_j in range(0, WIDE, BJ):
                    j = first_j + tl.arange(0, BJ)
                    tl.store(history + j, tl.load(history + step * ROW + j))
                tl.store(history + WIDE + c, clamped, mask=c < CP)
                tl.debug_barrier()
        tl.store(roughness_out + life, roughness)
