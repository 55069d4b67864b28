"""One time step of one network, compiled: products, nonlinearity, clamping."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoplastic.engines.cpu.simd.compile import inlined
from evoplastic.engines.cpu.simd.modulation import make_activity
from evoplastic.engines.cpu.simd.vectors import (
    fma,
    load,
    no_less,
    no_more,
    splat_f32,
    spread,
    store,
)

TANH_LIMIT = np.float32(7.90531110763549805)
# Odd numerator, even denominator of a minimax approximation of tanh (Eigen, MathFunctionsImpl.h).
NUMERATOR = tuple(
    np.float32(c)
    for c in (
        -2.76076847742355e-16,
        2.00018790482477e-13,
        -8.60467152213735e-11,
        5.12229709037114e-08,
        1.48572235717979e-05,
        6.37261928875436e-04,
        4.89352455891786e-03,
    )
)
DENOMINATOR = tuple(
    np.float32(c)
    for c in (
        1.19825839466702e-06,
        1.18534705686654e-04,
        2.26843463243900e-03,
        4.89352518554385e-03,
    )
)
N0, N1, N2, N3, N4, N5, N6 = NUMERATOR
D0, D1, D2, D3 = DENOMINATOR


def _make_tile(lanes: int) -> tuple[Any, Any]:
    """Functions that work on `lanes` neurons at a time."""

    @inlined
    def tanh(x: Any) -> Any:
        x = no_less(
            no_more(x, splat_f32(TANH_LIMIT, lanes)), splat_f32(np.float32(-TANH_LIMIT), lanes)
        )
        square = x * x
        above = fma(square, splat_f32(N0, lanes), splat_f32(N1, lanes))
        above = fma(square, above, splat_f32(N2, lanes))
        above = fma(square, above, splat_f32(N3, lanes))
        above = fma(square, above, splat_f32(N4, lanes))
        above = fma(square, above, splat_f32(N5, lanes))
        above = fma(square, above, splat_f32(N6, lanes))
        below = fma(square, splat_f32(D0, lanes), splat_f32(D1, lanes))
        below = fma(square, below, splat_f32(D2, lanes))
        below = fma(square, below, splat_f32(D3, lanes))
        return x * above / below

    shift, amplify = make_activity(lanes, tanh)

    @inlined
    def respond(
        plan: Any, workspace: Any, gates: Any, life: Any, n: int, x: Any, before: int
    ) -> None:
        """Rates of neurons n.. from activations: out_scale * tanh(in_scale * x + in_shift) +
        out_shift, with in_shift = -in_scale * threshold, as modulatory neurons shift x and amplify
        the rate."""
        fan_outs = workspace.fan_outs
        x = shift(fan_outs.threshold, plan, workspace, life, n, before, x)
        in_shift = load(workspace.in_shift, life.state + n, lanes)
        value = tanh(fma(x, load(workspace.in_scale, n, lanes), in_shift))
        value = fma(value, load(gates, n, lanes), load(gates, gates.size // 2 + n, lanes))
        value = amplify(fan_outs.gain, plan, workspace, life, n, before, value)
        store(workspace.rate, before + plan.row + n, value)

    @inlined
    def advance(
        plan: Any,
        workspace: Any,
        gates: Any,
        n: int,
        life: Any,
        before: int,
        xi: int,
        columns: int,
        back: bool,
    ) -> None:
        """Activation and rate of neurons n.. one step on.

        x' = keep[n] x + xi + drive + sum_j weight[j, n] rate[j],     keep = 1 - leak
        """
        stride = plan.unclamped_width
        at = life.weight + n
        sender = before
        onward = 1
        if back:
            at += (columns - 1) * stride
            stride = -stride
            sender += columns - 1
            onward = -1
        a = fma(
            load(workspace.x, life.state + n, lanes),
            load(workspace.keep, life.state + n, lanes),
            load(workspace.xi, xi, lanes),
        )
        b = load(workspace.drive, life.state + n, lanes)
        c = splat_f32(np.float32(0), lanes)
        d = splat_f32(np.float32(0), lanes)
        j = 0
        while j + 4 <= columns:
            a = fma(load(workspace.weight, at, lanes), spread(workspace.rate, sender, lanes), a)
            b = fma(
                load(workspace.weight, at + stride, lanes),
                spread(workspace.rate, sender + onward, lanes),
                b,
            )
            c = fma(
                load(workspace.weight, at + 2 * stride, lanes),
                spread(workspace.rate, sender + 2 * onward, lanes),
                c,
            )
            d = fma(
                load(workspace.weight, at + 3 * stride, lanes),
                spread(workspace.rate, sender + 3 * onward, lanes),
                d,
            )
            at += 4 * stride
            sender += 4 * onward
            j += 4
        while j < columns:
            a = fma(load(workspace.weight, at, lanes), spread(workspace.rate, sender, lanes), a)
            at += stride
            sender += onward
            j += 1
        x = (a + b) + (c + d)
        store(workspace.x, life.state + n, x)
        respond(plan, workspace, gates, life, n, x, before)

    @inlined
    def send(plan: Any, workspace: Any, life: Any, n: int, before: int, sent: int) -> None:
        """drive[n] = sent[n] + sum over active clamped neurons c of weight[c, n] rate[c]."""
        at = life.weight + plan.unclamped_width * plan.unclamped_width + n
        total = load(workspace.sent, sent + n, lanes)
        for a in range(life.clamp, life.clamp + workspace.num_active[life.slot]):
            c = workspace.active[a]
            total = fma(
                load(workspace.weight, at + c * plan.unclamped_width, lanes),
                spread(workspace.rate, before + c, lanes),
                total,
            )
        store(workspace.drive, life.state + n, total)

    return advance, send


_advance64, _send64 = _make_tile(64)
_advance32, _send32 = _make_tile(32)
_advance16, _send16 = _make_tile(16)


@inlined
def advance_network(
    plan: Any, workspace: Any, gates: Any, life: Any, step: int, columns: int
) -> None:
    """All unclamped neurons one step on, reading the first `columns` unclamped rates."""
    before = life.rate + step * plan.row
    xi = step * plan.row + plan.clamped_width
    back = step & 1 == 1
    n = 0
    while n + 64 <= plan.unclamped_width:
        _advance64(plan, workspace, gates, n, life, before, xi + n, columns, back)
        n += 64
    if n + 32 <= plan.unclamped_width:
        _advance32(plan, workspace, gates, n, life, before, xi + n, columns, back)
        n += 32
    if n < plan.unclamped_width:
        _advance16(plan, workspace, gates, n, life, before, xi + n, columns, back)


@inlined
def clamped_drive(plan: Any, workspace: Any, life: Any, step: int, sent: int) -> None:
    """What the clamped neurons send: it changes only when their rates or the weights change.

    A part of it may lie ready in workspace.sent; of the rest, the active neurons are listed.
    """
    before = life.rate + step * plan.row + plan.unclamped_width
    n = 0
    while n + 64 <= plan.unclamped_width:
        _send64(plan, workspace, life, n, before, sent)
        n += 64
    if n + 32 <= plan.unclamped_width:
        _send32(plan, workspace, life, n, before, sent)
        n += 32
    if n < plan.unclamped_width:
        _send16(plan, workspace, life, n, before, sent)
