"""From a rule's table to the multiply-adds of a pass: which terms share which factors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from evoplastic.engines.cpu.simd.plastic_pass import Group, Part, Structure
from evoplastic.rules.table import Rule

Form = Literal["scalar", "target", "rank_one", "pair"]


class Compiled(NamedTuple):
    """A structure, and which coefficient each of its rows and matrices holds."""

    structure: Structure
    of_target: tuple[str, ...]
    of_source: tuple[str, ...]
    of_pair: tuple[str, ...]


def compile_rule(rule: Rule, forms: Mapping[str, Form]) -> Compiled:
    """Group the terms of a rule by what they share, and number their coefficients.

    Args:
        rule: the table.
        forms: how each coefficient is stored: one number ("scalar"), one for each target, a product
            of one for the target and one for the source, or one for each connection.
    """
    targets: list[str] = []
    sources: list[str] = []
    pairs: list[str] = []
    groups: dict[tuple[str, int, int, bool, bool], list[Part]] = {}
    for term in rule.change:
        form = forms[term.coefficient]
        of_source = of_pair = -1
        if form == "rank_one":
            of_source = _numbered(sources, term.coefficient)
        if form == "pair":
            of_pair = _numbered(pairs, term.coefficient)
        row = _numbered(targets, "" if form == "pair" else term.coefficient)
        key = (term.pre, of_source, of_pair, term.p, term.trace)
        groups.setdefault(key, []).append(Part(term.sign, term.post, row))
    structure = Structure(
        groups=tuple(Group(tuple(parts), *key) for key, parts in groups.items()),
        credits=tuple((credit.post, credit.pre) for credit in rule.credits),
        trace_first=rule.trace_first,
        clips_change=rule.clips_change,
        clips_p=rule.clips_p,
        normalises=rule.normalises,
    )
    return Compiled(structure, tuple(targets), tuple(sources), tuple(pairs))


def _numbered(names: list[str], name: str) -> int:
    if name not in names:
        names.append(name)
    return names.index(name)
