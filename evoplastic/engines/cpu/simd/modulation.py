"""What modulatory neurons and outcomes act on, compiled into the lifetimes that have it.

A channel that a lifetime does without is None, and leaves nothing in the machine code (`by_type`).

    threshold   x <- x - sum_k H[n, k] m[k]
    gain        rate <- (1 + t) rate,  t = tanh(sum_k G[n, k] / 2 m[k]);  1 + t = 2 sigmoid
    plasticity  M[n] = sum_k F[n, k] m[k], or F[n, 0] times the gated outcome
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.engines.cpu.simd.compile import by_type, inlined
from evoplastic.engines.cpu.simd.vectors import fma, load, splat_f32, spread, store


class FanOut(NamedTuple):
    """One channel: its numbers in the genomes, and in the workspace of a thread."""

    genes: NDArray[np.float32]  # [N, signals] of individual p from p * stride on
    stride: int
    signals: int  # K modulatory neurons, or the outcome alone
    of_outcome: bool
    factor: np.float32  # times a gene is a number of the workspace
    numbers: NDArray[np.float32]  # [2, signals, U']


class FanOuts(NamedTuple):
    """The channels, None for those that there are not."""

    plasticity: FanOut | None
    gain: FanOut | None
    threshold: FanOut | None


def _nothing_to_lay(channel: Any, plan: Any, life: Any) -> None:
    return


def _lay(channel: Any, plan: Any, life: Any) -> None:
    """A newborn's numbers, targets in a row."""
    first = life.individual * channel.stride + plan.num_clamped * channel.signals
    for k in range(channel.signals):
        row = (life.slot * channel.signals + k) * plan.unclamped_width
        for n in range(plan.num_unclamped):
            gene = channel.genes[first + n * channel.signals + k]
            channel.numbers[row + n] = channel.factor * gene


lay_fan_out = by_type(_nothing_to_lay, _lay)


@inlined
def modulatory_signal(plan: Any, workspace: Any, row: int) -> Any:
    """mod = m_0 - m_1 + m_2 - ..., of the rates that begin at `row`."""
    mod = workspace.rate[row + plan.modulators_at]
    sign = np.float32(-1)
    for n in range(plan.modulators_at + 1, plan.response_at):
        mod = np.float32(mod + sign * workspace.rate[row + n])
        sign = np.float32(-sign)
    return mod


def make_sum(lanes: int) -> Any:
    """A function that adds up what reaches `lanes` neurons."""

    @inlined
    def add_up(channel: Any, plan: Any, workspace: Any, life: Any, n: int, row: int, x: Any) -> Any:
        """x + sum_k number[k, n] m[k], with the rates that begin at `row`."""
        at = life.slot * channel.signals * plan.unclamped_width + n
        m = row + plan.modulators_at
        for _ in range(channel.signals):
            x = fma(load(channel.numbers, at, lanes), spread(workspace.rate, m, lanes), x)
            at += plan.unclamped_width
            m += 1
        return x

    return add_up


def make_activity(lanes: int, tanh: Any) -> tuple[Any, Any]:
    """Functions that shift activations and amplify rates of `lanes` neurons at a time.

    Args:
        lanes: of a vector.
        tanh: of such a vector.
    """
    add_up = make_sum(lanes)

    def same(
        channel: Any, plan: Any, workspace: Any, life: Any, n: int, before: int, value: Any
    ) -> Any:
        return value

    def amplified(
        channel: Any, plan: Any, workspace: Any, life: Any, n: int, before: int, value: Any
    ) -> Any:
        nothing = splat_f32(np.float32(0), lanes)
        gate = tanh(add_up(channel, plan, workspace, life, n, before, nothing))
        return fma(value, gate, value)

    return by_type(same, add_up.py_func), by_type(same, amplified)


_add_up16 = make_sum(16)


def _one_for_all(
    channel: Any, plan: Any, workspace: Any, life: Any, after: int, gate: Any, modulation: Any
) -> None:
    value = splat_f32(gate, 16)
    for n in range(0, plan.unclamped_width, 16):
        store(modulation, life.state + n, value)


def _one_for_each(
    channel: Any, plan: Any, workspace: Any, life: Any, after: int, gate: Any, modulation: Any
) -> None:
    nothing = splat_f32(np.float32(0), 16)
    signal = splat_f32(gate, 16)
    for n in range(0, plan.unclamped_width, 16):
        if channel.of_outcome:
            at = life.slot * plan.unclamped_width + n
            value = load(channel.numbers, at, 16) * signal
        else:
            value = _add_up16(channel, plan, workspace, life, n, after, nothing)
        store(modulation, life.state + n, value)


modulate = by_type(_one_for_all, _one_for_each)


def _jump_of_signal(
    channel: Any, plan: Any, workspace: Any, after: int, gate: Any, earlier: Any
) -> Any:
    jump = np.float32(gate - earlier)
    return jump * jump


def _jump_of_neurons(
    channel: Any, plan: Any, workspace: Any, after: int, gate: Any, earlier: Any
) -> Any:
    total = np.float32(0)
    for n in range(plan.modulators_at, plan.response_at):
        jump = np.float32(workspace.rate[after + n] - workspace.rate[after - plan.row + n])
        total += jump * jump
    return total


squared_jump = by_type(_jump_of_signal, _jump_of_neurons)
