"""What the channels of a task send to the network, compiled: known before the network acts.

A trial that runs freely shows its sights in the order of its bank, whatever is done, until it ends;
many nodes show the sight of the node before. So the products of weights and channels are made for
a few sights ahead, and read the weights once for all of them.
"""

from __future__ import annotations

from typing import Any

from evoplastic.engines.cpu.simd.compile import inlined
from evoplastic.engines.cpu.simd.vectors import fma, load, splat_f32, spread, store

AHEAD = 4  # sights at a time; their sums just fit into the registers


def _make_tile(lanes: int) -> Any:
    """A function that works on `lanes` neurons at a time."""

    @inlined
    def send(
        plan: Any, room: Any, banks: Any, life: Any, channels: int, first: int, n: int, row: int
    ) -> None:
        """sent[i, n] = weight[bias, n] + sum over channels c of weight[c, n] gain sight[i, c]"""
        last = banks.look.size - 1
        shown0 = banks.look[first] * plan.bank_inputs
        shown1 = banks.look[min(first + 1, last)] * plan.bank_inputs
        shown2 = banks.look[min(first + 2, last)] * plan.bank_inputs
        shown3 = banks.look[min(first + 3, last)] * plan.bank_inputs
        bias = plan.num_clamped - plan.num_outputs - 1
        at = life.weight + plan.unclamped_room * plan.unclamped_room + n
        column = load(room.weight, at + bias * plan.unclamped_room, lanes)
        a = b = c = d = column * splat_f32(plan.bias_rate, lanes)
        gain = splat_f32(plan.stimulus_gain, lanes)
        for _ in range(channels):
            column = load(room.weight, at, lanes)
            a = fma(column, gain * spread(banks.stimulus, shown0, lanes), a)
            b = fma(column, gain * spread(banks.stimulus, shown1, lanes), b)
            c = fma(column, gain * spread(banks.stimulus, shown2, lanes), c)
            d = fma(column, gain * spread(banks.stimulus, shown3, lanes), d)
            at += plan.unclamped_room
            shown0 += 1
            shown1 += 1
            shown2 += 1
            shown3 += 1
        store(room.sent, row + n, a)
        store(room.sent, row + plan.unclamped_room + n, b)
        store(room.sent, row + 2 * plan.unclamped_room + n, c)
        store(room.sent, row + 3 * plan.unclamped_room + n, d)

    return send


_send64, _send32, _send16 = _make_tile(64), _make_tile(32), _make_tile(16)


@inlined
def sent_by_sight(plan: Any, room: Any, banks: Any, life: Any, task: int, anew: bool) -> int:
    """Where in room.sent lies what channels and bias send at the present sight.

    Args:
        plan: plan.
        room: room.
        banks: banks.
        life: which of the two lives.
        task: its task.
        anew: whether weights have changed since the last call.
    """
    sight = room.sight[life.slot]
    ahead = sight - room.sent_first[life.slot]
    row = life.slot * AHEAD * plan.unclamped_room
    if not anew and 0 <= ahead < AHEAD:
        return row + ahead * plan.unclamped_room
    room.sent_first[life.slot] = sight
    channels = banks.channels[task]
    n = 0
    while n + 64 <= plan.unclamped_room:
        _send64(plan, room, banks, life, channels, sight, n, row)
        n += 64
    if n + 32 <= plan.unclamped_room:
        _send32(plan, room, banks, life, channels, sight, n, row)
        n += 32
    if n < plan.unclamped_room:
        _send16(plan, room, banks, life, channels, sight, n, row)
    return row
