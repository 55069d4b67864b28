"""From the structure of a rule to a formula: what connections share is made before their loop."""

from __future__ import annotations

from evoplastic.engines.cpu.simd.formula import Formula, Group, Part, Product, Sender
from evoplastic.engines.structure import Compiled


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
