"""The parts of a GPU lifetime, as Triton functions: nonlinearity, outcome, traces.

Shapes as in `gpu_plan.Tiles`; targets i and sources j count unclamped neurons from 0.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.plan import Ints, Reals

STIMULUS_GAIN = tl.constexpr(Reals._fields.index("stimulus_gain"))
FEEDBACK_GAIN = tl.constexpr(Reals._fields.index("feedback_gain"))
ACTION_GAIN = tl.constexpr(Reals._fields.index("action_gain"))
BIAS_RATE = tl.constexpr(Reals._fields.index("bias_rate"))
BINARY_CORRECT = tl.constexpr(Reals._fields.index("binary_correct"))
BINARY_WRONG = tl.constexpr(Reals._fields.index("binary_wrong"))
BASELINE_DECAY = tl.constexpr(Reals._fields.index("baseline_decay"))
BASELINE_REST = tl.constexpr(Reals._fields.index("baseline_rest"))
TRACE_GAIN = tl.constexpr(Reals._fields.index("trace_gain"))
MAX_CHANGE = tl.constexpr(Reals._fields.index("max_change"))
INITIAL_ACTIVATION = tl.constexpr(Reals._fields.index("initial_activation"))
LEAK = tl.constexpr(Reals._fields.index("leak"))
W_STRIDE = tl.constexpr(Ints._fields.index("w_stride"))
ALPHA_STRIDE = tl.constexpr(Ints._fields.index("alpha_stride"))

# Matrices of one program in global memory: [NUM_MATRICES, row, U'].
MATRIX_W, MATRIX_ALPHA, MATRIX_P = tl.constexpr(0), tl.constexpr(1), tl.constexpr(2)
MATRIX_ELIG, MATRIX_WEIGHT = tl.constexpr(3), tl.constexpr(4)
NUM_MATRICES = 5


@triton.jit
def limit(value, bound):
    """clip(value, -bound, bound); what is not a number stays so and is seen in the loss."""
    return tl.clamp(value, -bound, bound, propagate_nan=tl.PropagateNan.ALL)


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
def clamped_at_birth(c, reals, I: tl.constexpr, O: tl.constexpr):
    """Rates [C'] of the clamped neurons before the first step."""
    is_action = (c >= I + 3) & (c < I + 3 + O)
    value = tl.where(is_action, tl.load(reals + INITIAL_ACTIVATION), 0.0)
    return tl.where(c == I + 2, tl.load(reals + BIAS_RATE), value)


@triton.jit
def clamped_rates(
    c, stimulus_ptr, entry_step, shown, first, second, choice, reals, I: tl.constexpr
):
    """Rates [C'] of the clamped neurons; the outcome and the chosen action only if `shown`."""
    at = stimulus_ptr + entry_step * I + c
    value = tl.load(reals + STIMULUS_GAIN) * tl.load(at, mask=c < I, other=0.0)
    value = tl.where(c == I + 2, tl.load(reals + BIAS_RATE), value)
    value = tl.where(shown & (c == I), first, value)
    value = tl.where(shown & (c == I + 1), second, value)
    return tl.where(shown & (c == I + 3 + choice), tl.load(reals + ACTION_GAIN), value)


@triton.jit
def present(
    history, stimulus_ptr, first_row, start, stop, shown_from, shown_until, first, second, choice,
    reals, I: tl.constexpr, WIDE: tl.constexpr, CP: tl.constexpr, BT: tl.constexpr,
):  # fmt: skip
    """Write what steps start .. stop - 1 clamp, as the rates before the steps that follow them."""
    c = tl.arange(0, CP)[None, :]
    for first_step in range(start, stop, BT):
        step = (first_step + tl.arange(0, BT))[:, None]
        inside = step < stop
        shown = (shown_from <= step) & (step < shown_until)
        row = tl.where(inside, first_row + step, first_row)
        value = clamped_rates(c, stimulus_ptr, row, shown, first, second, choice, reals, I)
        at = history + (step + 1) * (WIDE + CP) + WIDE + c
        tl.store(at, value, mask=inside & (c < CP))


@triton.jit
def force(
    matrices, history, xi_ptr, force_ptr, start, stop, reals, WIDE: tl.constexpr, CP: tl.constexpr,
    BC: tl.constexpr, BI: tl.constexpr, BT: tl.constexpr,
):  # fmt: skip
    """Write what drives steps start .. stop - 1 from outside: xi + leak * what clamps send."""
    row: tl.constexpr = WIDE + CP
    weight = matrices + MATRIX_WEIGHT * (row * WIDE) + WIDE * WIDE
    leak = tl.load(reals + LEAK)
    for first_step in range(start, stop, BT):
        t = (first_step + tl.arange(0, BT))[:, None]
        for first_i in range(0, WIDE, BI):
            i = (first_i + tl.arange(0, BI))[None, :]
            drive = tl.zeros([BT, BI], tl.float32)
            for first_c in range(0, CP, BC):
                c = first_c + tl.arange(0, BC)
                rate = tl.load(history + t * row + WIDE + c[None, :], mask=t < stop, other=0.0)
                part = tl.load(weight + c[:, None] * WIDE + i)
                drive = tl.dot(rate, part, drive, input_precision="ieee")
            xi = tl.load(xi_ptr + t * WIDE + i, mask=t < stop, other=0.0)
            tl.store(force_ptr + t * WIDE + i, xi + leak * drive, mask=t < stop)


@triton.jit
def choose(activity, action, is_response, O: tl.constexpr):
    """argmax of the activity, the first on ties; what is not a number counts as largest."""
    activity = tl.where(activity == activity, activity, float("inf"))
    activity = tl.where(is_response, activity, float("-inf"))
    best = tl.max(activity, 0)
    return tl.min(tl.where(is_response & (activity == best), action, O), 0)


@triton.jit
def graded_or_binary(loss, correct, reals, OUTCOME: tl.constexpr):
    """The loss that the loss feedback carries; OUTCOME as in `gpu_plan.OUTCOME_CODES`."""
    if OUTCOME == 1:
        right = tl.load(reals + BINARY_CORRECT)
        return tl.where(correct, right, tl.load(reals + BINARY_WRONG))
    else:
        return loss


@triton.jit
def feedback_pair(
    loss, correct, reward, mean_correct, mean_reward, reals, FEEDBACK: tl.constexpr,
    OUTCOME: tl.constexpr,
):  # fmt: skip
    """Rates of the two feedback neurons; FEEDBACK as in `gpu_plan.FEEDBACK_CODES`."""
    gain = tl.load(reals + FEEDBACK_GAIN)
    if FEEDBACK == 0:
        shown = gain * graded_or_binary(loss, correct, reals, OUTCOME)
        return shown, shown
    else:
        right = tl.where(correct, 1.0, 0.0)
        if FEEDBACK == 1:
            value = 2.0 * gain * (right - 0.5)
        elif FEEDBACK == 2:
            value = 2.0 * gain * (right - mean_correct)
        elif FEEDBACK == 3:
            value = gain * reward
        else:
            value = gain * (reward - mean_reward)
        return value, -value


@triton.jit
def running_mean(mean, value, reals):
    """decay * mean + (1 - decay) * value."""
    return tl.load(reals + BASELINE_DECAY) * mean + tl.load(reals + BASELINE_REST) * value


@triton.jit
def conclude(
    loss_i, activity_i, action_i, is_response, entry, mean_correct, mean_reward, baseline,
    asked_ptr, reward_ptr, kind_ptr, out, loss_out, correct_out, reward_out, reals,
    O: tl.constexpr, KINDS: tl.constexpr, FEEDBACK: tl.constexpr, OUTCOME: tl.constexpr,
    BASELINE: tl.constexpr,
):  # fmt: skip
    """Judge a response, write it down at `out`, and say what the network is told about it.

    Returns the choice, the rates of both feedback neurons, and what `reinforce` returns.
    """
    loss = tl.sum(loss_i, 0)
    choice = choose(activity_i, action_i, is_response, O)
    correct = choice == tl.load(asked_ptr + entry)
    tl.store(loss_out + out, loss)
    tl.store(correct_out + out, correct.to(tl.int8))
    reward = tl.load(reward_ptr + entry * O + choice)
    tl.store(reward_out + out, reward)
    first, second = feedback_pair(
        loss, correct, reward, mean_correct, mean_reward, reals, FEEDBACK, OUTCOME
    )
    gate, baseline, mean_correct, mean_reward = reinforce(
        loss, correct, reward, tl.load(kind_ptr + entry), mean_correct, mean_reward, baseline,
        reals, KINDS, OUTCOME, BASELINE,
    )  # fmt: skip
    return choice, first, second, gate, baseline, mean_correct, mean_reward


@triton.jit
def reinforce(
    loss, correct, reward, kind, mean_correct, mean_reward, baseline, reals, KINDS: tl.constexpr,
    OUTCOME: tl.constexpr, BASELINE: tl.constexpr,
):  # fmt: skip
    """What the outcome of a trial does: M of the rule it modulates, and the running means.

    Returns M, the running means of the outcome
    [KINDS], of correctness and of reward. BASELINE as in `gpu_plan.BASELINE_CODES`.
    """
    if OUTCOME == 2:
        seen = -reward
    else:
        seen = graded_or_binary(loss, correct, reals, OUTCOME)
    if BASELINE != 0:
        kind = kind * 0
    is_kind = tl.arange(0, KINDS) == kind
    expected = tl.sum(tl.where(is_kind, baseline, 0.0), 0)
    gate = seen
    if BASELINE != 2:
        gate = seen - expected
        if OUTCOME != 2:
            gate = expected * gate
    baseline = tl.where(is_kind, running_mean(expected, seen, reals), baseline)
    mean_correct = running_mean(mean_correct, tl.where(correct, 1.0, 0.0), reals)
    return gate, baseline, mean_correct, running_mean(mean_reward, reward, reals)


@triton.jit
def lay_out(
    w_ptr, alpha_ptr, life, ints, matrices, N: tl.constexpr, CLAMPED: tl.constexpr,
    WIDE: tl.constexpr, ROW: tl.constexpr, BJ: tl.constexpr, BI: tl.constexpr,
):  # fmt: skip
    """Write the matrices of a newborn: w and alpha transposed, p = elig = 0, weight = w."""
    matrix: tl.constexpr = ROW * WIDE
    w_ptr += life * tl.load(ints + W_STRIDE)
    alpha_ptr += life * tl.load(ints + ALPHA_STRIDE)
    for first_j in range(0, ROW, BJ):
        for first_i in range(0, WIDE, BI):
            j = first_j + tl.arange(0, BJ)
            i = first_i + tl.arange(0, BI)
            w, alpha = genome_tile(w_ptr, alpha_ptr, j, i, N, CLAMPED, WIDE)
            at = matrices + j[:, None] * WIDE + i[None, :]
            tl.store(at + MATRIX_W * matrix, w)
            tl.store(at + MATRIX_ALPHA * matrix, alpha)
            tl.store(at + MATRIX_P * matrix, tl.zeros_like(w))
            tl.store(at + MATRIX_ELIG * matrix, tl.zeros_like(w))
            tl.store(at + MATRIX_WEIGHT * matrix, w)


@triton.jit
def genome_tile(w_ptr, alpha_ptr, j, i, N: tl.constexpr, CLAMPED: tl.constexpr, WIDE: tl.constexpr):
    """w and alpha from sources j to targets i, transposed; 0 where there is no such neuron."""
    source = tl.where(j < WIDE, j + CLAMPED, j - WIDE)
    exists = tl.where(j < WIDE, j < N - CLAMPED, j - WIDE < CLAMPED)
    mask = exists[:, None] & (i < N - CLAMPED)[None, :]
    at = (i + CLAMPED)[None, :] * N + source[:, None]
    return tl.load(w_ptr + at, mask=mask, other=0.0), tl.load(alpha_ptr + at, mask=mask, other=0.0)


@triton.jit
def credited(
    elig, history, xi_ptr, power_ptr, j, i, start, stop, WIDE: tl.constexpr,
    ROW: tl.constexpr, BT: tl.constexpr,
):  # fmt: skip
    """Traces after the steps start .. stop - 1, from what they were before.

    elig = retention^(stop - start) elig + sum_t retention^(stop - t) rate_j(t) xi_i(t)
    """
    elig = tl.load(power_ptr + (stop - start)) * elig
    for first in range(start, stop, BT):
        t = first + tl.arange(0, BT)
        inside = t < stop
        rate = tl.load(history + t[None, :] * ROW + j[:, None], mask=inside[None, :], other=0.0)
        xi = tl.load(xi_ptr + t[:, None] * WIDE + i[None, :], mask=inside[:, None], other=0.0)
        xi = xi * tl.load(power_ptr + (stop - t), mask=inside, other=0.0)[:, None]
        elig = tl.dot(rate, xi, elig, input_precision="ieee")
    return elig


@triton.jit
def learn(
    matrices, history, xi_ptr, power_ptr, stop, gate, may_change, reals,
    WIDE: tl.constexpr, ROW: tl.constexpr, BJ: tl.constexpr, BI: tl.constexpr, BT: tl.constexpr,
):  # fmt: skip
    """Plasticity after the first `stop` steps of a trial: elig, p, weight of one network.

    p   += clip(gain * elig * gate, -max_change, max_change);    weight = w + alpha * p
    """
    matrix: tl.constexpr = ROW * WIDE
    gain = tl.load(reals + TRACE_GAIN)
    bound = tl.load(reals + MAX_CHANGE)
    for first_j in range(0, ROW, BJ):
        for first_i in range(0, WIDE, BI):
            j = first_j + tl.arange(0, BJ)
            i = first_i + tl.arange(0, BI)
            at = matrices + j[:, None] * WIDE + i[None, :]
            elig = tl.load(at + MATRIX_ELIG * matrix)
            elig = credited(elig, history, xi_ptr, power_ptr, j, i, 0, stop, WIDE, ROW, BT)
            tl.store(at + MATRIX_ELIG * matrix, elig)
            change = limit(gain * elig * gate, bound)
            p = tl.load(at + MATRIX_P * matrix) + tl.where(may_change, change, 0.0)
            tl.store(at + MATRIX_P * matrix, p)
            weight = tl.load(at + MATRIX_W * matrix) + tl.load(at + MATRIX_ALPHA * matrix) * p
            tl.store(at + MATRIX_WEIGHT * matrix, weight)


@triton.jit
def credit_rest(
    matrices, history, xi_ptr, power_ptr, start, stop, WIDE: tl.constexpr, ROW: tl.constexpr,
    BJ: tl.constexpr, BI: tl.constexpr, BT: tl.constexpr,
):  # fmt: skip
    """Bring the eligibility traces from the first feedback step to the trial's end."""
    for first_j in range(0, ROW, BJ):
        for first_i in range(0, WIDE, BI):
            j = first_j + tl.arange(0, BJ)
            i = first_i + tl.arange(0, BI)
            at = matrices + MATRIX_ELIG * (ROW * WIDE) + j[:, None] * WIDE + i[None, :]
            elig = tl.load(at)
            elig = credited(elig, history, xi_ptr, power_ptr, j, i, start, stop, WIDE, ROW, BT)
            tl.store(at, elig)
