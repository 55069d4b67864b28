"""The four factors of a combined task, and the levels of each.

Two bits are shown one after the other. A combination of levels says what is asked of them:

    rule       which function of both is meant
    delay      how long the first one has to be remembered before the second comes
    response   whether its value is the answer (pro) or the opposite (anti)
    modality   which pair of lines shows the bits, and whether the other pair shows others meanwhile

No two rules are each other's negation, so no two combinations ask for the same function by another
way through rule and response.

Source: combinations of elements withheld from training, Miconi et al. (2025), arXiv 2503.19815;
rules and their truth tables, Miconi (2023), ICML, PMLR 202:24756 (`tasks.two_stimulus.task`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from evoplastic.checks import require, require_known

Factor = str  # one of FACTORS


class Modality(NamedTuple):
    """Which pair of lines counts, and what the other one does."""

    asked: int  # 0 = pair a, 1 = pair b
    conflict: bool  # whether the other pair shows two bits of its own at the same times


RULES = {  # each a two-stimulus task
    "and": "and",
    "or": "or",
    "first": "watchstim1",
    "second": "watchstim2",
    "same": "dms",
    "rising": "01",
    "falling": "10",
}
DELAYS_MS = {"none": 0, "short": 100, "long": 220}  # between the stimuli
RESPONSES = ("pro", "anti")
MODALITIES = {
    "a": Modality(0, conflict=False),
    "b": Modality(1, conflict=False),
    "a_over_b": Modality(0, conflict=True),
    "b_over_a": Modality(1, conflict=True),
}
FACTORS: Mapping[Factor, tuple[str, ...]] = {
    "rule": tuple(RULES),
    "delay": tuple(DELAYS_MS),
    "response": RESPONSES,
    "modality": tuple(MODALITIES),
}


class Levels(NamedTuple):
    """One level of each factor, in their order."""

    rule: str
    delay: str
    response: str
    modality: str

    @property
    def name(self) -> str:
        """What the combination is called.

        >>> Levels("same", "long", "anti", "a_over_b").name
        'same-long-anti-a_over_b'
        """
        return "-".join(self)


def levels_of(name: str) -> Levels | None:
    """The combination of that name; None for any other word.

    >>> levels_of("same-long-anti-b")
    Levels(rule='same', delay='long', response='anti', modality='b')
    >>> levels_of("dms") is None
    True
    """
    words = name.split("-")
    fits = len(words) == len(FACTORS) and all(
        word in levels for word, levels in zip(words, FACTORS.values(), strict=True)
    )
    return Levels(*words) if fits else None


def require_levels(given: Mapping[Factor, tuple[str, ...]]) -> None:
    """Refuse factors and levels that do not exist, or a level twice.

    Raises:
        UsageError: naming it, with the nearest.
    """
    for factor, levels in given.items():
        require_known("factor of combinations", factor, FACTORS)
        require(
            len(levels) > 0, f"factor {factor} has no level, expected some of {FACTORS[factor]}"
        )
        for level in levels:
            require_known(f"level of factor {factor}", level, FACTORS[factor])
        twice = sorted({level for level in levels if levels.count(level) > 1})
        require(not twice, f"factor {factor} lists {', '.join(twice)} more than once")
