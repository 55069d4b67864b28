"""From a rule's table to the multiply-adds of a pass: which terms share which factors.

Every engine that passes over the matrices at a step builds its pass from this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from evoplastic.rules.params import Coefficient
from evoplastic.rules.table import Rule

Names = tuple[str, ...]  # of the coefficients that a term multiplies


class Part(NamedTuple):
    """A term but for what its group says: sign * coefficient[n] * post[n]."""

    sign: int
    post: str
    coefficient: int  # number of the row of coefficients


class Group(NamedTuple):
    """Terms of a change that share everything but the target factor."""

    parts: tuple[Part, ...]
    pre: str
    of_source: int  # number of the row of coefficients of sources; -1 = 1
    of_pair: int  # number of the matrix of coefficients; -1 = 1
    p: bool
    trace: bool
    modulated: bool = True


@dataclass(frozen=True)
class Structure:
    """All that decides which multiply-adds a pass consists of."""

    groups: tuple[Group, ...]
    credits: tuple[tuple[str, str], ...]  # (post, pre) products that the trace gains
    trace_first: bool  # whether the change reads the trace with the step's credits in it
    clips_change: bool
    clips_p: bool
    normalises: bool = False  # whether p is divided by its largest magnitude after each change

    @property
    def centres(self) -> bool:
        """Whether some factor is a rate less its running mean."""
        factors = {group.pre for group in self.groups} | {f for c in self.credits for f in c}
        factors |= {part.post for group in self.groups for part in group.parts}
        return bool(factors & {"centred", "centred_cubed"})


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
    groups: dict[tuple[str, int, int, bool, bool, bool], list[Part]] = {}
    for term in rule.change:
        names = term.coefficients
        found = evolved.get(names, Coefficient())
        of_source = -1 if found.of_source is None else _numbered(sources, names)
        of_pair = -1 if found.of_pair is None else _numbered(pairs, names)
        row = _numbered(targets, names if of_pair < 0 else ())
        key = (term.pre, of_source, of_pair, term.p, term.trace, term.modulated)
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


def _numbered(names: list[Names], name: Names) -> int:
    if name not in names:
        names.append(name)
    return names.index(name)
