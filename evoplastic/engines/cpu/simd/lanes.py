"""Moving numbers between the lanes of vectors, in compiled functions: packing, transposing."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.typing import signature
from numba.extending import intrinsic

from evoplastic.engines.cpu.simd.vectors import Vector, call_llvm, pointer_to


@intrinsic
def pack_nonzero(typingctx: Any, array: Any, offset: Any, index: Any, value: Any) -> Any:
    """Write the indices whose value is not 0 one after the other; the next free offset.

    Writes a whole vector: the array needs `lanes` elements of workspace behind its last index.
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        hit = builder.fcmp_unordered("!=", args[3], ir.Constant(value.llvm, [0.0] * value.lanes))
        packed = call_llvm(
            builder,
            f"llvm.experimental.vector.compress.v{index.lanes}i32",
            index.llvm,
            [args[2], hit, ir.Constant(index.llvm, ir.Undefined)],
        )
        pointer = pointer_to(context, builder, sig.args[0], args[0], args[1], index.llvm)
        builder.store(packed, pointer, align=4)
        bits = builder.bitcast(hit, ir.IntType(index.lanes))
        hits = builder.ctpop(bits)
        return builder.add(args[1], builder.zext(hits, ir.IntType(64)))

    return signature(types.intp, array, types.intp, index, value), generate


@intrinsic
def add_transposed(typingctx: Any, tile: Any, target: Any, offset: Any, stride: Any) -> Any:
    """target[offset + j * stride + i] += tile[16 * i + j] for 16 x 16 numbers, in registers.

    Four rounds of exchanging halves between rows 1, 2, 4 and 8 apart.
    """
    vector = Vector(types.float32, 16)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        integer = ir.IntType(64)
        rows = [
            builder.load(
                pointer_to(
                    context,
                    builder,
                    sig.args[0],
                    args[0],
                    ir.Constant(integer, 16 * i),
                    vector.llvm,
                ),
                align=4,
            )
            for i in range(16)
        ]
        for apart in (1, 2, 4, 8):
            low, high = _exchange_masks(apart)
            for i in range(16):
                if not i & apart:
                    a, b = rows[i], rows[i | apart]
                    rows[i] = builder.shuffle_vector(a, b, low)
                    rows[i | apart] = builder.shuffle_vector(a, b, high)
        for j in range(16):
            at = builder.add(args[2], builder.mul(args[3], ir.Constant(integer, j)))
            pointer = pointer_to(context, builder, sig.args[1], args[1], at, vector.llvm)
            builder.store(builder.fadd(builder.load(pointer, align=4), rows[j]), pointer, align=4)
        return context.get_dummy_value()

    return signature(types.none, tile, target, types.intp, types.intp), generate


def _exchange_masks(apart: int) -> tuple[Any, Any]:
    """Lane choices that swap the off-diagonal blocks of two rows `apart` rows from each other."""
    low = [j if not j & apart else 16 + (j ^ apart) for j in range(16)]
    high = [j | apart if not j & apart else 16 + j for j in range(16)]
    mask = ir.VectorType(ir.IntType(32), 16)
    return ir.Constant(mask, low), ir.Constant(mask, high)
