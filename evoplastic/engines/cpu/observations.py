"""What the channels of a task send to the network, compiled: known before the network acts.

A self-paced trial shows its observations in the order of its table, whatever is done, until it
ends; many trial states show the observation of the state before. So the products of weights and
channels are made for a few observations ahead, and read the weights once for all of them.
"""

from __future__ import annotations

from typing import Any

from evoplastic.engines.cpu.simd.compile import inlined
from evoplastic.engines.cpu.simd.vectors import fma, load, splat_f32, spread, store

AHEAD = 4  # observations at a time; their sums just fit into the registers


def _make_tile(lanes: int) -> Any:
    """A function that works on `lanes` neurons at a time."""

    @inlined
    def send(
        plan: Any,
        workspace: Any,
        banks: Any,
        life: Any,
        channels: int,
        first: int,
        n: int,
        row: int,
    ) -> None:
        """sent[i, n] = weight[bias, n] + sum over channels c of weight[c, n] gain shown[i, c]"""
        last = banks.state_of_observation.size - 1
        shown0 = banks.state_of_observation[first] * plan.bank_inputs
        shown1 = banks.state_of_observation[min(first + 1, last)] * plan.bank_inputs
        shown2 = banks.state_of_observation[min(first + 2, last)] * plan.bank_inputs
        shown3 = banks.state_of_observation[min(first + 3, last)] * plan.bank_inputs
        bias = plan.bias_at
        at = life.weight + plan.unclamped_width * plan.unclamped_width + n
        column = load(workspace.weight, at + bias * plan.unclamped_width, lanes)
        a = b = c = d = column * splat_f32(plan.bias_rate, lanes)
        gain = splat_f32(plan.stimulus_gain, lanes)
        for _ in range(channels):
            column = load(workspace.weight, at, lanes)
            a = fma(column, gain * spread(banks.stimulus, shown0, lanes), a)
            b = fma(column, gain * spread(banks.stimulus, shown1, lanes), b)
            c = fma(column, gain * spread(banks.stimulus, shown2, lanes), c)
            d = fma(column, gain * spread(banks.stimulus, shown3, lanes), d)
            at += plan.unclamped_width
            shown0 += 1
            shown1 += 1
            shown2 += 1
            shown3 += 1
        store(workspace.sent, row + n, a)
        store(workspace.sent, row + plan.unclamped_width + n, b)
        store(workspace.sent, row + 2 * plan.unclamped_width + n, c)
        store(workspace.sent, row + 3 * plan.unclamped_width + n, d)

    return send


_send64, _send32, _send16 = _make_tile(64), _make_tile(32), _make_tile(16)


@inlined
def sent_by_observation(
    plan: Any, workspace: Any, banks: Any, life: Any, task: int, anew: bool
) -> int:
    """Where in workspace.sent lies what channels and bias send at the present observation.

    Args:
        plan: plan.
        workspace: workspace.
        banks: banks.
        life: which of the two individuals.
        task: its task.
        anew: whether weights have changed since the last call.
    """
    observation = workspace.observation[life.slot]
    ahead = observation - workspace.sent_first[life.slot]
    row = life.slot * AHEAD * plan.unclamped_width
    if not anew and 0 <= ahead < AHEAD:
        return row + ahead * plan.unclamped_width
    workspace.sent_first[life.slot] = observation
    channels = banks.channels[task]
    n = 0
    while n + 64 <= plan.unclamped_width:
        _send64(plan, workspace, banks, life, channels, observation, n, row)
        n += 64
    if n + 32 <= plan.unclamped_width:
        _send32(plan, workspace, banks, life, channels, observation, n, row)
        n += 32
    if n < plan.unclamped_width:
        _send16(plan, workspace, banks, life, channels, observation, n, row)
    return row
