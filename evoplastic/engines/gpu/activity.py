"""The activity of a network on the GPU, as Triton functions: nonlinearity, clamping, choice.

Shapes as in `sizes.Tiles`; targets i and sources j count unclamped neurons from 0.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.every_step.codes import MODULATOR_CODES
from evoplastic.engines.gpu.matrices import MATRIX_WEIGHT, limit
from evoplastic.engines.gpu.numbers import (
    ACTION_GAIN,
    BIAS_RATE,
    INITIAL_ACTIVATION,
    LEAK,
    STIMULUS_GAIN,
    real,
)

BY_OUTCOME = tl.constexpr(MODULATOR_CODES["outcome"])


@triton.jit
def tanh(x):
    """tanh(x) by a minimax approximation, odd over even (Eigen, MathFunctionsImpl.h)."""
    x = limit(x, 7.90531110763549805)
    s = x * x
    above = s * -2.76076847742355e-16 + 2.00018790482477e-13
    above = s * above + -8.60467152213735e-11
    above = s * above + 5.12229709037114e-08
    above = s * above + 1.48572235717979e-05
    above = s * above + 6.37261928875436e-04
    above = s * above + 4.89352455891786e-03
    below = s * 1.19825839466702e-06 + 1.18534705686654e-04
    below = s * below + 2.26843463243900e-03
    below = s * below + 4.89352518554385e-03
    return x * above / below


@triton.jit
def respond(x, is_response, in_window):
    """Rates of unclamped neurons: tanh(x); sigmoid(x) on response neurons, 0 outside the window."""
    value = tanh(tl.where(is_response, 0.5 * x, x))
    spoken = tl.where(in_window, 0.5 * value + 0.5, 0.0)
    return tl.where(is_response, spoken, value)


@triton.jit
def intrinsic_of(individuals, individual, S: tl.constexpr):
    """Where what neurons have of their own lies, of one individual (`launch.bring_intrinsic`)."""
    return individuals.intrinsic + individual * (S.own_rows * S.wide)


@triton.jit
def leak_of(own, i, numbers, S: tl.constexpr):
    """dt / tau of neurons i, one number where all share it."""
    if S.own_intrinsic:
        return tl.load(own + i)
    else:
        return real(numbers, LEAK)


@triton.jit
def above_threshold(x, own, i, S: tl.constexpr):
    """x - threshold of neurons i."""
    if S.own_intrinsic:
        return x - tl.load(own + S.wide + i)
    else:
        return x


@triton.jit
def _reaching(rates, fan_out, i, S: tl.constexpr):
    """What modulatory neurons send to neurons i: the sum over k of fan_out[k, i] m[k].

    Rates are those of all unclamped neurons on chip, else a pointer.
    """
    MODULATORS: tl.constexpr = S.num_modulators
    total = tl.zeros_like(i).to(tl.float32)
    for k in tl.static_range(0, MODULATORS):
        if S.on_chip:
            m = tl.sum(tl.where(i == S.modulators_at + k, rates, 0.0), 0)
        else:
            m = tl.load(rates + S.modulators_at + k)
        total += tl.load(fan_out + k * S.wide + i) * m
    return total


@triton.jit
def rates_after(x, before, own, i, is_response, in_window, S: tl.constexpr):
    """Rates of unclamped neurons i: g f(x - threshold - shift), as modulatory neurons have it.

    g = 1 + tanh(sum_k G[k, i] m[k]) where the rows of G hold half of what genomes have.
    """
    above = above_threshold(x, own, i, S)
    gains = own + 2 * S.own_intrinsic * S.wide
    if S.shifts:
        above -= _reaching(before, gains + S.gains * S.num_modulators * S.wide, i, S)
    rate = respond(above, is_response, in_window)
    if S.gains:
        rate += rate * tanh(_reaching(before, gains, i, S))
    return rate


@triton.jit
def onto_plasticity(gate, after, own, i, S: tl.constexpr):
    """M of targets i: the gate, or what is fanned out to each of them of it or of m after the step.

    Rates after the step are `after`: those of all unclamped neurons on chip, else a pointer.
    """
    fan_out = own + (S.own_rows - S.fan_out) * S.wide
    if S.fan_out == 0:
        return gate
    elif S.rule.modulator == BY_OUTCOME:
        return tl.load(fan_out + i) * gate
    else:
        return _reaching(after, fan_out, i, S)


@triton.jit
def modulator_signs(i, S: tl.constexpr):
    """The modulatory signal is the sum over unclamped neurons [U'] of rate times this sign."""
    k = i - S.modulators_at
    sign = tl.where((k & 1) == 0, 1.0, -1.0)
    return tl.where((k >= 0) & (k < S.num_modulators), sign, 0.0)


@triton.jit
def squared_jumps_at(before, after, S: tl.constexpr):
    """The sum of (m'[k] - m[k])^2 from rates in memory."""
    MODULATORS: tl.constexpr = S.num_modulators
    total = 0.0
    for k in tl.static_range(0, MODULATORS):
        at = S.modulators_at + k
        jump = tl.load(after + at) - tl.load(before + at)
        total += jump * jump
    return total


@triton.jit
def signal_at(rates, S: tl.constexpr):
    """The modulatory signal from rates in memory: m_0 - m_1 + m_2 - ..."""
    MODULATORS: tl.constexpr = S.num_modulators
    mod = tl.load(rates + S.modulators_at)
    for k in tl.static_range(1, MODULATORS):
        m = tl.load(rates + S.modulators_at + k)
        if k % 2 == 1:
            mod -= m
        else:
            mod += m
    return mod


@triton.jit
def clamped_at_birth(c, numbers, S: tl.constexpr):
    """Rates [C'] of the clamped neurons before the first step."""
    is_action = (c >= S.action_at) & (c < S.num_clamped)
    value = tl.where(is_action, real(numbers, INITIAL_ACTIVATION), 0.0)
    return tl.where(c == S.bias_at, real(numbers, BIAS_RATE), value)


@triton.jit
def clamped_rates(c, tasks, row, shown, first, second, choice, numbers, S: tl.constexpr):
    """Rates [C'] of the clamped neurons at a row of the stimulus, in trials of fixed timing.

    The outcome and the chosen action are there only if `shown`.
    """
    at = tasks.stimulus + row * S.inputs + c
    value = real(numbers, STIMULUS_GAIN) * tl.load(at, mask=c < S.inputs, other=0.0)
    value = tl.where(c == S.bias_at, real(numbers, BIAS_RATE), value)
    value = tl.where(shown & (c == S.feedback_at), first, value)
    value = tl.where(shown & (c == S.feedback_at + 1), second, value)
    taken = shown & (c == S.action_at + choice)
    return tl.where(taken, real(numbers, ACTION_GAIN), value)


@triton.jit
def present(
    memory, tasks, first_row, start, stop, shown_from, shown_until, first, second, choice, numbers,
    S: tl.constexpr,
):  # fmt: skip
    """Write what steps start .. stop - 1 clamp, as the rates before the steps that follow them."""
    CLAMPED: tl.constexpr = S.clamped
    BLOCK: tl.constexpr = S.block_steps
    c = tl.arange(0, CLAMPED)[None, :]
    for first_step in range(start, stop, BLOCK):
        step = (first_step + tl.arange(0, BLOCK))[:, None]
        inside = step < stop
        shown = (shown_from <= step) & (step < shown_until)
        row = tl.where(inside, first_row + step, first_row)
        value = clamped_rates(c, tasks, row, shown, first, second, choice, numbers, S)
        at = memory.history + (step + 1) * S.row + S.wide + c
        tl.store(at, value, mask=inside & (c < CLAMPED))


@triton.jit
def force(memory, own, start, stop, numbers, S: tl.constexpr):
    """Write what drives steps start .. stop - 1 from outside: xi + leak * what clamps send."""
    WIDE: tl.constexpr = S.wide
    ROW: tl.constexpr = S.row
    SOURCES: tl.constexpr = S.block_sources
    TARGETS: tl.constexpr = S.block_targets
    STEPS: tl.constexpr = S.block_steps
    weight = memory.matrices + MATRIX_WEIGHT * S.matrix + WIDE * WIDE
    for first_step in range(start, stop, STEPS):
        t = (first_step + tl.arange(0, STEPS))[:, None]
        for first_i in range(0, WIDE, TARGETS):
            i = (first_i + tl.arange(0, TARGETS))[None, :]
            leak = leak_of(own, i, numbers, S)
            drive = tl.zeros([STEPS, TARGETS], tl.float32)
            for first_c in range(0, S.clamped, SOURCES):
                c = first_c + tl.arange(0, SOURCES)
                at = memory.history + t * ROW + WIDE + c[None, :]
                rate = tl.load(at, mask=t < stop, other=0.0)
                part = tl.load(weight + c[:, None] * WIDE + i)
                drive = tl.dot(rate, part, drive, input_precision="ieee")
            xi = tl.load(memory.xi + t * WIDE + i, mask=t < stop, other=0.0)
            tl.store(memory.force + t * WIDE + i, xi + leak * drive, mask=t < stop)


@triton.jit
def choose(activity, action, is_response, O: tl.constexpr):
    """argmax of the activity, the first on ties; what is not a number counts as largest."""
    activity = tl.where(activity == activity, activity, float("inf"))
    activity = tl.where(is_response, activity, float("-inf"))
    best = tl.max(activity, 0)
    return tl.min(tl.where(is_response & (activity == best), action, O), 0)
