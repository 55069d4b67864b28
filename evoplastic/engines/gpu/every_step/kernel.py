"""The schedule "every_step": one kernel for all rules, layouts and kinds of trials.

After the network has moved on and its world has answered, weights change as the rule's table says
(`plasticity`). On chip all matrices of a network stay in registers for a whole life: w, alpha,
p, the trace and a rule's coefficients of connections. A rule with more of them than fit streams
(`streamed`).
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.activity import (
    BY_OUTCOME,
    choose,
    clamped_at_birth,
    clamped_rates,
    intrinsic_of,
    leak_of,
    modulator_signs,
    onto_plasticity,
    rates_after,
    signal_at,
    squared_jumps_at,
)
from evoplastic.engines.gpu.course import (
    drawn_trial,
    fixed_trial,
    if_taught,
    remembered,
    teaches,
    told,
)
from evoplastic.engines.gpu.every_step.codes import MODULATOR_CODES
from evoplastic.engines.gpu.every_step.plasticity import (
    advanced_mean,
    changed,
    credited,
    ends_of,
    joined,
    share_of_largest,
    target_factors,
)
from evoplastic.engines.gpu.every_step.streamed import (
    advance_means,
    advance_streamed,
    change_streamed,
    forget_means,
)
from evoplastic.engines.gpu.matrices import (
    MATRIX_ALPHA,
    MATRIX_ELIG,
    MATRIX_P,
    MATRIX_PAIRS,
    MATRIX_W,
    drive_of,
    lay_out,
    lay_out_pairs,
    matrix_of,
    memory_of,
)
from evoplastic.engines.gpu.numbers import (
    ENDED_WELL,
    FEEDBACK_GAIN,
    FEEDBACK_REWARD,
    FEEDBACK_START,
    FEEDBACK_STOP,
    FIRST_TRIAL,
    IN_ANSWER,
    IN_HOLD,
    INITIAL_ACTIVATION,
    MEAN_KEEP,
    MEAN_REST,
    NUM_INDIVIDUALS,
    NUM_STEPS,
    NUM_TRIALS,
    RESPONSE_LENGTH,
    RESPONSE_START,
    RESPONSE_STOP,
    TARGET_HIGH,
    TARGET_LOW,
    real,
    whole,
)
from evoplastic.engines.gpu.outcome import conclude, feedback_pair, means_at_birth, reinforce
from evoplastic.engines.gpu.perturbation import draw_noise
from evoplastic.engines.gpu.self_paced import clamped_at, mean_of_parts
from evoplastic.engines.gpu.streamed import awaken

BY_NETWORK = tl.constexpr(MODULATOR_CODES["network"])


@triton.jit
def pairs_of(memory, S: tl.constexpr):
    """The coefficients of connections, from unclamped and from clamped sources."""
    NUM_PAIR: tl.constexpr = S.rule.num_pair
    from_unclamped, from_clamped = (), ()
    for m in tl.static_range(NUM_PAIR):
        here, there = matrix_of(memory, MATRIX_PAIRS + m, S)
        from_unclamped = joined(from_unclamped, here)
        from_clamped = joined(from_clamped, there)
    return from_unclamped, from_clamped


@triton.jit
def run_every_step(
    individuals, coefficients, tasks, numbers, all_memory, record, S: tl.constexpr
):  # fmt: skip
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
    response_start = whole(numbers, RESPONSE_START)
    response_stop = whole(numbers, RESPONSE_STOP)
    feedback_start = whole(numbers, FEEDBACK_START)
    feedback_stop = whole(numbers, FEEDBACK_STOP)
    first_trial = whole(numbers, FIRST_TRIAL)
    response_length = real(numbers, RESPONSE_LENGTH)
    low, high = real(numbers, TARGET_LOW), real(numbers, TARGET_HIGH)
    keep, rest = real(numbers, MEAN_KEEP), real(numbers, MEAN_REST)
    nothing = tl.full([], 0.0, tl.float32)

    program = tl.program_id(0).to(tl.int64)
    memory = memory_of(all_memory, program, numbers, S)
    history = memory.history
    for turn in range(tl.program_id(0), whole(numbers, NUM_INDIVIDUALS), tl.num_programs(0)):
        individual = program * 0 + turn
        tl.debug_barrier()
        lay_out(individuals, individual, memory, numbers, S)
        lay_out_pairs(coefficients, individual, memory, numbers, S)
        own = intrinsic_of(individuals, individual, S)
        of_target = coefficients.of_target + individual * (S.rule.num_target * WIDE)
        of_source = coefficients.of_source + individual * (S.rule.num_source * ROW)
        retention = tl.load(coefficients.retention + individual)
        task = tl.load(individuals.task + individual)
        start = tl.load(tasks.start + task).to(tl.int32)
        size = tl.load(tasks.size + task)
        perturb_stream = tl.load(individuals.perturb_stream + individual).to(tl.uint32)
        choice = tl.full([], 0, tl.int32)
        if S.self_paced:
            if S.course:
                trial_stream = tl.load(individuals.trial_stream + individual).to(tl.uint32)
                entry = drawn_trial(numbers, task, 0, trial_stream)
            else:
                entry = tl.load(individuals.entry + individual).to(tl.int32)
            at = individuals.channel + individual * S.inputs + c
            channel = tl.load(at, mask=c < S.inputs, other=-1)
            signal = c - S.action_at
            at = individuals.action + individual * S.outputs + signal
            signal = tl.load(at, mask=(signal >= 0) & (signal < S.outputs), other=-1)
            at = individuals.action + individual * S.outputs + line
            action = tl.load(at, mask=is_line, other=-1)
            is_action = action >= 0
            state = tl.load(tasks.first + entry)
            clamped = clamped_at(
                c, channel, signal, state, choice - 1, nothing, nothing, tasks, numbers, S
            )
        else:
            trial_stream = tl.load(individuals.trial_stream + individual).to(tl.uint32)
            clamped = clamped_at_birth(c, numbers, S)
        if S.on_chip:
            leak = leak_of(own, i, numbers, S)
            x = tl.where(i < S.num_unclamped, real(numbers, INITIAL_ACTIVATION), 0.0)
            rate = x
            mean = tl.zeros([WIDE], tl.float32)
            mean_c = tl.zeros([CLAMPS], tl.float32)
        else:
            awaken(memory, numbers, S)
            if S.rule.centres:
                forget_means(memory, S)
            tl.store(history + WIDE + c, clamped, mask=c < S.clamped)
        means = means_at_birth(individuals, individual, S)
        roughness = nothing
        share = nothing + 1.0
        tl.debug_barrier()
        if S.on_chip:
            w, w_c = matrix_of(memory, MATRIX_W, S)
            alpha, alpha_c = matrix_of(memory, MATRIX_ALPHA, S)
            p, p_c = matrix_of(memory, MATRIX_P, S)
            elig, elig_c = nothing, nothing
            if S.rule.num_credits > 0:
                elig, elig_c = matrix_of(memory, MATRIX_ELIG, S)
            pairs, pairs_c = pairs_of(memory, S)

        for trial in range(0, num_trials):
            learns = teaches(numbers, task, trial, S)
            loud = if_taught(learns, trial, num_trials, S)  # behind the last trial none is
            may_change = if_taught(learns, trial >= first_trial, False, S)
            mod_before = nothing
            step = trial * 0
            going = step == 0
            if S.self_paced:
                kind = tl.load(tasks.kind + entry)
                held, num_held = nothing, nothing
                answered, num_answered = nothing, nothing
                reward = nothing
            else:
                entry = fixed_trial(
                    numbers, task, trial, trial_stream, start, size.to(tl.uint32), S
                )
                target = tl.load(tasks.target + entry * S.outputs + line, mask=is_line, other=0.0)
                loss = tl.zeros_like(target)
                activity = tl.zeros_like(target)
                first, second = nothing, nothing

            while going:
                if step % STEPS == 0:
                    tl.debug_barrier()
                    until = tl.minimum(step + STEPS, num_steps)
                    draw_noise(memory, numbers, loud, perturb_stream, step, until, S)
                    tl.debug_barrier()
                after = history + (step + 1) * ROW
                if S.self_paced:
                    speaks = step >= 0
                else:
                    speaks = (response_start <= step) & (step < response_stop)
                if S.on_chip:
                    xi = tl.load(memory.xi + step * S.xi_width + i)
                    before = rate
                    drive = drive_of(w, alpha, p, rate) + drive_of(w_c, alpha_c, p_c, clamped)
                    x = x + leak * (drive - x) + xi
                    rate = rates_after(x, before, own, i, is_response, speaks, S)
                    answer = rate
                else:
                    advance_streamed(memory, own, step, share, speaks, numbers, S)
                    tl.debug_barrier()
                    answer = tl.load(after + S.response_at + line, mask=is_line, other=0.0)

                if S.self_paced:
                    in_feedback = (step == 0) & (trial > 0)
                    choice = choose(answer, action, is_action, S.outputs)
                    aim = tl.load(tasks.target_action + state)
                    error = answer - tl.where(action == aim, high, low)
                    error = tl.sum(tl.where(is_action, error * error, 0.0), 0)
                    part = tl.load(tasks.flags + state)
                    held += tl.where(part == IN_HOLD, error, 0.0)
                    num_held += tl.where(part == IN_HOLD, 1.0, 0.0)
                    answered += tl.where(part == IN_ANSWER, error, 0.0)
                    num_answered += tl.where(part == IN_ANSWER, 1.0, 0.0)
                    at_choice = state * S.choices + choice
                    paid = tl.load(tasks.reward + at_choice)
                    reward += paid
                    state = tl.load(tasks.onward + at_choice)
                    known = state < 0
                    factor = nothing
                    shown = nothing
                    if S.feedback >= FEEDBACK_REWARD:
                        shown = real(numbers, FEEDBACK_GAIN) * paid
                    first, second = shown, -shown
                    if known:
                        out = individual * num_trials + trial
                        loss = mean_of_parts(held, num_held, answered, num_answered)
                        correct = state == ENDED_WELL
                        tl.store(record.loss + out, loss)
                        tl.store(record.correct + out, correct.to(tl.int8))
                        tl.store(record.reward + out, reward)
                        tl.store(record.steps + out, step + 1)
                        first, second = feedback_pair(loss, correct, paid, means, numbers, S)
                        factor, advanced = reinforce(loss, correct, reward, kind, means, numbers, S)
                        means = remembered(learns, advanced, means, S)
                        if S.course:
                            entry = drawn_trial(numbers, task, trial + 1, trial_stream)
                        else:
                            entry = tl.where(
                                entry + 1 == start + size.to(tl.int32), start, entry + 1
                            )
                        state = tl.load(tasks.first + entry)
                    first, second = told(learns, first, second, S)
                    clamped_next = clamped_at(
                        c, channel, signal, state, choice, first, second, tasks, numbers, S
                    )
                    going = known == 0
                else:
                    in_feedback = (feedback_start <= step) & (step < feedback_stop)
                    answers = is_line & speaks
                    error = answer - target
                    loss += tl.where(answers, error * error / response_length, 0.0)
                    activity += tl.where(answers, answer, 0.0)
                    known = step == feedback_start
                    factor = nothing
                    if known:
                        choice, first, second, factor, means = conclude(
                            loss, activity, line, is_line, entry, means, learns, tasks, record,
                            individual * num_trials + trial, numbers, S,
                        )  # fmt: skip
                    clamped_next = clamped_rates(
                        c, tasks, entry * num_steps + step, in_feedback, first, second, choice,
                        numbers, S,
                    )  # fmt: skip
                    going = step + 1 < num_steps

                gate = nothing + 1.0
                if S.rule.modulator == BY_OUTCOME:
                    gate = factor
                if S.rule.modulator == BY_NETWORK:
                    if S.on_chip:
                        gate = tl.sum(rate * sign, 0)
                    else:
                        gate = signal_at(after, S)
                    if S.fan_out == 0:
                        jump = (gate - mod_before) * (gate - mod_before)
                    elif S.on_chip:
                        leap = (rate - before) * sign
                        jump = tl.sum(leap * leap, 0)
                    else:
                        jump = squared_jumps_at(after - ROW, after, S)
                    roughness += tl.where(may_change & (step > 0), jump, 0.0)
                    mod_before = gate
                changes = may_change
                if not S.rule.at_steps:
                    changes = changes & known
                elif not S.gate_always:
                    changes = changes & in_feedback

                if S.on_chip:
                    xi_c = clamped
                    if S.rule.noisy_sources:
                        xi_c = tl.load(memory.xi + step * S.xi_width + WIDE + c)
                    targets = ends_of(rate, xi, mean, i < S.num_unclamped)
                    sources = ends_of(before, xi, mean, i < S.num_unclamped)
                    sources_c = ends_of(clamped, xi_c, mean_c, c < S.num_clamped)
                    trace, trace_c = elig, elig_c
                    if S.rule.num_credits > 0:
                        later = credited(elig, sources, targets, retention, S)
                        later_c = credited(elig_c, sources_c, targets, retention, S)
                        elig = if_taught(learns, later, elig, S)
                        elig_c = if_taught(learns, later_c, elig_c, S)
                        if S.rule.trace_first:
                            trace, trace_c = elig, elig_c
                    if changes:
                        modulation = onto_plasticity(gate, rate, own, i, S)
                        us = target_factors(targets, i, of_target, modulation, S)
                        p = changed(p, trace, pairs, us, sources, i, of_source, numbers, S)
                        p_c = changed(
                            p_c, trace_c, pairs_c, us, sources_c, WIDE + c, of_source, numbers, S
                        )
                        if S.rule.normalises:
                            largest = tl.max(tl.max(tl.abs(p), 0), 0)
                            largest = tl.maximum(largest, tl.max(tl.max(tl.abs(p_c), 0), 0))
                            share = share_of_largest(largest)
                            p = p * share
                            p_c = p_c * share
                    clamped = clamped_next
                    if S.rule.centres:
                        mean = if_taught(learns, advanced_mean(mean, rate, keep, rest), mean, S)
                        mean_c = if_taught(
                            learns, advanced_mean(mean_c, clamped, keep, rest), mean_c, S
                        )
                else:
                    tl.store(after + WIDE + c, clamped_next, mask=c < S.clamped)
                    tl.debug_barrier()
                    largest = change_streamed(
                        memory, own, step, changes, learns, gate, share, of_target, of_source,
                        retention, numbers, S,
                    )  # fmt: skip
                    if S.rule.normalises:
                        share = tl.where(changes, share_of_largest(largest), share)
                    if S.rule.centres:
                        tl.debug_barrier()
                        advance_means(memory, step, learns, numbers, S)
                    tl.debug_barrier()
                step += 1

            if not S.on_chip:
                for first_j in range(0, ROW, SOURCES):
                    j = first_j + tl.arange(0, SOURCES)
                    tl.store(history + j, tl.load(history + step * ROW + j))
                tl.debug_barrier()
        tl.store(record.roughness + individual, roughness)
