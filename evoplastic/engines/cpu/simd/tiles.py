"""Products of matrix tiles with a vector of rates, sixteen rows at a time, in compiled functions.

Sixteen rows of a matrix lie as tiles of 16 x 16 numbers, so that a product reads them in a line:
number j of row i at 256 * (j // 16) + 16 * i + j % 16.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing import signature
from numba.extending import intrinsic

from evoplastic.engines.cpu.simd.vectors import Vector, call_llvm, pointer_to, splat

TILE = 256
_VECTOR = Vector(types.float32, 16)
_INTEGER = ir.IntType(64)


@intrinsic
def tiles_times_rates(
    typingctx: Any, weight: Any, at: Any, row: Any, rate: Any, rate_at: Any
) -> Any:
    """sum_j weight[i, j] rate[j] for 16 rows i of `row` numbers, which begin at `at`."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        weight_, at_, row_, rate_, rate_at_ = args
        first = pointer_to(context, builder, sig.args[0], weight_, at_, ir.FloatType())
        rates = pointer_to(context, builder, sig.args[3], rate_, rate_at_, ir.FloatType())
        return _row_sums(builder, row_, rates, [(first, None)])

    return signature(_VECTOR, weight, types.intp, types.intp, rate, types.intp), generate


@intrinsic
def traced_tiles_times_rates(
    typingctx: Any, weight: Any, at: Any, row: Any, rate: Any, rate_at: Any, trace: Any, grown: Any
) -> Any:
    """The same with weight + grown * trace in the place of weight."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        weight_, at_, row_, rate_, rate_at_, trace_, grown_ = args
        scalar = ir.FloatType()
        first = pointer_to(context, builder, sig.args[0], weight_, at_, scalar)
        traced = pointer_to(context, builder, sig.args[5], trace_, at_, scalar)
        rates = pointer_to(context, builder, sig.args[3], rate_, rate_at_, scalar)
        return _row_sums(builder, row_, rates, [(first, None), (traced, grown_)])

    integer = types.intp
    return (
        signature(_VECTOR, weight, integer, integer, rate, integer, trace, types.float32),
        generate,
    )


def _row_sums(builder: Any, row: Any, rates: Any, matrices: list[tuple[Any, Any]]) -> Any:
    """Sum over matrices and columns j of factor * matrix[i, j] * rates[j] for 16 rows i."""
    zero = ir.Constant(_VECTOR.llvm, [0.0] * 16)
    wide = _VECTOR.llvm.as_pointer()
    slots = [cgutils.alloca_once(builder, _VECTOR.llvm) for _ in range(16)]
    for slot in slots:
        builder.store(zero, slot)
    factors = [factor and splat(builder, factor, _VECTOR) for _, factor in matrices]
    with cgutils.for_range(builder, builder.udiv(row, ir.Constant(_INTEGER, 16))) as loop:
        j = builder.mul(loop.index, ir.Constant(_INTEGER, 16))
        tile = builder.mul(loop.index, ir.Constant(_INTEGER, TILE))
        rate = builder.load(builder.bitcast(builder.gep(rates, [j]), wide), align=4)
        for (matrix, _), factor in zip(matrices, factors, strict=True):
            sent = builder.fmul(factor, rate) if factor else rate
            for i, slot in enumerate(slots):
                at = builder.add(tile, ir.Constant(_INTEGER, 16 * i))
                pointer = builder.bitcast(builder.gep(matrix, [at]), wide)
                args = [builder.load(pointer, align=4), sent, builder.load(slot)]
                builder.store(call_llvm(builder, "llvm.fma.v16f32", _VECTOR.llvm, args), slot)
    return _sum_lanes(builder, [builder.load(slot) for slot in slots])


def _sum_lanes(builder: Any, vectors: list[Any]) -> Any:
    """Lane i of the result is the sum of all lanes of vector i, for 16 vectors."""
    mask_type = ir.VectorType(ir.IntType(32), 16)
    for apart in (8, 4, 2, 1):
        stay = [j if not j & apart else 16 + j for j in range(16)]
        swap = [j | apart if not j & apart else 16 + (j ^ apart) for j in range(16)]
        vectors = [
            builder.fadd(
                builder.shuffle_vector(a, b, ir.Constant(mask_type, stay)),
                builder.shuffle_vector(a, b, ir.Constant(mask_type, swap)),
            )
            for a, b in zip(vectors[:apart], vectors[apart:], strict=True)
        ]
    return vectors[0]
