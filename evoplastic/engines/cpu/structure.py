"""From a rule's table to the multiply-adds of a pass: which terms share which factors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from evoplastic.engines.cpu.simd.structure import Group, Part, Product, Sender, Structure
from evoplastic.rules.params import Coefficient
from evoplastic.rules.table import Rule

Names = tuple[str, ...]  # of the coefficients that a term multiplies


class Compiled(NamedTuple):
    """A structure, and which coefficient each of its rows and matrices holds."""

    structure: Structure
    of_target: tuple[Names, ...]
    of_source: tuple[Names, ...]
    of_pair: tuple[Names, ...]


def compile_rule(rule: Rule, evolved: Mapping[Names, Coefficient]) -> Compiled:
    """Group the terms of a rule by what they share, and number their coefficients.

    Args:
        rule: the table.
        evolved: the coefficients that differ between individuals, which say by what they are there
            whether a term has a number of its target, of its source, or of its connection.
    """
    targets: list[Names] = []
    sources: list[Names] = []
    pairs: list[Names] = []
    groups: dict[tuple[Sender, bool, bool], dict[int, list[Part]]] = {}
    for term in rule.change:
        names = term.coefficients
        found = evolved.get(names, Coefficient())
        of_source = -1 if found.of_source is None else _numbered(sources, names)
        of_pair = -1 if found.of_pair is None else _numbered(pairs, names)
        of_target = _numbered(targets, names) if found.of_pair is None else -1
        group = groups.setdefault((Sender(term.pre, of_source), term.p, term.trace), {})
        part = Part(term.sign, term.post, of_target, term.modulated and rule.modulator != "none")
        group.setdefault(of_pair, []).append(part)
    structure = Structure(
        groups=tuple(
            Group(*shared, tuple(Product(tuple(parts), pair) for pair, parts in products.items()))
            for shared, products in groups.items()
        ),
        credits=tuple((credit.post, credit.pre) for credit in rule.credits),
        trace_first=rule.trace_first,
        clips_change=rule.clips_change,
        clips_p=rule.clips_p,
        normalises=rule.normalises,
        num_target=len(targets),
        num_source=len(sources),
        num_pair=len(pairs),
    )
    return Compiled(structure, tuple(targets), tuple(sources), tuple(pairs))


def _numbered(names: list[Names], name: Names) -> int:
    if name not in names:
        names.append(name)
    return names.index(name)
