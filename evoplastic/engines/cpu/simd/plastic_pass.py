"""One pass over the matrices of a network at a step, as the table of its rule says, in LLVM.

All numbers of one connection lie in one row of its source, targets n side by side: [sources j,
matrices, U'], so that a pass reads memory in a line. While a vector of each matrix is in registers,

    trace' = retention * (trace + sum over credits of post[n] pre[j])
    p'     = clip(p + clip(change[j, n]))                          (`simd/formula.py`)
    drive  = sum over j of (w[j, n] + alpha[j, n] p'[j, n]) rate[j]

Numbers of targets, u[n], are made before the loop over sources; those of sources, v[j], before the
pass. A rule that divides p by its largest magnitude keeps P and a scale with p = scale * P. The
scale is known when all targets have been passed, so the two sums of a drive are kept apart until
then:  drive = sum of w rate + scale * sum of alpha P rate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing import signature
from numba.extending import intrinsic

from evoplastic.engines.cpu.simd.emitting import Emitter, number
from evoplastic.engines.cpu.simd.formula import (
    ALPHA,
    WEIGHT,
    Formula,
    Group,
    P,
    Part,
    Product,
    Sender,
)
from evoplastic.engines.cpu.simd.vectors import Vector, pointer_to

TILE = 16  # targets of a vector
ROOM = 22  # registers of 16 numbers for what stays; some are left for what comes and goes
ONE = (Part(1, "one", -1, False),)
LIMITS = 4
RETENTION, MAX_CHANGE, MAX_P, SCALE = range(LIMITS)


class Matrices(NamedTuple):
    """What a pass reads and writes, float32; of both lives of a workspace."""

    rows: Any  # [2, row, matrices, U']: leak w, leak alpha, p, the trace if any, coefficients
    of_target: Any  # [2, rows, U'] coefficients of targets
    of_source: Any  # [2, rows, row] coefficients of sources
    senders: Any  # [rows, row] v of the present step
    noise: Any  # [row] perturbations of sources at the present step
    modulation: Any  # [2, U'] M
    mean: Any  # [2, row] running means of the rates
    limits: Any  # [2, LIMITS] retention, largest change, largest p, scale of p
    plastic: Any  # [2, U'] sum of alpha P rate, where p is divided
    largest: Any  # [U' / 16] largest |P| of some targets
    kept: Any  # [row, U'] the trace before a probe, of rules that have one


class Places(NamedTuple):
    """Where a pass finds one life in its arrays."""

    target: int  # modulation, plastic
    source: int  # mean
    slot: int  # 0 or 1
    before: int  # the rates before the step
    after: int  # and after it
    xi: int  # the perturbations of the targets at the step


class Sizes(NamedTuple):
    """Sizes of a network, as a pass needs them."""

    wide: int  # U'
    row: int  # U' + C'
    unclamped: int  # sources are the first of these
    sources: int  # and from U' on, the clamped ones; how many there are of both


def named(context: Any, builder: Any, kind: Any, value: Any) -> Callable[[str, Any], Any]:
    """Pointers into the arrays of `Matrices`, by name and offset."""

    def matrix(name: str, offset: Any) -> Any:
        index = Matrices._fields.index(name)
        array = builder.extract_value(value, index)
        return pointer_to(context, builder, kind.types[index], array, offset, ir.FloatType())

    return matrix


def numbers_of(builder: Any, names: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The fields of a tuple of integers."""
    return {name: builder.extract_value(value, index) for index, name in enumerate(names)}


def make_pass(tiles: int, *, changes: bool) -> Any:
    """An intrinsic that passes over some targets of a life, 16 in a tile, and sums their drive.

    Args:
        tiles: how many vectors of 16 targets are passed at a time.
        changes: whether weights change; the trace decays and gains in any case.
    """

    @intrinsic
    def passes(
        typingctx: Any, formula: Any, matrices: Any, places: Any, sizes: Any, rate: Any,
        xi: Any, drive: Any, n: Any, back: Any,
    ) -> Any:  # fmt: skip
        """Change the weights of targets n.. from all sources, and store their drive.

        `back` takes the sources in the order from last to first.
        """

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            pointers = [
                pointer_to(context, builder, sig.args[i], args[i], number(0), ir.FloatType())
                for i in (4, 5, 6)
            ]
            emitter = _Pass(
                builder,
                named(context, builder, sig.args[1], args[1]),
                sig.args[0].formula,
                numbers_of(builder, Places._fields, args[2]),
                numbers_of(builder, Sizes._fields, args[3]),
                *pointers,
            )
            emitter.emit(args[7], args[8], tiles, changes)
            return context.get_dummy_value()

        integer = types.intp
        result = signature(
            types.none, formula, matrices, places, sizes, rate, xi, drive, integer, types.boolean
        )
        return result, generate

    return passes


def formula_sums(formula: Formula, tiles: int) -> int:
    """Partial sums of a drive, at most two: shorter chains make smaller rounding errors, but what
    leaves the registers for the stack costs time."""
    products = {product.parts for group in formula.groups for product in group.products}
    of_targets = len(products - {ONE}) + len(formula.credits) + 2 * formula.normalises
    of_sources = 1 + len(formula.senders)
    bounds = bool(formula.credits) + 2 * (formula.clips_change + formula.clips_p)
    bounds += 2 * formula.normalises
    return 2 if tiles * (of_targets + 2) + of_sources + bounds <= ROOM else 1


class _Tile(NamedTuple):
    """What is made of 16 targets before the loop over sources, and summed in it."""

    n: Any  # the first of them
    u: dict[Product, Any]
    posts: list[Any]  # of the credits
    sums: list[Any]
    plastic: Any  # sum of alpha P rate
    bits: Any  # largest magnitude of P, as integers


class _Pass(Emitter):
    """Writes the instructions of one pass; vectors have 16 lanes, a tile of targets."""

    def __init__(
        self, builder: Any, matrix: Callable[[str, Any], Any], formula: Formula,
        place: dict[str, Any], sizes: dict[str, Any], rates: Any, xi: Any, drive: Any,
    ) -> None:  # fmt: skip
        super().__init__(builder, Vector(types.float32, TILE), matrix)
        self.formula, self.place, self.sizes = formula, place, sizes
        self.rates, self.xi, self.drive = rates, xi, drive
        self.stride = builder.mul(sizes["wide"], number(formula.num_matrices))
        self.senders = matrix("senders", number(0))
        self.sent: dict[Sender, Any] = {}  # v of the present source, in every lane

    def emit(self, n: Any, back: Any, tiles: int, changes: bool) -> None:
        builder, place = self.builder, self.place
        limits = self.matrix("limits", builder.mul(place["slot"], number(LIMITS)))
        self.limits = [self.spread(limits, number(i)) for i in range(LIMITS)]
        first = builder.mul(builder.mul(place["slot"], self.sizes["row"]), self.stride)
        self.rows = self.matrix("rows", first)
        self.num_sums = formula_sums(self.formula, tiles)
        prepared = [
            self._tile(builder.add(n, number(TILE * tile)), changes) for tile in range(tiles)
        ]
        with cgutils.for_range(builder, self.sizes["sources"]) as loop:
            self._one_source(self._source(loop.index, back), prepared, changes)
        for tile in prepared:
            self._finish(tile, changes)

    def _tile(self, n: Any, changes: bool) -> _Tile:
        builder, formula = self.builder, self.formula
        words = ir.VectorType(ir.IntType(32), TILE)
        bits = cgutils.alloca_once(builder, words)
        builder.store(ir.Constant(words, None), bits)
        products = [product for group in formula.groups for product in group.products]
        return _Tile(
            n,
            {product: self._of_targets(product, n) for product in products if changes},
            [self._post(post, n) for post, _ in formula.credits],
            [self._summed() for _ in range(self.num_sums)],
            self._summed(),
            bits,
        )

    def _summed(self) -> Any:
        total = cgutils.alloca_once(self.builder, self.vector.llvm)
        self.builder.store(self.zero, total)
        return total

    def _finish(self, tile: _Tile, changes: bool) -> None:
        builder = self.builder
        at = builder.add(self.place["target"], tile.n)
        drive = builder.load(tile.sums[0])
        for total in tile.sums[1:]:
            drive = builder.fadd(drive, builder.load(total))
        self.store(drive, self.drive, at)
        if not self.formula.normalises:
            return
        self.store(builder.load(tile.plastic), self.matrix("plastic", at), number(0))
        if changes:
            largest = self.largest(builder.load(tile.bits))
            number_of_tile = builder.udiv(tile.n, number(TILE))
            builder.store(largest, self.matrix("largest", number_of_tile))

    def _source(self, turn: Any, back: Any) -> Any:
        """Where the source of a turn lies among the rows: clamped ones follow the surplus."""
        builder, sizes = self.builder, self.sizes
        last = builder.sub(builder.sub(sizes["sources"], turn), number(1))
        turn = builder.select(back, last, turn)
        gap = builder.sub(sizes["wide"], sizes["unclamped"])
        clamped = builder.icmp_signed(">=", turn, sizes["unclamped"])
        return builder.select(clamped, builder.add(turn, gap), turn)

    def _one_source(self, j: Any, tiles: list[_Tile], changes: bool) -> None:
        builder, formula = self.builder, self.formula
        named = [Sender(pre) for _, pre in formula.credits]
        named += [group.sender for group in formula.groups if changes]
        self.sent = {sender: self._sent(sender, j) for sender in dict.fromkeys(named)}
        rate = self.spread(self.rates, builder.add(self.place["after"], j))
        for tile in tiles:
            here = builder.add(builder.mul(j, self.stride), tile.n)
            self._one_tile(tile, here, rate, changes)

    def _one_tile(self, tile: _Tile, here: Any, rate: Any, changes: bool) -> None:
        builder, formula = self.builder, self.formula
        trace = self._credited(tile, here) if formula.credits else None
        p = self._number(P, here)
        if changes:
            p = self._changed(tile, here, p, trace)
            self._keep(p, P, here)
        alpha, weight = self._number(ALPHA, here), self._number(WEIGHT, here)
        if formula.normalises:
            grown = builder.fmul(alpha, p)
            builder.store(self.fma(grown, rate, builder.load(tile.plastic)), tile.plastic)
            if changes:
                bits = self.larger_magnitude(builder.load(tile.bits), p)
                builder.store(bits, tile.bits)
        else:
            weight = self.fma(alpha, p, weight)
        sums = [builder.load(total) for total in tile.sums]
        sums = [*sums[1:], self.fma(weight, rate, sums[0])]  # every second source to the same one
        for total, value in zip(tile.sums, sums, strict=True):
            builder.store(value, total)

    def _credited(self, tile: _Tile, here: Any) -> Any:
        """Let the trace gain and decay; returns the one that the change reads."""
        before = trace = self._number(self.formula.trace_at, here)
        for post, (_, pre) in zip(tile.posts, self.formula.credits, strict=True):
            trace = self.sum_of_products([post, *self.sent[Sender(pre)]], trace)
        trace = self.builder.fmul(trace, self.limits[RETENTION])
        self._keep(trace, self.formula.trace_at, here)
        return trace if self.formula.trace_first else before

    def _changed(self, tile: _Tile, here: Any, p: Any, trace: Any) -> Any:
        """p' of some connections of a source, before it is divided."""
        builder, formula = self.builder, self.formula
        kept = p
        if formula.normalises and any(group.p for group in formula.groups):
            p = builder.fmul(p, self.limits[SCALE])
        change = None if formula.clips_change or formula.normalises else p
        terms = [self._term(tile, group, here, p, trace) for group in formula.groups]
        for factors in sorted(terms, key=len):  # a sum, then multiply-adds
            change = self.sum_of_products(factors, change)
        if formula.clips_change:
            change = self.clipped(change, self.limits[MAX_CHANGE])
        if formula.normalises:
            change = self.fma(kept, self.limits[SCALE], change)
        elif formula.clips_change:
            change = builder.fadd(p, change)
        return self.clipped(change, self.limits[MAX_P]) if formula.clips_p else change

    def _term(self, tile: _Tile, group: Group, here: Any, p: Any, trace: Any) -> list[Any]:
        """The factors of a group of terms."""
        inner = None
        factors = [self._factors(tile, product, here) for product in group.products]
        for each in sorted(factors, key=len):
            inner = self.sum_of_products(each, inner)
        return [inner, *self.sent[group.sender]] + [p] * group.p + [trace] * group.trace

    def _factors(self, tile: _Tile, product: Product, here: Any) -> list[Any]:
        """u[n] and C[j, n], those of them that are not 1."""
        u = tile.u[product]
        if product.of_pair < 0:
            return [self.one if u is None else u]
        coefficient = self._number(self.formula.pairs_at + product.of_pair, here)
        return [coefficient] if u is None else [coefficient, u]

    def _number(self, matrix: int, here: Any) -> Any:
        return self.load(self.rows, self._at(matrix, here))

    def _keep(self, value: Any, matrix: int, here: Any) -> None:
        self.store(value, self.rows, self._at(matrix, here))

    def _at(self, matrix: int, here: Any) -> Any:
        return self.builder.add(here, self.builder.mul(self.sizes["wide"], number(matrix)))

    def _of_targets(self, product: Product, n: Any) -> Any:
        """u[n] of a product; None if it is 1 whatever the target."""
        builder = self.builder
        if product.parts == ONE:
            return None
        with_m = self._sum_of_parts([part for part in product.parts if part.modulated], n)
        alone = self._sum_of_parts([part for part in product.parts if not part.modulated], n)
        if with_m is None:
            return alone
        m = self.load(self.matrix("modulation", n), self.place["target"])
        with_m = builder.fmul(with_m, m)
        return with_m if alone is None else builder.fadd(with_m, alone)

    def _sum_of_parts(self, parts: list[Part], n: Any) -> Any:
        builder, total = self.builder, None
        rows = builder.mul(self.place["slot"], number(self.formula.num_target))
        for part in parts:
            factors = [self._post(part.post, n)] if part.post != "one" else []
            if part.coefficient >= 0:
                row = builder.mul(builder.add(rows, number(part.coefficient)), self.sizes["wide"])
                factors.append(self.load(self.matrix("of_target", n), row))
            value = self.sum_of_products(factors or [self.one], None)
            if part.sign < 0:
                value = builder.fsub(self.zero, value)
            total = value if total is None else builder.fadd(total, value)
        return total

    def _post(self, name: str, n: Any) -> Any:
        """A factor of the targets as it is after the step."""
        builder, place = self.builder, self.place
        return self.factor(
            name,
            lambda: self.load(self.rates, builder.add(place["after"], n)),
            lambda: self.load(self.matrix("mean", n), place["source"]),
            lambda: self.load(self.xi, builder.add(place["xi"], n)),
        )

    def _sent(self, sender: Sender, j: Any) -> list[Any]:
        """v[j] in every lane; none if it is 1."""
        if sender == Sender("one"):
            return []
        if sender == Sender("rate"):
            return [self.spread(self.rates, self.builder.add(self.place["before"], j))]
        row = number(self.formula.senders.index(sender))
        start = self.builder.mul(row, self.sizes["row"])
        return [self.spread(self.senders, self.builder.add(start, j))]
