"""Writing LLVM instructions on vectors of float32, for code that differs from rule to rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from evoplastic.engines.cpu.simd.formula import POWERS
from evoplastic.engines.cpu.simd.vectors import Vector, call_llvm, splat

INTEGER = ir.IntType(64)


def number(value: int) -> Any:
    """A constant offset or count."""
    return ir.Constant(INTEGER, value)


class Emitter:
    """The instructions that all passes are written in; `matrix` points into a named array."""

    def __init__(self, builder: Any, vector: Vector, matrix: Callable[[str, Any], Any]) -> None:
        self.builder, self.vector, self.matrix = builder, vector, matrix
        self.zero = ir.Constant(vector.llvm, [0.0] * vector.lanes)
        self.one = ir.Constant(vector.llvm, [1.0] * vector.lanes)

    def load(self, pointer: Any, offset: Any) -> Any:
        """A vector of neighbouring numbers."""
        wide = self.vector.llvm.as_pointer()
        at = self.builder.gep(pointer, [offset])
        return self.builder.load(self.builder.bitcast(at, wide), align=4)

    def store(self, value: Any, pointer: Any, offset: Any) -> None:
        """Write a vector over neighbouring numbers."""
        wide = self.vector.llvm.as_pointer()
        at = self.builder.gep(pointer, [offset])
        self.builder.store(value, self.builder.bitcast(at, wide), align=4)

    def spread(self, pointer: Any, offset: Any) -> Any:
        """One number in every lane."""
        value = self.builder.load(self.builder.gep(pointer, [offset]))
        return splat(self.builder, value, self.vector)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """a * b + c, rounded once."""
        name = f"llvm.fma.v{self.vector.lanes}f32"
        return call_llvm(self.builder, name, self.vector.llvm, [a, b, c])

    def clipped(self, value: Any, most: Any) -> Any:
        """clip(value, -most, most); what is not a number stays so."""
        builder, least = self.builder, self.builder.fsub(self.zero, most)
        value = builder.select(builder.fcmp_ordered("<", most, value), most, value)
        return builder.select(builder.fcmp_ordered(">", least, value), least, value)

    def larger_magnitude(self, bits: Any, value: Any) -> Any:
        """max(bits, |value|) as integers, in which what is not a number is largest of all."""
        words = ir.VectorType(ir.IntType(32), self.vector.lanes)
        mask = ir.Constant(words, [0x7FFFFFFF] * self.vector.lanes)
        magnitude = self.builder.and_(self.builder.bitcast(value, words), mask)
        return call_llvm(
            self.builder, f"llvm.umax.v{self.vector.lanes}i32", words, [bits, magnitude]
        )

    def largest(self, bits: Any) -> Any:
        """The largest magnitude of all lanes, as a float32."""
        name = f"llvm.vector.reduce.umax.v{self.vector.lanes}i32"
        word = call_llvm(self.builder, name, ir.IntType(32), [bits])
        return self.builder.bitcast(word, ir.FloatType())

    def sum_of_products(self, factors: list[Any], addend: Any) -> Any:
        """The product of all factors, plus the addend if there is one."""
        product = factors[0]
        for factor in factors[1:-1]:
            product = self.builder.fmul(product, factor)
        if len(factors) == 1:
            return product if addend is None else self.builder.fadd(product, addend)
        if addend is None:
            return self.builder.fmul(product, factors[-1])
        return self.fma(product, factors[-1], addend)

    def factor(
        self, name: str, rate: Any, mean: Callable[[], Any], noise: Callable[[], Any]
    ) -> Any:
        """What neurons contribute to a product, given how to load what it may need."""
        if name == "one":
            return self.one
        if name == "noise":
            return noise()
        value = rate()
        if name.startswith("centred"):
            value = self.builder.fsub(value, mean())
        result = value
        for _ in range(POWERS[name] - 1):
            result = self.builder.fmul(result, value)
        return result
