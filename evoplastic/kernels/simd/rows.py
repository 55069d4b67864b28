"""Products of matrix rows with a vector of rates, sixteen rows at a time, in compiled functions."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing import signature
from numba.extending import intrinsic

from evoplastic.kernels.simd.vectors import Vector, call_llvm, pointer_to, splat

_VECTOR = Vector(types.float32, 16)
_INTEGER = ir.IntType(64)


@intrinsic
def rows_times_rates(
    typingctx: Any, weight: Any, at: Any, row: Any, rate: Any, rate_at: Any
) -> Any:
    """sum_j weight[at + i * row + j] rate[rate_at + j] for 16 rows i of `row` numbers."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        weight_, at_, row_, rate_, rate_at_ = args
        first = pointer_to(context, builder, sig.args[0], weight_, at_, ir.FloatType())
        rates = pointer_to(context, builder, sig.args[3], rate_, rate_at_, ir.FloatType())
        (sums,) = _row_sums(builder, [first], range(16), row_, rates)
        return _sum_lanes(builder, sums)

    return signature(_VECTOR, weight, types.intp, types.intp, rate, types.intp), generate


@intrinsic
def traced_rows_times_rates(
    typingctx: Any,
    weight: Any,
    at: Any,
    row: Any,
    rate: Any,
    rate_at: Any,
    trace: Any,
    share: Any,
    share_at: Any,
) -> Any:
    """The same with weight + share[share_at + i] * trace in the place of weight."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        weight_, at_, row_, rate_, rate_at_, trace_, share_, share_at_ = args
        scalar = ir.FloatType()
        matrices = [
            pointer_to(context, builder, sig.args[0], weight_, at_, scalar),
            pointer_to(context, builder, sig.args[5], trace_, at_, scalar),
        ]
        rates = pointer_to(context, builder, sig.args[3], rate_, rate_at_, scalar)
        shares = pointer_to(context, builder, sig.args[6], share_, share_at_, scalar)
        total = []
        for rows in (range(8), range(8, 16)):  # 16 + 16 sums would not fit into 32 registers
            weight_sums, trace_sums = _row_sums(builder, matrices, rows, row_, rates)
            for i, a, b in zip(rows, weight_sums, trace_sums, strict=True):
                factor = builder.load(builder.gep(shares, [ir.Constant(_INTEGER, i)]))
                factors = splat(builder, factor, _VECTOR)
                total.append(call_llvm(builder, "llvm.fma.v16f32", _VECTOR.llvm, [factors, b, a]))
        return _sum_lanes(builder, total)

    integer = types.intp
    return (
        signature(_VECTOR, weight, integer, integer, rate, integer, trace, share, integer),
        generate,
    )


def _row_sums(
    builder: Any, matrices: list[Any], rows: range, row: Any, rates: Any
) -> list[list[Any]]:
    """For each matrix and row, 16 partial sums of matrix[row, :] * rates."""
    zero = ir.Constant(_VECTOR.llvm, [0.0] * 16)
    wide = _VECTOR.llvm.as_pointer()
    slots = [[cgutils.alloca_once(builder, _VECTOR.llvm) for _ in rows] for _ in matrices]
    for slot in (slot for group in slots for slot in group):
        builder.store(zero, slot)
    sixteen = ir.Constant(_INTEGER, 16)
    with cgutils.for_range(builder, builder.udiv(row, sixteen)) as loop:
        j = builder.mul(loop.index, sixteen)
        rate = builder.load(builder.bitcast(builder.gep(rates, [j]), wide), align=4)
        for matrix, group in zip(matrices, slots, strict=True):
            for i, slot in zip(rows, group, strict=True):
                at = builder.add(builder.mul(row, ir.Constant(_INTEGER, i)), j)
                pointer = builder.bitcast(builder.gep(matrix, [at]), wide)
                args = [builder.load(pointer, align=4), rate, builder.load(slot)]
                builder.store(call_llvm(builder, "llvm.fma.v16f32", _VECTOR.llvm, args), slot)
    return [[builder.load(slot) for slot in group] for group in slots]


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
