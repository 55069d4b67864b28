"""Which combinations of a product of factors are withheld, and how much of each is new.

A combination is new by its smallest part that never occurs in training:

    new together = min { k : some k of its levels never occur together in a training combination }

over the factors that have more than one level. 1 would be a level that is never trained, 2 a pair:
then a network that fails has not failed to combine what it knows, so both are refused. 3 is a new
triple, 4 of four factors a combination of which every triple has been met.

Source: Miconi et al. (2025), arXiv 2503.19815, withhold combinations whose elements and pairs are
seen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations, product
from typing import NamedTuple

from evoplastic.checks import require, require_known
from tasks.two_stimulus.combinations.factors import FACTORS, Factor, Levels, require_levels
from tasks.two_stimulus.combinations.task import CombinationTask

FEWEST_NEW = 3  # levels that may be new together


class Withheld(NamedTuple):
    """A product of factors in its two roles."""

    train: tuple[CombinationTask, ...]
    held_out: tuple[CombinationTask, ...]
    new_together: Mapping[str, int]  # of each withheld combination by name


def withhold(
    factors: Mapping[Factor, Sequence[str]],
    withheld: Sequence[Mapping[Factor, str]],
    *,
    cued: bool,
) -> Withheld:
    """Split the product of factors.

    Args:
        factors: levels of each; one that is left out has its first level alone.
        withheld: each names levels; all combinations of the product that have them are withheld.
        cued: whether a line for each level of a factor that has several tells the combination.

    Raises:
        UsageError: factors or levels that are unknown, nothing withheld, or a withheld combination
            of which a level or a pair of levels never occurs in training; says which.
    """
    chosen = {factor: tuple(factors.get(factor, (known[0],))) for factor, known in FACTORS.items()}
    require_levels({**{factor: tuple(levels) for factor, levels in factors.items()}, **chosen})
    varied = [factor for factor, levels in chosen.items() if len(levels) > 1]
    whole = [Levels(*levels) for levels in product(*chosen.values())]
    kept_back = _matched(whole, withheld, chosen)
    trained = [levels for levels in whole if levels not in kept_back]
    new_together = {}
    for levels in sorted(kept_back, key=whole.index):
        new = _newest_part(levels, trained, varied)
        said = " and ".join(f"{factor} {level}" for factor, level in new.items())
        often = "never occurs" if len(new) == 1 else "never occur together"
        require(
            len(new) >= FEWEST_NEW,
            f"withheld combination {levels.name} cannot be put together from what is trained: its "
            f"{said} {often} in training; withhold fewer combinations with {said}, or give the "
            "other factors more levels",
        )
        new_together[levels.name] = len(new)
    cues = tuple((factor, level) for factor in varied for level in chosen[factor]) if cued else ()
    return Withheld(
        tuple(CombinationTask(levels, cues) for levels in trained),
        tuple(CombinationTask(levels, cues) for levels in whole if levels in kept_back),
        new_together,
    )


def _matched(
    whole: Sequence[Levels],
    withheld: Sequence[Mapping[Factor, str]],
    chosen: Mapping[Factor, tuple[str, ...]],
) -> set[Levels]:
    """All combinations that have the levels of an entry."""
    require(len(withheld) > 0, "no combination is withheld, expected at least one")
    found: set[Levels] = set()
    for entry in withheld:
        require(len(entry) > 0, "a withheld combination names no level, expected {FACTOR: LEVEL}")
        for factor, level in entry.items():
            require_known("factor of a withheld combination", factor, FACTORS)
            require_known(f"level of factor {factor} of this suite:", level, chosen[factor])
        found |= {
            levels
            for levels in whole
            if all(getattr(levels, factor) == level for factor, level in entry.items())
        }
    return found


def _newest_part(
    levels: Levels, trained: Collection[Levels], varied: Sequence[Factor]
) -> dict[Factor, str]:
    """The smallest part, the first of them, that no trained combination has."""
    for size in range(1, len(varied) + 1):
        for part in combinations(varied, size):
            own = {factor: str(getattr(levels, factor)) for factor in part}
            if not any(all(getattr(t, f) == level for f, level in own.items()) for t in trained):
                return own
    raise AssertionError(f"{levels.name} is trained")
