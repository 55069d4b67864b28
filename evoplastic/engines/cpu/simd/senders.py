"""What the sources of a network contribute to the change of a step, made once for all targets."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing import signature
from numba.extending import intrinsic

from evoplastic.engines.cpu.simd.emitting import Emitter, number
from evoplastic.engines.cpu.simd.plastic_pass import Places, Sizes, named, numbers_of
from evoplastic.engines.cpu.simd.vectors import Vector, pointer_to

LANES = 16


@intrinsic
def make_senders(
    typingctx: Any, formula: Any, matrices: Any, places: Any, sizes: Any, rate: Any
) -> Any:
    """v[j] = coefficient[j] * pre[j] of every number of sources that a formula has."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        rule = sig.args[0].formula
        matrix = named(context, builder, sig.args[1], args[1])
        place = numbers_of(builder, Places._fields, args[2])
        row = numbers_of(builder, Sizes._fields, args[3])["row"]
        rates = pointer_to(context, builder, sig.args[4], args[4], place["before"], ir.FloatType())
        if not rule.senders:
            return context.get_dummy_value()
        emitter = Emitter(builder, Vector(types.float32, LANES), matrix)
        rows = builder.mul(place["slot"], number(rule.num_source))
        with cgutils.for_range(builder, builder.udiv(row, number(LANES))) as loop:
            j = builder.mul(loop.index, number(LANES))
            for index, sender in enumerate(rule.senders):
                value = _pre(emitter, sender.pre, rates, place["source"], j)
                if sender.of_source >= 0:
                    start = builder.mul(builder.add(rows, number(sender.of_source)), row)
                    of_source = emitter.load(matrix("of_source", start), j)
                    value = builder.fmul(value, of_source)
                at = builder.mul(number(index), row)
                emitter.store(value, matrix("senders", at), j)
        return context.get_dummy_value()

    return signature(types.none, formula, matrices, places, sizes, rate), generate


def _pre(emitter: Emitter, name: str, rates: Any, source: Any, j: Any) -> Any:
    """A factor of sources j.. as it is before the step."""
    return emitter.factor(
        name,
        lambda: emitter.load(rates, j),
        lambda: emitter.load(emitter.matrix("mean", source), j),
        lambda: emitter.load(emitter.matrix("noise", number(0)), j),
    )
