"""Self-paced trials: an action and a reward at every step, every individual on its own clock.

One program simulates one individual through all trials of its life: a trial is a loop over steps
that ends when the table of states says so. What a step needs of a network that fits stays in
registers: its weights for a whole trial if they change at outcomes, all four matrices for the whole
life if at steps. Else the matrices lie in memory as in `gpu.streamed`.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.activity import (
    choose,
    intrinsic_of,
    leak_of,
    modulator_signs,
    rates_after,
    signal_at,
)
from evoplastic.engines.gpu.course import drawn_trial, if_taught, remembered, teaches, told
from evoplastic.engines.gpu.matrices import (
    MATRIX_ALPHA,
    MATRIX_ELIG,
    MATRIX_P,
    MATRIX_W,
    drive_of,
    lay_out,
    learn,
    learnt,
    limit,
    matrix_of,
    memory_of,
)
from evoplastic.engines.gpu.numbers import (
    ACTION_GAIN,
    BIAS_RATE,
    ENDED_WELL,
    FEEDBACK_GAIN,
    FEEDBACK_REWARD,
    FIRST_TRIAL,
    IN_ANSWER,
    IN_HOLD,
    INITIAL_ACTIVATION,
    MAX_CHANGE,
    NUM_INDIVIDUALS,
    NUM_STEPS,
    NUM_TRIALS,
    RETENTION,
    STIMULUS_GAIN,
    TARGET_HIGH,
    TARGET_LOW,
    TRACE_GAIN,
    real,
    whole,
)
from evoplastic.engines.gpu.outcome import feedback_pair, means_at_birth, reinforce
from evoplastic.engines.gpu.perturbation import draw_noise
from evoplastic.engines.gpu.streamed import advance, awaken


@triton.jit
def clamped_at(
    c, channel, action, state, choice, first, second, tasks, numbers, S: tl.constexpr
):  # fmt: skip
    """Rates [C'] of the clamped neurons before a step at `state`, after the action `choice`."""
    at = tasks.observation + state * S.channels + channel
    value = real(numbers, STIMULUS_GAIN) * tl.load(at, mask=channel >= 0, other=0.0)
    value = tl.where(c == S.feedback_at, first, value)
    value = tl.where(c == S.feedback_at + 1, second, value)
    value = tl.where(c == S.bias_at, real(numbers, BIAS_RATE), value)
    taken = (action >= 0) & (action == choice)
    return tl.where(taken, real(numbers, ACTION_GAIN), value)


@triton.jit
def mean_of_parts(held, num_held, answered, num_answered):
    """Mean over the parts of a trial that occurred of their mean error; 0 if none did."""
    means = held / tl.maximum(num_held, 1.0) + answered / tl.maximum(num_answered, 1.0)
    return means / tl.maximum(tl.minimum(num_held, 1.0) + tl.minimum(num_answered, 1.0), 1.0)


@triton.jit
def run_self_paced(individuals, tasks, numbers, all_memory, record, S: tl.constexpr):
    """Simulate every `num_programs`-th individual; the arguments are those of `gpu.bundles`."""
    WIDE: tl.constexpr = S.wide
    ROW: tl.constexpr = S.row
    STEPS: tl.constexpr = S.block_steps
    SOURCES: tl.constexpr = S.block_sources
    ACTIONS: tl.constexpr = S.action_slots
    CLAMPS: tl.constexpr = S.clamp_slots
    c = tl.arange(0, CLAMPS)
    if S.on_chip:  # responses are read where they are made, among all unclamped rates
        i = tl.arange(0, WIDE)
        is_response = (i >= S.response_at) & (i < S.num_unclamped)
        line = i - S.response_at
        sign = modulator_signs(i, S)
    else:
        line = tl.arange(0, ACTIONS)
    is_line = (line >= 0) & (line < S.outputs)
    num_steps = whole(numbers, NUM_STEPS)
    num_trials = whole(numbers, NUM_TRIALS)
    first_trial = whole(numbers, FIRST_TRIAL)
    retention = real(numbers, RETENTION)
    gain = real(numbers, TRACE_GAIN)
    bound = real(numbers, MAX_CHANGE)
    low, high = real(numbers, TARGET_LOW), real(numbers, TARGET_HIGH)

    program = tl.program_id(0).to(tl.int64)
    memory = memory_of(all_memory, program, numbers, S)
    history = memory.history
    for turn in range(tl.program_id(0), whole(numbers, NUM_INDIVIDUALS), tl.num_programs(0)):
        individual = program * 0 + turn
        tl.debug_barrier()
        lay_out(individuals, individual, memory, numbers, S)
        own = intrinsic_of(individuals, individual, S)
        task = tl.load(individuals.task + individual)
        start = tl.load(tasks.start + task).to(tl.int32)
        stop = start + tl.load(tasks.size + task).to(tl.int32)
        if S.course:
            trial_stream = tl.load(individuals.trial_stream + individual).to(tl.uint32)
            entry = drawn_trial(numbers, task, 0, trial_stream)
        else:
            entry = tl.load(individuals.entry + individual).to(tl.int32)
        perturb_stream = tl.load(individuals.perturb_stream + individual).to(tl.uint32)
        at = individuals.channel + individual * S.inputs + c
        channel = tl.load(at, mask=c < S.inputs, other=-1)
        signal = c - S.action_at
        at = individuals.action + individual * S.outputs + signal
        signal = tl.load(at, mask=(signal >= 0) & (signal < S.outputs), other=-1)
        action = tl.load(individuals.action + individual * S.outputs + line, mask=is_line, other=-1)
        is_action = action >= 0
        state = tl.load(tasks.first + entry)
        choice = tl.full([], -1, tl.int32)
        nothing = tl.full([], 0.0, tl.float32)
        clamped = clamped_at(c, channel, signal, state, choice, nothing, nothing, tasks, numbers, S)
        if S.on_chip:
            leak = leak_of(own, i, numbers, S)
            x = tl.where(i < S.num_unclamped, real(numbers, INITIAL_ACTIVATION), 0.0)
            rate = x
        else:
            awaken(memory, numbers, S)
            tl.store(history + WIDE + c, clamped, mask=c < S.clamped)
        means = means_at_birth(individuals, individual, S)
        roughness = tl.full([], 0.0, tl.float32)
        gate = tl.full([], 0.0, tl.float32)
        tl.debug_barrier()
        if S.on_chip:
            w, w_c = matrix_of(memory, MATRIX_W, S)
            elig, elig_c = matrix_of(memory, MATRIX_ELIG, S)
            if S.lazy:
                alpha, alpha_c = matrix_of(memory, MATRIX_ALPHA, S)
                p, p_c = matrix_of(memory, MATRIX_P, S)

        for trial in range(0, num_trials):
            kind = tl.load(tasks.kind + entry)
            learns = teaches(numbers, task, trial, S)
            loud = if_taught(learns, trial, num_trials, S)  # behind the last trial none is
            kept = if_taught(learns, retention, 1.0, S)
            may_change = if_taught(learns, trial >= first_trial, False, S)
            held, num_held = nothing, nothing
            answered, num_answered = nothing, nothing
            reward, paid, mod_before = nothing, nothing, nothing
            step = trial * 0

            while state >= 0:
                if step % STEPS == 0:
                    until = tl.minimum(step + STEPS, num_steps)
                    draw_noise(memory, numbers, loud, perturb_stream, step, until, S)
                    tl.debug_barrier()
                before = history + step * ROW
                if S.on_chip:
                    xi = tl.load(memory.xi + step * WIDE + i)
                    if S.lazy:
                        drive = drive_of(w, alpha, p, rate) + drive_of(w_c, alpha_c, p_c, clamped)
                    else:  # w is w + alpha * p, which changes at outcomes
                        drive = tl.sum(w * rate[:, None], 0)
                        drive += tl.sum(w_c * clamped[:, None], 0)
                    elig = kept * (elig + rate[:, None] * xi[None, :])
                    elig_c = kept * (elig_c + clamped[:, None] * xi[None, :])
                    x = x + leak * (drive - x) + xi
                    rate = rates_after(x, rate, own, i, is_response, step >= 0, S)
                    answer = rate
                else:
                    advance(memory, own, step, gate, step >= 0, learns, numbers, S)
                    tl.debug_barrier()
                    answer = tl.load(before + ROW + S.response_at + line, mask=is_line, other=0.0)

                choice = choose(answer, action, is_action, S.outputs)
                target = tl.load(tasks.target_action + state)
                error = answer - tl.where(action == target, high, low)
                error = tl.sum(tl.where(is_action, error * error, 0.0), 0)
                part = tl.load(tasks.flags + state)
                held += tl.where(part == IN_HOLD, error, 0.0)
                num_held += tl.where(part == IN_HOLD, 1.0, 0.0)
                answered += tl.where(part == IN_ANSWER, error, 0.0)
                num_answered += tl.where(part == IN_ANSWER, 1.0, 0.0)

                if S.lazy:
                    if S.on_chip:
                        mod = tl.sum(rate * sign, 0)
                    else:
                        mod = signal_at(before + ROW, S)
                    gate_open = may_change
                    if not S.gate_always:
                        gate_open = gate_open & (step == 0) & (trial > 0)
                    gate = tl.where(gate_open, mod, 0.0)
                    if S.on_chip:  # else the next step's pass over the matrices applies the gate
                        p += limit(gain * elig * gate, bound)
                        p_c += limit(gain * elig_c * gate, bound)
                    jump = mod - mod_before
                    roughness += tl.where(may_change & (step > 0), jump * jump, 0.0)
                    mod_before = mod

                at_choice = state * S.choices + choice
                paid = tl.load(tasks.reward + at_choice)
                reward += paid
                state = tl.load(tasks.onward + at_choice)
                step += 1
                shown = nothing
                if S.feedback >= FEEDBACK_REWARD:
                    shown = if_taught(learns, real(numbers, FEEDBACK_GAIN) * paid, 0.0, S)
                clamped = clamped_at(
                    c, channel, signal, tl.maximum(state, 0), choice, shown, -shown, tasks,
                    numbers, S,
                )  # fmt: skip
                if not S.on_chip:
                    tl.store(before + ROW + WIDE + c, clamped, mask=c < S.clamped)
                    tl.debug_barrier()

            loss = mean_of_parts(held, num_held, answered, num_answered)
            correct = state == ENDED_WELL
            out = individual * num_trials + trial
            tl.store(record.loss + out, loss)
            tl.store(record.correct + out, correct.to(tl.int8))
            tl.store(record.reward + out, reward)
            tl.store(record.steps + out, step)
            first, second = feedback_pair(loss, correct, paid, means, numbers, S)
            first, second = told(learns, first, second, S)
            factor, advanced = reinforce(loss, correct, reward, kind, means, numbers, S)
            means = remembered(learns, advanced, means, S)
            if S.course:
                entry = drawn_trial(numbers, task, trial + 1, trial_stream)
            else:
                entry = tl.where(entry + 1 == stop, start, entry + 1)
            state = tl.load(tasks.first + entry)
            clamped = clamped_at(
                c, channel, signal, state, choice, first, second, tasks, numbers, S
            )
            if S.on_chip:
                if not S.lazy:
                    w, w_c = learnt(elig, elig_c, memory, factor, may_change, numbers, S)
            elif not S.lazy:
                tl.debug_barrier()
                learn(memory, if_taught(learns, step, 0, S), factor, may_change, numbers, S)
            tl.debug_barrier()
            if not S.on_chip:
                for first_j in range(0, WIDE, SOURCES):
                    j = first_j + tl.arange(0, SOURCES)
                    tl.store(history + j, tl.load(history + step * ROW + j))
                tl.store(history + WIDE + c, clamped, mask=c < S.clamped)
                tl.debug_barrier()
        tl.store(record.roughness + individual, roughness)
