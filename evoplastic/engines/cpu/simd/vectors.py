"""Explicit SIMD vectors inside Numba functions, so that the widest registers are used for sure.

A `Vector` is an LLVM vector value (`<64 x float>` is four AVX-512 registers, eight AVX2 ones): its
operations become single instructions, whatever the compiler's own vectoriser would have preferred.
Vectors live only inside compiled functions; arrays are one-dimensional and C-contiguous, offsets
count elements and are not checked.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import RequireLiteralValue
from numba.core.typing import signature
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import (
    intrinsic,
    lower_builtin,
    models,
    register_model,
)

_ELEMENTS: dict[Any, Any] = {
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
    types.uint32: ir.IntType(32),
    types.uint64: ir.IntType(64),
}


class Vector(types.Type):
    """`lanes` numbers of one element type, held in registers."""

    def __init__(self, element: types.Type, lanes: int) -> None:
        self.element = element
        self.lanes = lanes
        super().__init__(name=f"{element}x{lanes}")

    @property
    def llvm(self) -> ir.VectorType:
        """The LLVM type."""
        return ir.VectorType(_ELEMENTS[self.element], self.lanes)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Vector) -> None:
        super().__init__(dmm, fe_type, fe_type.llvm)


def _lanes(literal: Any) -> int:
    if not isinstance(literal, types.IntegerLiteral):
        raise RequireLiteralValue("the number of lanes must be a constant")
    return int(literal.literal_value)


def call_llvm(builder: Any, name: str, result: Any, args: list[Any]) -> Any:
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(result, [a.type for a in args]), name
    )
    return builder.call(function, args)


def pointer_to(
    context: Any, builder: Any, array_type: Any, array: Any, offset: Any, llvm: Any
) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [offset]), llvm.as_pointer())


def _constant(vector: Vector, values: list[Any]) -> Any:
    return ir.Constant(vector.llvm, values)


def splat(builder: Any, scalar: Any, vector: Vector) -> Any:
    one = builder.insert_element(
        ir.Constant(vector.llvm, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0)
    )
    mask = ir.Constant(ir.VectorType(ir.IntType(32), vector.lanes), [0] * vector.lanes)
    return builder.shuffle_vector(one, ir.Constant(vector.llvm, ir.Undefined), mask)


@intrinsic
def load(typingctx: Any, array: Any, offset: Any, lanes: Any) -> Any:
    """`lanes` neighbouring elements of an array."""
    vector = Vector(array.dtype, _lanes(lanes))

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = pointer_to(context, builder, sig.args[0], args[0], args[1], vector.llvm)
        return builder.load(pointer, align=4)

    return signature(vector, array, types.intp, lanes), generate


@intrinsic
def store(typingctx: Any, array: Any, offset: Any, value: Any) -> Any:
    """Write a vector over neighbouring elements of an array."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = pointer_to(context, builder, sig.args[0], args[0], args[1], value.llvm)
        builder.store(args[2], pointer, align=4)
        return context.get_dummy_value()

    return signature(types.none, array, types.intp, value), generate


def _first_lanes(builder: Any, count: Any, lanes: int) -> Any:
    """A mask of the lanes below a count."""
    integer = ir.VectorType(ir.IntType(64), lanes)
    limit = builder.insert_element(
        ir.Constant(integer, ir.Undefined), count, ir.Constant(ir.IntType(32), 0)
    )
    mask = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    limits = builder.shuffle_vector(limit, ir.Constant(integer, ir.Undefined), mask)
    return builder.icmp_signed("<", ir.Constant(integer, list(range(lanes))), limits)


_ALIGN4 = ir.Constant(ir.IntType(32), 4)


@intrinsic
def load_first(typingctx: Any, array: Any, offset: Any, count: Any, lanes: Any) -> Any:
    """At most `lanes` neighbouring elements of a float32 array: the first `count`, and then 0.

    Nothing beyond them is read.
    """
    vector = Vector(array.dtype, _lanes(lanes))

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointer = pointer_to(context, builder, sig.args[0], args[0], args[1], vector.llvm)
        mask = _first_lanes(builder, args[2], vector.lanes)
        zeros = _constant(vector, [0.0] * vector.lanes)
        name = f"llvm.masked.load.v{vector.lanes}f32.p0"
        return call_llvm(builder, name, vector.llvm, [pointer, _ALIGN4, mask, zeros])

    return signature(vector, array, types.intp, types.intp, lanes), generate


def _splatter(element: Any, name: str) -> Any:
    def typed(typingctx: Any, scalar: Any, lanes: Any) -> Any:
        vector = Vector(element, _lanes(lanes))

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return splat(builder, args[0], vector)

        return signature(vector, element, lanes), generate

    typed.__name__ = name
    typed.__doc__ = f"The same {element} in every lane."
    return intrinsic(typed)


splat_f32 = _splatter(types.float32, "splat_f32")
splat_f64 = _splatter(types.float64, "splat_f64")
splat_u32 = _splatter(types.uint32, "splat_u32")
splat_u64 = _splatter(types.uint64, "splat_u64")


@intrinsic
def spread(typingctx: Any, array: Any, offset: Any, lanes: Any) -> Any:
    """One element of an array in every lane."""
    vector = Vector(array.dtype, _lanes(lanes))

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        element = vector.llvm.element
        pointer = pointer_to(context, builder, sig.args[0], args[0], args[1], element)
        return splat(builder, builder.load(pointer), vector)

    return signature(vector, array, types.intp, lanes), generate


@intrinsic
def count_u64(typingctx: Any, start: Any, lanes: Any) -> Any:
    """start, start + 1, start + 2, ..."""
    vector = Vector(types.uint64, _lanes(lanes))

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.add(
            splat(builder, args[0], vector), _constant(vector, list(range(vector.lanes)))
        )

    return signature(vector, types.uint64, lanes), generate


@intrinsic
def count_u32(typingctx: Any, start: Any, lanes: Any) -> Any:
    """start, start + 1, start + 2, ..."""
    vector = Vector(types.uint32, _lanes(lanes))

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.add(
            splat(builder, args[0], vector), _constant(vector, list(range(vector.lanes)))
        )

    return signature(vector, types.uint32, lanes), generate


@intrinsic
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, rounded once."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return call_llvm(builder, f"llvm.fma.v{a.lanes}f32", a.llvm, list(args))

    return signature(a, a, a, a), generate


@intrinsic
def no_more(typingctx: Any, value: Any, limit: Any) -> Any:
    """min(value, limit) of floats; a value that is not a number stays so."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", args[1], args[0]), args[1], args[0])

    return signature(value, value, value), generate


@intrinsic
def no_less(typingctx: Any, value: Any, limit: Any) -> Any:
    """max(value, limit) of floats; a value that is not a number stays so."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", args[1], args[0]), args[1], args[0])

    return signature(value, value, value), generate


@intrinsic
def magnitude(typingctx: Any, value: Any) -> Any:
    """|value| of floats."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return call_llvm(builder, f"llvm.fabs.v{value.lanes}f32", value.llvm, list(args))

    return signature(value, value), generate


@intrinsic
def any_above(typingctx: Any, value: Any, limit: Any) -> Any:
    """Whether a float in any lane exceeds the limit."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        above = builder.fcmp_ordered(">", *args)
        bits = ir.IntType(value.lanes)
        return builder.icmp_unsigned("!=", builder.bitcast(above, bits), ir.Constant(bits, 0))

    return signature(types.boolean, value, value), generate


@intrinsic
def where_less(typingctx: Any, a: Any, b: Any, yes: Any, no: Any) -> Any:
    """yes where a < b as floats, else no."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", args[0], args[1]), args[2], args[3])

    return signature(yes, a, a, yes, yes), generate


@intrinsic
def square_root(typingctx: Any, value: Any) -> Any:
    """sqrt of float64, correctly rounded."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return call_llvm(builder, f"llvm.sqrt.v{value.lanes}f64", value.llvm, list(args))

    return signature(value, value), generate


def _converter(operation: str, source: Any, target: Any, name: str, says: str) -> Any:
    def typed(typingctx: Any, value: Any) -> Any:
        vector = Vector(target, value.lanes)

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return getattr(builder, operation)(args[0], vector.llvm)

        return signature(vector, Vector(source, value.lanes)), generate

    typed.__name__ = name
    typed.__doc__ = says
    return intrinsic(typed)


low32 = _converter("trunc", types.uint64, types.uint32, "low32", "The low half of every uint64.")
signed_to_f32 = _converter(
    "sitofp", types.uint32, types.float32, "signed_to_f32", "Words read as int32, as float32."
)
signed_to_f64 = _converter(
    "sitofp", types.uint64, types.float64, "signed_to_f64", "Words read as int64, as float64."
)
unsigned_to_f64 = _converter(
    "uitofp", types.uint32, types.float64, "unsigned_to_f64", "Words as float64."
)
bits_of_f64 = _converter(
    "bitcast", types.float64, types.uint64, "bits_of_f64", "The bits of float64 numbers."
)
f64_of_bits = _converter(
    "bitcast", types.uint64, types.float64, "f64_of_bits", "The float64 numbers of these bits."
)
f64_to_f32 = _converter(
    "fptrunc", types.float64, types.float32, "f64_to_f32", "float64 rounded to float32."
)
f32_to_f64 = _converter("fpext", types.float32, types.float64, "f32_to_f64", "float32 as float64.")


@intrinsic
def where_below(typingctx: Any, word: Any, bound: Any, value: Any) -> Any:
    """The float value where word <= bound as unsigned integers, else 0."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        hit = builder.icmp_unsigned("<=", args[0], args[1])
        return builder.select(hit, args[2], ir.Constant(value.llvm, [0.0] * value.lanes))

    return signature(value, word, word, value), generate


def _binary(function: Any, float_op: str, integer_op: str) -> None:
    @infer_global(function)
    class _Typing(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            if len(args) == 2 and isinstance(args[0], Vector) and args[0] == args[1]:
                return signature(args[0], *args)
            return None

    @lower_builtin(function, Vector, Vector)
    def _lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        floating = sig.return_type.element in types.real_domain
        name = float_op if floating else integer_op
        return getattr(builder, name)(*args)


_binary(operator.add, "fadd", "add")
_binary(operator.sub, "fsub", "sub")
_binary(operator.mul, "fmul", "mul")
_binary(operator.truediv, "fdiv", "udiv")
_binary(operator.xor, "xor", "xor")
_binary(operator.or_, "or_", "or_")
_binary(operator.and_, "and_", "and_")
_binary(operator.rshift, "lshr", "lshr")
