"""One pass over the matrices of a network at a step, as the table of its rule says, in LLVM.

Matrices lie with targets in a row, [sources j, U'], so that a vector holds some targets n. While a
vector of each matrix is in registers,

    trace' = retention * (trace + sum over credits of post[n] pre[j])
    p'     = clip(p + clip(sum over groups of u[n] v[j] C[j, n] p^{0,1} trace^{0,1}))
    drive  = sum over j of (w[j, n] + alpha[j, n] p'[j, n]) rate[j]

with u the terms of a group that share all but their target factor: u[n] = M[n] * sum of sign *
coefficient[n] * post[n], made once for all sources. What a rule needs of this is its `Structure`,
a Numba type of its own: the kernel is compiled once for each structure and holds its multiply-adds
and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.pythonapi import NativeValue
from numba.core.typing import signature
from numba.extending import intrinsic, models, register_model, typeof_impl, unbox

from evoplastic.engines.cpu.simd.vectors import Vector, call_llvm, pointer_to, splat
from evoplastic.engines.structure import Group, Structure

SUMS = 2  # partial sums of a drive: shorter chains, and smaller rounding errors
POWERS = {"rate": 1, "rate_squared": 2, "rate_cubed": 3, "centred": 1, "centred_cubed": 3}


class StructureType(types.Type):
    """The Numba type of a structure; two structures are two types."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        super().__init__(name=f"Structure{structure!r}")


@register_model(StructureType)
class _StructureModel(models.OpaqueModel):
    pass


@typeof_impl.register(Structure)
def _typeof_structure(value: Structure, context: Any) -> StructureType:
    return StructureType(value)


@unbox(StructureType)
def _unbox_structure(typ: Any, value: Any, context: Any) -> NativeValue:
    return NativeValue(context.context.get_dummy_value())


class Matrices(NamedTuple):
    """What a pass reads and writes, float32; of both lives of a workspace."""

    weight: Any  # [2, row, U'] leak w
    alpha: Any  # [2, row, U'] leak alpha
    p: Any  # [2, row, U']
    trace: Any  # [2, row, U']
    of_pair: Any  # [2, matrices, row, U'] coefficients of connections
    of_target: Any  # [2, rows, U'] coefficients of targets
    of_source: Any  # [2, rows, row] coefficients of sources
    modulation: Any  # [2, U'] M
    mean: Any  # [2, row] running means of the rates
    limits: Any  # [2, 3] retention, largest change, largest p


class Places(NamedTuple):
    """Where a pass finds one life in its arrays."""

    matrix: int  # weight, alpha, p, trace; a matrix of coefficients is times their number
    target: int  # modulation
    source: int  # mean
    slot: int  # 0 or 1
    before: int  # the rates before the step
    after: int  # and after it
    xi: int  # the perturbations of the targets at the step


def make_pass(lanes: int, *, credits: bool, changes: bool) -> Any:
    """An intrinsic that passes over `lanes` targets of a life and sums their drive.

    Args:
        lanes: of a vector; a multiple of 16.
        credits: whether the trace decays and gains.
        changes: whether weights change.
    """

    @intrinsic
    def passes(
        typingctx: Any, structure: Any, matrices: Any, places: Any, rate: Any, xi: Any,
        n: Any, wide: Any, num_unclamped: Any, num_sources: Any, back: Any,
    ) -> Any:  # fmt: skip
        """The drive of targets n.. from all sources, after their weights have changed.

        Sources are the first `num_unclamped` and, from `wide` on, the clamped ones; `back` takes
        them in the order from last to first.
        """
        vector = Vector(types.float32, lanes)

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            def array(position: int, offset: Any) -> Any:
                kind, value = sig.args[position], args[position]
                return pointer_to(context, builder, kind, value, offset, ir.FloatType())

            def matrix(name: str, offset: Any) -> Any:
                index = Matrices._fields.index(name)
                kind, value = sig.args[1].types[index], builder.extract_value(args[1], index)
                return pointer_to(context, builder, kind, value, offset, ir.FloatType())

            place = {
                name: builder.extract_value(args[2], index)
                for index, name in enumerate(Places._fields)
            }
            sizes = dict(zip(("n", "wide", "unclamped", "sources", "back"), args[5:], strict=True))
            emitter = _Emitter(builder, vector, sig.args[0].structure, matrix, place, sizes)
            return emitter.emit(array, credits, changes)

        integer = types.intp
        sizes = (integer, integer, integer, integer, types.boolean)
        return signature(vector, structure, matrices, places, rate, xi, *sizes), generate

    return passes


class _Emitter:
    """Writes the instructions of one pass."""

    def __init__(
        self,
        builder: Any,
        vector: Vector,
        structure: Structure,
        matrix: Callable[[str, Any], Any],
        place: dict[str, Any],
        sizes: dict[str, Any],
    ) -> None:
        self.builder, self.vector, self.structure = builder, vector, structure
        self.matrix, self.place, self.sizes = matrix, place, sizes
        self.zero = ir.Constant(vector.llvm, [0.0] * vector.lanes)

    def number(self, value: int) -> Any:
        return ir.Constant(ir.IntType(64), value)

    def load(self, pointer: Any, offset: Any) -> Any:
        wide = self.vector.llvm.as_pointer()
        at = self.builder.gep(pointer, [offset])
        return self.builder.load(self.builder.bitcast(at, wide), align=4)

    def store(self, value: Any, pointer: Any, offset: Any) -> None:
        wide = self.vector.llvm.as_pointer()
        at = self.builder.gep(pointer, [offset])
        self.builder.store(value, self.builder.bitcast(at, wide), align=4)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        name = f"llvm.fma.v{self.vector.lanes}f32"
        return call_llvm(self.builder, name, self.vector.llvm, [a, b, c])

    def clipped(self, value: Any, most: Any) -> Any:
        """clip(value, -most, most); what is not a number stays so."""
        builder, least = self.builder, self.builder.fsub(self.zero, most)
        value = builder.select(builder.fcmp_ordered("<", most, value), most, value)
        return builder.select(builder.fcmp_ordered(">", least, value), least, value)

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

    def power(self, value: Any, exponent: int) -> Any:
        result = value
        for _ in range(exponent - 1):
            result = self.builder.fmul(result, value)
        return result

    def emit(self, array: Callable[[int, Any], Any], credits: bool, changes: bool) -> Any:
        builder, structure, place = self.builder, self.structure, self.place
        n, wide = self.sizes["n"], self.sizes["wide"]
        area = builder.mul(builder.add(wide, self._clamped_width()), wide)
        self._rates = array(3, self.number(0))
        self._xi = array(4, builder.add(place["xi"], n))
        limits = self.matrix("limits", builder.mul(place["slot"], self.number(3)))
        self._limits = [
            splat(builder, builder.load(builder.gep(limits, [self.number(i)])), self.vector)
            for i in range(3)
        ]
        at = builder.add(place["matrix"], n)
        kept = {name: self.matrix(name, at) for name in ("weight", "alpha", "p", "trace")}
        pairs = self.matrix("of_pair", n)
        u = [self._target_factor(group) for group in structure.groups] if changes else []
        posts = [self._post(post) for post, _ in structure.credits] if credits else []
        sums = [cgutils.alloca_once(builder, self.vector.llvm) for _ in range(SUMS)]
        for total in sums:
            builder.store(self.zero, total)
        for turn, j in self._sources():
            here = builder.mul(j, wide)
            self._one_source(j, here, kept, pairs, area, u, posts, sums[turn])
        first, second = (builder.load(total) for total in sums)
        return builder.fadd(first, second)

    def _clamped_width(self) -> Any:
        """C': the number of clamped sources, rounded up to whole vectors of 16."""
        builder = self.builder
        clamped = builder.sub(self.sizes["sources"], self.sizes["unclamped"])
        return builder.and_(builder.add(clamped, self.number(15)), self.number(-16))

    def _sources(self) -> Iterator[tuple[int, Any]]:
        """The sources of a loop of two a turn, then the last one where their number is odd."""
        builder, sizes = self.builder, self.sizes
        pairs = builder.udiv(sizes["sources"], self.number(SUMS))
        with cgutils.for_range(builder, pairs) as loop:
            first = builder.mul(loop.index, self.number(SUMS))
            for turn in range(SUMS):
                yield turn, self._place(builder.add(first, self.number(turn)))
        done = builder.mul(pairs, self.number(SUMS))
        odd = builder.icmp_signed("<", done, sizes["sources"])
        with builder.if_then(odd):
            yield 0, self._place(done)

    def _place(self, turn: Any) -> Any:
        """Where the source of a turn lies among the rows: clamped ones follow the surplus."""
        builder, sizes = self.builder, self.sizes
        last = builder.sub(builder.sub(sizes["sources"], turn), self.number(1))
        turn = builder.select(sizes["back"], last, turn)
        gap = builder.sub(sizes["wide"], sizes["unclamped"])
        clamped = builder.icmp_signed(">=", turn, sizes["unclamped"])
        return builder.select(clamped, builder.add(turn, gap), turn)

    def _one_source(
        self, j: Any, here: Any, kept: dict[str, Any], pairs: Any, area: Any, u: list[Any],
        posts: list[Any], total: Any,
    ) -> None:  # fmt: skip
        builder, structure = self.builder, self.structure
        retention, most_change, most_p = self._limits
        weight = self.load(kept["weight"], here)
        alpha = self.load(kept["alpha"], here)
        p = self.load(kept["p"], here)
        trace = None
        if structure.credits and (posts or u):
            trace = self.load(kept["trace"], here)
        if posts:
            credited = trace
            for post, (_, pre) in zip(posts, structure.credits, strict=True):
                factors = [post, *self._pre(pre, j)]
                credited = self.sum_of_products(factors, credited)
            credited = builder.fmul(credited, retention)
            self.store(credited, kept["trace"], here)
            trace = credited if structure.trace_first else trace
        if u:
            change = None if structure.clips_change else p
            for group, factor in zip(structure.groups, u, strict=True):
                factors = [factor, *self._pre(group.pre, j)]
                if group.of_source >= 0:
                    factors.append(self._source_coefficient(group.of_source, j))
                if group.of_pair >= 0:
                    offset = builder.add(self._pair_offset(group.of_pair, area), here)
                    factors.append(self.load(pairs, offset))
                factors += [p] * group.p + [trace] * group.trace
                change = self.sum_of_products(factors, change)
            if structure.clips_change:
                change = builder.fadd(p, self.clipped(change, most_change))
            p = self.clipped(change, most_p) if structure.clips_p else change
            self.store(p, kept["p"], here)
        weight = self.fma(alpha, p, weight)
        sent = splat(builder, self._rate(self.place["after"], j), self.vector)
        builder.store(self.fma(weight, sent, builder.load(total)), total)

    def _target_factor(self, group: Group) -> Any:
        """u[n] = M[n] * sum over the parts of sign * coefficient[n] * post[n]; M if modulated."""
        builder, n, wide = self.builder, self.sizes["n"], self.sizes["wide"]
        rows = 1 + max(p.coefficient for g in self.structure.groups for p in g.parts)
        slot = builder.mul(self.place["slot"], self.number(rows))
        total = None
        for part in group.parts:
            row = builder.mul(builder.add(slot, self.number(part.coefficient)), wide)
            value = self.load(self.matrix("of_target", n), row)
            if part.post != "one":
                value = builder.fmul(value, self._post(part.post))
            if part.sign < 0:
                value = builder.fsub(self.zero, value)
            total = value if total is None else builder.fadd(total, value)
        if not group.modulated:
            return total
        return builder.fmul(total, self.load(self.matrix("modulation", n), self.place["target"]))

    def _post(self, factor: str) -> Any:
        """A factor of the targets as it is after the step."""
        builder, n = self.builder, self.sizes["n"]
        if factor == "one":
            return ir.Constant(self.vector.llvm, [1.0] * self.vector.lanes)
        if factor == "noise":
            return self.load(self._xi, self.number(0))
        value = self.load(self._rates, builder.add(self.place["after"], n))
        if factor.startswith("centred"):
            mean = self.load(self.matrix("mean", n), self.place["source"])
            value = builder.fsub(value, mean)
        return self.power(value, POWERS[factor])

    def _pre(self, factor: str, j: Any) -> list[Any]:
        """The factor of a source as it is before the step, in every lane; none if it is 1."""
        builder = self.builder
        if factor == "one":
            return []
        value = self._rate(self.place["before"], j)
        if factor.startswith("centred"):
            at = builder.add(self.place["source"], j)
            value = builder.fsub(value, builder.load(self.matrix("mean", at)))
        return [splat(builder, self.power(value, POWERS[factor]), self.vector)]

    def _rate(self, at: Any, j: Any) -> Any:
        return self.builder.load(self.builder.gep(self._rates, [self.builder.add(at, j)]))

    def _source_coefficient(self, row: int, j: Any) -> Any:
        builder = self.builder
        rows = 1 + max(group.of_source for group in self.structure.groups)
        length = builder.add(self.sizes["wide"], self._clamped_width())
        slot = builder.mul(self.place["slot"], self.number(rows))
        start = builder.mul(builder.add(slot, self.number(row)), length)
        value = builder.load(self.matrix("of_source", builder.add(start, j)))
        return splat(builder, value, self.vector)

    def _pair_offset(self, number: int, area: Any) -> Any:
        builder = self.builder
        count = 1 + max(group.of_pair for group in self.structure.groups)
        slot = builder.mul(self.place["slot"], self.number(count))
        return builder.mul(builder.add(slot, self.number(number)), area)
