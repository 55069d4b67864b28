"""What decides the multiply-adds of a pass: a rule's structure, sorted so that they are few.

    change[j, n] = sum over groups of v[j] * inner[j, n] * p^{0,1} * trace^{0,1}
    inner[j, n] = sum over products of u[n] C[j, n]
    u[n] = M[n] * sum over modulated parts + sum over others of sign * coefficient[n] * post[n]
    v[j] = coefficient[j] * pre[j]

A formula is a Numba type of its own: a kernel is compiled once for each, and holds its
multiply-adds and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from numba.core import types
from numba.core.pythonapi import NativeValue
from numba.extending import models, register_model, typeof_impl, unbox

from evoplastic.engines.structure import Compiled

POWERS = {"rate": 1, "rate_squared": 2, "rate_cubed": 3, "centred": 1, "centred_cubed": 3}
FIXED = 3  # matrices that every rule has: weight, alpha, p
WEIGHT, ALPHA, P = range(FIXED)


class Part(NamedTuple):
    """A number of the targets: sign * coefficient[n] * post[n], times M[n] if modulated."""

    sign: int
    post: str
    coefficient: int  # row of `Matrices.of_target`; -1 = 1
    modulated: bool


class Product(NamedTuple):
    """A number of the targets, the sum of its parts, times a coefficient of the connection."""

    parts: tuple[Part, ...]
    of_pair: int  # number of the matrix of coefficients; -1 = 1


class Sender(NamedTuple):
    """A number of the sources: coefficient[j] * pre[j]."""

    pre: str
    of_source: int = -1  # row of `Matrices.of_source`; -1 = 1


class Group(NamedTuple):
    """Terms of a change that share everything but what they take from targets and connections."""

    sender: Sender
    p: bool
    trace: bool
    products: tuple[Product, ...]


@dataclass(frozen=True)
class Formula:
    """All that decides which multiply-adds a pass consists of."""

    groups: tuple[Group, ...]
    credits: tuple[tuple[str, str], ...]  # (post, pre) products that the trace gains
    trace_first: bool  # whether the change reads the trace with the step's credits in it
    clips_change: bool
    clips_p: bool
    normalises: bool  # whether p is divided by its largest magnitude after each change
    num_target: int  # rows of coefficients
    num_source: int
    num_pair: int  # matrices of coefficients

    @property
    def trace_at(self) -> int:
        """Which matrix of a source's row is the trace, if there is one."""
        return FIXED

    @property
    def pairs_at(self) -> int:
        """Which matrix of a source's row is the first of coefficients."""
        return FIXED + bool(self.credits)

    @property
    def num_matrices(self) -> int:
        """Numbers that lie side by side for one connection."""
        return self.pairs_at + self.num_pair

    @property
    def senders(self) -> tuple[Sender, ...]:
        """Numbers of sources that are made anew at each step; rates and ones lie ready."""
        named = [group.sender for group in self.groups]
        named += [Sender(pre) for _, pre in self.credits]
        ready = (Sender("one"), Sender("rate"))
        return tuple(sender for sender in dict.fromkeys(named) if sender not in ready)

    @property
    def reads_noise_of_sources(self) -> bool:
        """Whether some factor of a source is its perturbation."""
        return any(sender.pre == "noise" for sender in self.senders)


def factored(compiled: Compiled, *, modulated: bool) -> Formula:
    """Gather the terms that share a number of the source, p and trace.

    Args:
        compiled: the structure of a rule, and which coefficient each of its rows holds.
        modulated: whether anything modulates the rule; else M is 1.
    """
    structure = compiled.structure
    groups: dict[tuple[Sender, bool, bool], dict[int, list[Part]]] = {}
    for group in structure.groups:
        shared = (Sender(group.pre, group.of_source), group.p, group.trace)
        for part in group.parts:
            is_one = compiled.of_target[part.coefficient] == ()
            coefficient = -1 if is_one else part.coefficient
            found = Part(part.sign, part.post, coefficient, modulated and group.modulated)
            groups.setdefault(shared, {}).setdefault(group.of_pair, []).append(found)
    return Formula(
        groups=tuple(
            Group(*shared, tuple(Product(tuple(parts), pair) for pair, parts in products.items()))
            for shared, products in groups.items()
        ),
        credits=structure.credits,
        trace_first=structure.trace_first,
        clips_change=structure.clips_change,
        clips_p=structure.clips_p,
        normalises=structure.normalises,
        num_target=len(compiled.of_target),
        num_source=len(compiled.of_source),
        num_pair=len(compiled.of_pair),
    )


class FormulaType(types.Type):
    """The Numba type of a formula; two formulas are two types."""

    def __init__(self, formula: Formula) -> None:
        self.formula = formula
        super().__init__(name=f"Formula{formula!r}")


@register_model(FormulaType)
class _FormulaModel(models.OpaqueModel):
    pass


@typeof_impl.register(Formula)
def _typeof_formula(value: Formula, context: Any) -> FormulaType:
    return FormulaType(value)


@unbox(FormulaType)
def _unbox_formula(typ: Any, value: Any, context: Any) -> NativeValue:
    return NativeValue(context.context.get_dummy_value())
